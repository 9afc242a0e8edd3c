"""Do the statements hold where users look? Lists, single molecules, decisions, other averages, intervals.

    python -m benchmarks.coverage_lists            about three minutes on one core
    python -m benchmarks.coverage_lists --quick    a twentieth of the experiments, nothing written

Simulated replicates are random functions of simulated molecules: molecules of a scaffold move together, and
those far from the training set move three times as much. Every figure has its Monte Carlo error.
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special
from threadpoolctl import threadpool_limits

from benchmarks.results import table, write_section
from manywalks.ensemble.intervals import calibration
from manywalks.params.sections.cut import Cut
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.combine import Combining, combine
from manywalks.replicates.statistics.best import best_of, candidates_of
from manywalks.replicates.statistics.bound import difference_bound, molecule_bounds
from manywalks.replicates.statistics.decisions import difference_error, flip_chances, most_flips
from manywalks.replicates.statistics.list_sums import ListSums

COUNTS = (2, 4, 8, 16, 32, 64)
DIRECTIONS, SCAFFOLDS, MOLECULES = 40, 100, 4000
EXPERIMENTS, RETRAININGS = 1000, 4
CUT = Cut(low=0.5)
# the best ones of a list, and how many molecules it has
BEST, LIST, WANTED = 20, 400, EndpointParams()
VALID = (30, 50, 100, 1000)
Rows = Callable[["World", np.random.Generator], np.ndarray]


class World(NamedTuple):
    """Molecules (n): loadings (n, k) of the random directions, true values, scaffolds, and which are far."""

    loadings: np.ndarray
    centre: np.ndarray
    scaffold: np.ndarray
    far: np.ndarray

    def replicates(self, rng: np.random.Generator, m: int, rows: np.ndarray, rare: float = 0.0) -> np.ndarray:
        """(m, n) replicates at some molecules; a share `rare` of them is shifted by 5 SD in one direction."""
        z = rng.standard_normal((m, DIRECTIONS))
        z[:, 0] += 5 * (rng.random(m) < rare)
        own = 0.3 * self.loadings[rows].std(axis=1)
        return self.centre[rows] + z @ self.loadings[rows].T + own * rng.standard_normal((m, rows.size))


def world() -> World:
    """The molecules, the same in every run."""
    rng = np.random.default_rng(5)
    spectrum = 1 / np.sqrt(np.arange(1.0, DIRECTIONS + 1))
    scaffold = np.arange(MOLECULES) % SCAFFOLDS
    shared, alone = rng.normal(size=(SCAFFOLDS, DIRECTIONS)), rng.normal(size=(MOLECULES, DIRECTIONS))
    far = rng.random(MOLECULES) < 0.25
    scale = 0.1 * np.exp(0.4 * rng.normal(size=MOLECULES)) * np.where(far, 3.0, 1.0)
    loadings = (shared[scaffold] + alone) * spectrum * scale[:, None]
    return World(loadings, rng.normal(size=MOLECULES), scaffold, far)


def some(size: int, where: Callable[[World], np.ndarray]) -> Rows:
    """So many of the molecules that `where` names."""
    return lambda here, rng: rng.choice(np.flatnonzero(where(here)), size, replace=False)


LISTS: dict[str, Rows] = {
    "20 molecules": some(20, lambda here: here.scaffold < 50),
    "100 molecules": some(100, lambda here: here.scaffold < 50),
    "100 far ones": some(100, lambda here: here.far),
    "100 of other scaffolds": some(100, lambda here: here.scaffold >= 50),
    "one series of 20": lambda here, rng: rng.choice(
        np.flatnonzero(here.scaffold == rng.integers(SCAFFOLDS)), 20, replace=False
    ),
}


def cell(shares: list[float]) -> str:
    """Percent, with its Monte Carlo error."""
    values = 100 * np.array(shares)
    return f"{values.mean():.1f} ± {values.std(ddof=1) / np.sqrt(values.size):.1f}"


def rms(difference: np.ndarray) -> np.ndarray:
    """Root mean square over the last axis."""
    return np.sqrt(np.mean(difference**2, axis=-1))


def list_row(here: World, rows_of: Rows, times: int, rng: np.random.Generator) -> list[str]:
    """Coverage by number of replicates of the bound at the list itself."""
    cells = []
    for m in COUNTS:
        held = []
        for _ in range(times):
            rows = rows_of(here, rng)
            seen = here.replicates(rng, m, rows)
            others = here.replicates(rng, m * RETRAININGS, rows).reshape(RETRAININGS, m, -1).mean(axis=1)
            held.append(float(np.mean(rms(others - seen.mean(axis=0)) <= difference_bound(seen).bound)))
        cells.append(cell(held))
    return cells


def molecule_row(here: World, times: int, rng: np.random.Generator) -> list[str]:
    """Coverage of each molecule's own bound."""
    cells = []
    for m in COUNTS:
        held = []
        for _ in range(times):
            rows = LISTS["20 molecules"](here, rng)
            seen, other = (here.replicates(rng, m, rows) for _ in range(2))
            apart = np.abs(seen.mean(axis=0) - other.mean(axis=0))
            held.append(float(np.mean(apart <= molecule_bounds(seen))))
        cells.append(cell(held))
    return cells


