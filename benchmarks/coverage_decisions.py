"""Do statements about decisions hold, and intervals? Cut-offs, the best molecules, new molecules.

    python -m benchmarks.coverage_decisions            about a minute
    python -m benchmarks.coverage_decisions --quick    a twentieth of the experiments, nothing written

Replicates and molecules are those of benchmarks/simulated_lists.py.
"""

import itertools
from collections.abc import Sequence
from functools import partial

import numpy as np

from benchmarks.experiments import main, on_all_cores, percent
from benchmarks.results import table
from benchmarks.simulated_lists import COUNTS, LISTS, MOLECULES, World, world
from manywalks.ensemble.intervals import calibration
from manywalks.params.sections.cut import Cut
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.statistics.best import best_of, candidates_of
from manywalks.replicates.statistics.decisions import difference_error, flip_chances, most_flips
from manywalks.replicates.statistics.list_sums import ListSums

EXPERIMENTS = 1000
CUT = Cut(low=0.5)
# the best ones of a list, and how many molecules it has
BEST, LIST, WANTED = 20, 400, EndpointParams()
VALID = (30, 50, 100, 1000)


def decision_row(here: World, m: int, times: int, rng: np.random.Generator) -> list[str]:
    """Decisions at a cut-off over lists of 100, of m replicates."""
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
    cells = [f"{np.mean(expected):.2f}", f"{np.mean(differ):.2f}", percent(within)]
    return [str(m), *cells, *_came(chance, flips, (0.05, 0.15, 0.3, 0.5))]


def _came(chance: np.ndarray, came: np.ndarray, edges: Sequence[float]) -> list[str]:
    """Between edges of the stated chance (n,), its mean and how often it came true, in per cent."""
    cells = []
    for low, high in itertools.pairwise(edges):
        own = (chance >= low) & (chance < high)
        cells.append(f"{100 * chance[own].mean():.1f}: {percent(came[own].tolist())}")
    return cells


def best_row(here: World, m: int, times: int, rng: np.random.Generator) -> list[str]:
    """The best 20 of lists of 400, of m replicates."""
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
    cells = [f"{np.mean(stated):.2f}", f"{np.mean(replaced):.2f}", percent(within)]
    return [str(m), *cells, *_came(chance, came, (0.3, 0.5, 0.7, 0.9))]


def interval_row(n: int, times: int, rng: np.random.Generator) -> list[str]:
    """Coverage of intervals of 90 %, with n valid molecules."""
    held = []
    for _ in range(times):
        parts = []
        for size in (n, 200):
            spread = rng.gamma(4, 0.1, size=size)
            parts.append((spread, rng.standard_normal(size) * np.sqrt(0.5 + 2 * spread**2)))
        (spread, error), (new_spread, new_error) = parts
        fitted = calibration.fit(error, np.zeros(n), spread, "regression")
        low, high = fitted.interval(np.zeros(200), new_spread, 0.9)
        held.append(float(np.mean((low <= new_error) & (new_error <= high))))
    return [str(n), f"{100 * np.ceil((n + 1) * 0.9) / (n + 1):.1f}", percent(held)]


TEXT = """
## Coverage of decisions and intervals

`python -m benchmarks.coverage_decisions`. Decisions at a cut-off, lists of 100: how many are expected to
differ and do, how often (%) no more differ than the number stated with 95 % confidence, and at single
molecules the stated chance (%) and how often decisions really differed; {times} lists a line, ± Monte Carlo
error.

{decisions}

The best {best_count} of lists of {list_size}: how many a retrained ensemble is expected to replace and does,
how often (%) no more are replaced than stated with 95 % confidence, and the stated chance (%) that a molecule
stays, beside how often it did.

{best}

Intervals of 90 % at new molecules, by number of valid molecules:

{intervals}
"""


def sections(share: int) -> dict[str, str]:
    """The three tables."""
    times, here = EXPERIMENTS // share, world()
    heads = ["M", "expected", "differ", "within the number", "chance 5 to 15 %", "15 to 30 %", "30 to 50 %"]
    best = ["M", "expected", "replaced", "within the number", "chance 30 to 50 %", "50 to 70 %", "70 to 90 %"]
    valid = ["valid molecules", "should be", "coverage"]
    text = TEXT.format(
        times=times,
        best_count=BEST,
        list_size=LIST,
        decisions=table(heads, on_all_cores([partial(decision_row, here, m, times) for m in COUNTS])),
        best=table(best, on_all_cores([partial(best_row, here, m, times) for m in COUNTS])),
        intervals=table(valid, on_all_cores([partial(interval_row, n, times) for n in VALID])),
    )
    return {"coverage-decisions": text}


if __name__ == "__main__":
    main(__doc__, sections)
