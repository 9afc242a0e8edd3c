"""Should intervals have a width of their own by distance from the training set (Mondrian intervals)?

    python -m benchmarks.mondrian            about a minute, once the pools of benchmarks/pools.py are there
    python -m benchmarks.mondrian --quick    a tenth of the draws, nothing written

Real replicates on real data. Molecules that trained nothing are drawn into valid and test halves, many times.
Plain: one quantile of the scaled scores for all, as in `manywalks`. By class: one for each third of the
valid molecules by similarity to the nearest training molecule.
"""

import argparse
import math

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.pools import SETS, pool, similarity_of
from benchmarks.results import table, write_section
from manywalks.ensemble.intervals import calibration

DRAWS, CLASSES, COVERAGE, REPLICATES = 200, 3, 0.9, 16


def half_widths(scores: np.ndarray, coverage: float) -> float:
    """The conformal quantile of scores (n,); infinite where they are too few."""
    rank = math.ceil((scores.size + 1) * coverage)
    return float(np.sort(scores)[rank - 1]) if rank <= scores.size else math.inf


def draw(
    error: np.ndarray, spread: np.ndarray, similarity: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Coverage by class and mean width of one draw: plain and by class, each (2, CLASSES) and (2,)."""
    order = rng.permutation(error.size)
    valid, test = order[: error.size // 2], order[error.size // 2 :]
    fitted = calibration.fit(error[valid], np.zeros(valid.size), spread[valid], "regression")
    edges = np.quantile(similarity[valid], np.linspace(0, 1, CLASSES + 1)[1:-1])
    of_valid, of_test = (np.searchsorted(edges, similarity[rows], side="right") for rows in (valid, test))
    sd = fitted.predicted_sd(spread)
    scores = np.abs(error) / sd
    plain = np.full(test.size, fitted.quantile(COVERAGE))
    own = np.array([half_widths(scores[valid][of_valid == c], COVERAGE) for c in range(CLASSES)])[of_test]
    within = [scores[test] <= quantile for quantile in (plain, own)]
    shares = np.array([[hit[of_test == c].mean() for c in range(CLASSES)] for hit in within])
    return shares, np.array([np.mean(2 * quantile * sd[test]) for quantile in (plain, own)])


def main() -> None:
    """Measure, print, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws, nothing written")
    quick = parser.parse_args().quick
    rng, rows, draws = np.random.default_rng(1), [], DRAWS // (10 if quick else 1)
    for name in SETS:
        real = pool(name)
        if real is None or real.kind == "classification":
            continue
        keep, near = np.isfinite(real.observed), similarity_of(name)
        replicates = real.replicates[:REPLICATES, keep]
        error = real.observed[keep] - replicates.mean(axis=0)
        made = [draw(error, replicates.std(axis=0, ddof=1), near[keep], rng) for _ in range(draws)]
        shares, widths = (np.mean([one[part] for one in made], axis=0) for part in (0, 1))
        cells = [" / ".join(f"{100 * share:.1f}" for share in row) for row in shares]
        ratio = f"{widths[1] / widths[0]:.2f}"
        rows.append([name, str(error.size // 2), cells[0], cells[1], ratio])
        print(*rows[-1], flush=True)
    heads = ["data", "valid molecules", "plain: far / middle / near", "by class: far / middle / near",
             "width by class over plain"]  # fmt: skip
    text = (
        "## Intervals by distance from the training set\n\n"
        f"`python -m benchmarks.mondrian`. Share (%) of test molecules within intervals of {COVERAGE:.0%}"
        f", by thirds of similarity to the\nnearest training molecule, mean over {draws} draws of valid and "
        "test molecules.\n\n"
    )
    text += table(heads, rows)
    print(text)
    if not quick:
        write_section("mondrian", text)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