def average_row(
    here: World, how: Combining, times: int, rng: np.random.Generator, rare: float = 0.0
) -> list[str]:
    """Coverage at lists of 100 where replicates are combined in another way, or some are rare outcomes."""
    cells = []
    for m in COUNTS:
        held = []
        for _ in range(times):
            rows = LISTS["100 molecules"](here, rng)
            seen, other = (here.replicates(rng, m, rows, rare) for _ in range(2))
            if how.logits:
                seen, other = special.expit(2 * seen), special.expit(2 * other)
            apart = rms(combine(seen, how) - combine(other, how))
            held.append(float(apart <= difference_bound(seen, how=how).bound))
        cells.append(cell(held))
    return cells


def decision_rows(here: World, times: int, rng: np.random.Generator) -> list[list[str]]:
    """Decisions at a cut-off over lists of 100, by number of replicates."""
    rows_of_table = []
    for m in COUNTS:
        expected, differ, within, chances, turned = [], [], [], [], []
        for _ in range(times):
            rows = LISTS["100 molecules"](here, rng)
            seen, other = (here.replicates(rng, m, rows) for _ in range(2))
            centre = seen.mean(axis=0)
            sums = ListSums.of(seen, centre, CUT)
            otherwise = CUT.selects(other.mean(axis=0)) != CUT.selects(centre)
            most = most_flips(sums.flips, sums.flips_variance, sums.near, 0.95, molecules=rows.size)
            expected.append(sums.flips)
            differ.append(otherwise.sum())
            within.append(float(otherwise.sum() <= most))
            error = difference_error(seen.std(axis=0, ddof=1), m)
            chances.append(flip_chances(centre, error, CUT, m))
            turned.append(otherwise)
        chance, flips = np.concatenate(chances), np.concatenate(turned).astype(float)
        cells = [f"{np.mean(expected):.2f}", f"{np.mean(differ):.2f}", cell(within)]
        for low, high in ((0.05, 0.15), (0.15, 0.3), (0.3, 0.5)):
            own = (chance >= low) & (chance < high)
            cells.append(f"{100 * chance[own].mean():.1f}: {cell(flips[own].tolist())}")
        rows_of_table.append([str(m), *cells])
    return rows_of_table


def best_rows(here: World, times: int, rng: np.random.Generator) -> list[list[str]]:
    """The best 20 of lists of 400, by number of replicates."""
    found = []
    for m in COUNTS:
        stated, replaced, within, chances, stayed = [], [], [], [], []
        for _ in range(times):
            rows = rng.choice(MOLECULES, LIST, replace=False)
            seen, other = (here.replicates(rng, m, rows) for _ in range(2))
            names = [str(place) for place in range(LIST)]
            kept = candidates_of(names, seen.mean(axis=0), seen, WANTED, BEST)
            best = best_of(kept, WANTED, BEST, 0.95, rng)
            theirs = set(np.argsort(-other.mean(axis=0))[:BEST].astype(str))
            mine = best.smiles[:BEST].tolist()
            stated.append(best.expected)
            replaced.append(len(set(mine) - theirs))
            within.append(float(replaced[-1] <= best.most))
            chances.append(best.chance[:BEST])
            stayed.append([name in theirs for name in mine])
        chance, came = np.concatenate(chances), np.concatenate(stayed).astype(float)
        cells = [f"{np.mean(stated):.2f}", f"{np.mean(replaced):.2f}", cell(within)]
        for low, high in ((0.3, 0.5), (0.5, 0.7), (0.7, 0.9)):
            own = (chance >= low) & (chance < high)
            cells.append(f"{100 * chance[own].mean():.1f}: {cell(came[own].tolist())}")
        found.append([str(m), *cells])
    return found


