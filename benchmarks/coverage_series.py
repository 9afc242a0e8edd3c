"""Are verdicts right where molecules come in series? The contest of `refresh`, on simulated equals.

    python -m benchmarks.coverage_series            about two minutes on one core
    python -m benchmarks.coverage_series --quick    a twentieth of the contests, nothing written

Two ensembles are equally good over all series. On the molecules at hand one is ahead by chance: errors of a
series have a part in common. benchmarks.compare has the same for `manywalks compare`.
"""

import argparse

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.results import table, write_section
from manywalks.params.run import RefreshParams
from manywalks.refresh.contest import Ensembled, Rule, contest

CONTESTS = 4000
# molecules, molecules of a series, share of an error's variance that its series has in common, replicates
WORLDS = (
    (200, 1, 0.0, 8),
    (200, 5, 0.5, 8),
    (200, 10, 0.5, 8),
    (200, 10, 0.5, 32),
    (1000, 10, 0.5, 16),
    (200, 10, 0.9, 16),
    (60, 10, 0.5, 16),
)


def side(rng: np.random.Generator, truth: np.ndarray, series: np.ndarray, shared: float, m: int) -> Ensembled:
    """An ensemble whose error has a part of its own in every series."""
    common = rng.standard_normal(series.max() + 1)[series]
    error = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal(truth.size)
    moves = rng.standard_normal((m, 5)) @ rng.standard_normal((5, truth.size)) / np.sqrt(5)
    replicates = truth + 0.5 * error + 0.15 * moves + 0.1 * rng.standard_normal((m, truth.size))
    return Ensembled(replicates.mean(axis=0), replicates)


def told_apart(
    world: tuple[int, int, float, int], times: int, rng: np.random.Generator
) -> tuple[list[bool], list[bool]]:
    """Whether two equals are called better or worse: by whole series, and by molecules."""
    n, size, shared, m = world
    asked = RefreshParams()
    rule = Rule("rmse", asked.margin, asked.confidence, asked.min_molecules)
    series = np.arange(n) // size
    found: tuple[list[bool], list[bool]] = ([], [])
    for _ in range(times):
        truth = rng.standard_normal(n)
        observed = truth + 0.3 * rng.standard_normal(n)
        sides = [side(rng, truth, series, shared, m) for _ in range(2)]
        for verdicts, own in zip(found, (series, None), strict=True):
            said = contest(sides[0], sides[1], observed, rule, own)["verdict"]
            verdicts.append(said in ("better", "worse"))
    return found


def cell(shares: list[bool]) -> str:
    """Percent, with its Monte Carlo error."""
    p = np.mean(shares)
    return f"{100 * p:.1f} ± {100 * np.sqrt(p * (1 - p) / len(shares)):.1f}"


def main() -> None:
    """Simulate, print, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the contests, nothing written")
    quick = parser.parse_args().quick
    times, rng, rows = CONTESTS // (20 if quick else 1), np.random.default_rng(1), []
    for world in WORLDS:
        n, size, shared, m = world
        by_series, by_molecules = told_apart(world, times, rng)
        rows.append([str(n), str(size), f"{100 * shared:g} %", str(m), cell(by_series), cell(by_molecules)])
        print(*rows[-1], flush=True)
    heads = ["molecules", "of a series", "shared in a series", "replicates", "by series", "by molecules"]
    text = (
        "## refresh: equals, with molecules in series\n\n"
        f"`python -m benchmarks.coverage_series`. How many of 100 contests call one of two equally good "
        f"ensembles better or\nworse, over {times} contests a line, ± Monte Carlo error; 5 are allowed. "
        "refresh counts by whole series; the last\ncolumn shows what counting by single molecules would do."
        "\n\n"
    )
    text += table(heads, rows)
    print(text)
    if not quick:
        write_section("refresh-series", text)


if __name__ == "__main__":
    with threadpool_limits(1):  # small arrays: threads of BLAS would only wait for each other
        main()
