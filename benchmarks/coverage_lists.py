"""Does the bound hold where users look? Lists, single molecules, other ways of averaging, rare trainings.

    python -m benchmarks.coverage_lists            about two minutes
    python -m benchmarks.coverage_lists --quick    a twentieth of the experiments, nothing written

Simulated replicates are random functions of simulated molecules: molecules of a scaffold move together, and
those far from the training set move three times as much. Every figure has its Monte Carlo error.
"""

from functools import partial

import numpy as np
from scipy import special

from benchmarks.experiments import main, on_all_cores, percent, rms
from benchmarks.results import table
from benchmarks.simulated_lists import COUNTS, ELSEWHERE, LISTS, SCAFFOLDS, World, like_reference, world
from manywalks.replicates.combine import Combining, combine
from manywalks.replicates.statistics.bound import difference_bound, molecule_bounds

EXPERIMENTS, RETRAININGS = 1000, 4
# valid and test molecules that the statement's bound is made at
REFERENCE = 500


def list_row(here: World, name: str, times: int, rng: np.random.Generator) -> list[str]:
    """Coverage by number of replicates of the bound at the list itself."""
    cells = [name]
    for m in COUNTS:
        held = []
        for _ in range(times):
            rows = LISTS[name](here, rng)
            seen = here.replicates(rng, m, rows)
            others = here.replicates(rng, m * RETRAININGS, rows).reshape(RETRAININGS, m, -1).mean(axis=1)
            held.append(float(np.mean(rms(others - seen.mean(axis=0)) <= difference_bound(seen).bound)))
        cells.append(percent(held))
    return cells


def molecule_row(here: World, times: int, rng: np.random.Generator) -> list[str]:
    """Coverage of each molecule's own bound."""
    cells = ["one molecule (`e:bound`)"]
    for m in COUNTS:
        held = []
        for _ in range(times):
            rows = LISTS["20 molecules"](here, rng)
            seen, other = (here.replicates(rng, m, rows) for _ in range(2))
            apart = np.abs(seen.mean(axis=0) - other.mean(axis=0))
            held.append(float(np.mean(apart <= molecule_bounds(seen))))
        cells.append(percent(held))
    return cells


def average_row(here: World, name: str, how: Combining, times: int, rng: np.random.Generator) -> list[str]:
    """Coverage at lists of 100 where replicates are combined in another way."""
    cells = [f"100 molecules, {name}"]
    for m in COUNTS:
        held = []
        for _ in range(times):
            rows = LISTS["100 molecules"](here, rng)
            seen, other = (here.replicates(rng, m, rows) for _ in range(2))
            if how.logits:
                seen, other = special.expit(2 * seen), special.expit(2 * other)
            apart = rms(combine(seen, how) - combine(other, how))
            held.append(float(apart <= difference_bound(seen, how=how).bound))
        cells.append(percent(held))
    return cells


def rare_row(here: World, far: bool, times: int, rng: np.random.Generator) -> list[str]:
    """Coverage where 5 % of the trainings end elsewhere: by 5 SD of one direction, or of all together."""
    cells = [f"100 molecules, 5 % of replicates shifted by 5 {'spreads' if far else 'SD of one direction'}"]
    for m in COUNTS:
        held = []
        for _ in range(times):
            rows = LISTS["100 molecules"](here, rng)
            one = here.loadings[rows, 0]
            # the root mean square of the shift over the list is five times the spread there
            size = 5 * here.spread(rows) / rms(one) if far else 5.0
            ensembles = []
            for _ in range(2):
                shifted = (rng.random(m) < 0.05)[:, None] * size * one
                ensembles.append(here.replicates(rng, m, rows) + shifted)
            apart = rms(ensembles[0].mean(axis=0) - ensembles[1].mean(axis=0))
            held.append(float(apart <= difference_bound(ensembles[0]).bound))
        cells.append(percent(held))
    return cells


def elsewhere_row(here: World, name: str, times: int, rng: np.random.Generator) -> list[str]:
    """How often the bound made at the valid and test molecules holds at another list."""
    cells = [name]
    reference = np.flatnonzero(like_reference(here))
    for m in COUNTS[2:]:
        held = []
        for _ in range(times):
            known = rng.choice(reference, REFERENCE, replace=False)
            rows = ELSEWHERE[name](here, rng)
            both = np.concatenate([known, rows])
            seen = here.replicates(rng, m, both)
            others = here.replicates(rng, m * RETRAININGS, rows).reshape(RETRAININGS, m, -1).mean(axis=1)
            bound = difference_bound(seen[:, :REFERENCE]).bound
            apart = others - seen[:, REFERENCE:].mean(axis=0)
            away = np.abs(apart) if name == "one molecule" else rms(apart)
            held.append(float(np.mean(away <= bound)))
        cells.append(percent(held))
    return cells


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

The bound of the statement is made at the valid and test molecules (here {reference}, half of the scaffolds,
none of the far molecules). How often (%) it holds at other lists, which is not promised:

{elsewhere}
"""


def sections(share: int) -> dict[str, str]:
    """Both tables."""
    times, here = EXPERIMENTS // share, world()
    rows = [partial(list_row, here, name, times) for name in LISTS]
    rows.append(partial(molecule_row, here, times))
    ways = {
        "median": Combining("median"),
        "trimmed": Combining("trimmed"),
        "averaged logits": Combining(logits=True),
    }
    rows += [partial(average_row, here, name, how, times) for name, how in ways.items()]
    rows += [partial(rare_row, here, far, times) for far in (False, True)]
    others = [partial(elsewhere_row, here, name, times) for name in ELSEWHERE]
    text = TEXT.format(
        times=times,
        retrainings=RETRAININGS,
        scaffolds=SCAFFOLDS,
        reference=REFERENCE,
        lists=table(["list", *(f"M = {m}" for m in COUNTS)], on_all_cores(rows)),
        elsewhere=table(["list", *(f"M = {m}" for m in COUNTS[2:])], on_all_cores(others)),
    )
    return {"coverage-lists": text}


if __name__ == "__main__":
    main(__doc__, sections)