def interval_rows(times: int, rng: np.random.Generator) -> list[list[str]]:
    """Coverage of intervals of 90 %, by number of valid molecules."""
    found = []
    for n in VALID:
        held = []
        for _ in range(times if n < 1000 else max(times // 4, 2)):
            parts = []
            for size in (n, 200):
                spread = rng.gamma(4, 0.1, size=size)
                parts.append((spread, rng.standard_normal(size) * np.sqrt(0.5 + 2 * spread**2)))
            (spread, error), (new_spread, new_error) = parts
            fitted = calibration.fit(error, np.zeros(n), spread, "regression")
            low, high = fitted.interval(np.zeros(200), new_spread, 0.9)
            held.append(float(np.mean((low <= new_error) & (new_error <= high))))
        found.append([str(n), f"{100 * np.ceil((n + 1) * 0.9) / (n + 1):.1f}", cell(held)])
    return found


TEXT = """
## Coverage where users look

`python -m benchmarks.coverage_lists`. At nominal 95 %: the share (%) of retrained ensembles within the
bound that is made from the replicates' predictions at the list itself, over {times} experiments a cell with
up to {retrainings} retrainings each, ± Monte Carlo error. Simulated molecules: {scaffolds} scaffolds whose
molecules move together; a quarter of the molecules is far from the training set and moves three times as
much.

{lists}

Below 8 replicates the statement says that it is rough. Replicates with rare outcomes are a limit: no bound
from a few replicates can see them ([statement](../docs/statement.md#what-can-it-not-see)).

Decisions at a cut-off, lists of 100: how many are expected to differ and do, how often (%) no more differ
than the number stated with 95 % confidence, and at single molecules the stated chance (%) and how often
decisions really differed.

{decisions}

The best 20 of lists of 400: how many a retrained ensemble is expected to replace and does, how often (%) no
more are replaced than stated with 95 % confidence, and the stated chance (%) that a molecule stays, beside
how often it did.

{best}

Intervals of 90 % at new molecules, by number of valid molecules:

{intervals}
"""


def main() -> None:
    """Measure, print, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="a twentieth of the experiments, nothing written"
    )
    quick = parser.parse_args().quick
    times, rng, here = EXPERIMENTS // (20 if quick else 1), np.random.default_rng(1), world()
    lists = [[name, *list_row(here, rows_of, times, rng)] for name, rows_of in LISTS.items()]
    lists.append(["one molecule (`e:bound`)", *molecule_row(here, times, rng)])
    for name, how in {
        "100 molecules, median": Combining("median"),
        "100 molecules, trimmed": Combining("trimmed"),
        "100 molecules, averaged logits": Combining(logits=True),
    }.items():
        lists.append([name, *average_row(here, how, times, rng)])
    rare = average_row(here, Combining(), times, rng, rare=0.05)
    lists.append(["100 molecules, 5 % of replicates shifted by 5 SD", *rare])
    heads = ["M", "expected", "differ", "within the number", "chance 5 to 15 %", "15 to 30 %", "30 to 50 %"]
    text = TEXT.format(
        times=times,
        retrainings=RETRAININGS,
        scaffolds=SCAFFOLDS,
        lists=table(["list", *(f"M = {m}" for m in COUNTS)], lists),
        decisions=table(heads, decision_rows(here, times, rng)),
        best=table(
            [
                "M",
                "expected",
                "replaced",
                "within the number",
                "chance 30 to 50 %",
                "50 to 70 %",
                "70 to 90 %",
            ],
            best_rows(here, times // 2, rng),
        ),
        intervals=table(["valid molecules", "should be", "coverage"], interval_rows(times, rng)),
    )
    print(text)
    if not quick:
        write_section("coverage-lists", text)


if __name__ == "__main__":
    with threadpool_limits(1):  # small fits: threads of BLAS would only wait for each other
        main()
