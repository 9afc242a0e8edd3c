"""Does the bound hold, and is it tight? Simulated replicates of known covariance, and pools of real ones.

    python -m benchmarks.coverage            about five minutes on two cores
    python -m benchmarks.coverage --quick    a twentieth of the experiments, nothing written

An experiment makes an ensemble, bounds how far a retrained one will be, makes others and looks.
`python -m benchmarks.coverage_all` runs every script that measures coverage.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.experiments import main, on_all_cores, percent, rms
from benchmarks.pools import all_pools
from benchmarks.results import table
from benchmarks.simulated import Setting, draw, mean_replicates, settings
from manywalks.replicates.statistics.bound import difference_bound, replicates_needed
from manywalks.replicates.statistics.spectrum import Moments, covariance_moments
from manywalks.replicates.statistics.stopping import Stopping, planned_looks

COUNTS = (2, 4, 8, 16, 32, 64)
# true needs that the adaptive runs are given a tolerance for
NEEDS = (8, 12, 20, 40)
MOST = 96
RETRAININGS = 8
# experiments of a cell
TIMES = 1000
Experiment = Callable[[np.random.Generator], "Outcome"]


class Outcome(NamedTuple):
    """One experiment: the bound, how far retrained ensembles were (k,), replicates, looks.

    `apart`, where given, is how far any two such ensembles were, for the true percentile.
    """

    bound: float
    differences: np.ndarray
    replicates: int = 0
    looks: int = 0
    apart: np.ndarray | None = None


def repeat(experiment: Experiment, times: int, rng: np.random.Generator) -> tuple[list[Outcome], str, float]:
    """Outcomes, percent of retrainings within the bound, median bound over the differences' 95th percentile.

    The percentage has its Monte Carlo error: that of a mean of independent experiments.
    """
    made = [experiment(rng) for _ in range(times)]
    outcomes = [
        one for one in made if np.isfinite(one.bound)
    ]  # 2 replicates may take no step of a rank metric
    held = percent([float(np.mean(o.differences <= o.bound)) for o in outcomes])
    apart = [o.differences if o.apart is None else o.apart for o in outcomes]
    true = np.quantile(np.concatenate(apart), 0.95)
    return outcomes, held, float(np.median([o.bound for o in outcomes]) / true)


def simulated_fixed(setting: Setting, m: int) -> Experiment:
    """m replicates, bounded, against fresh ensembles of m."""

    def experiment(rng: np.random.Generator) -> Outcome:
        replicates = draw(rng, m, setting)
        others = mean_replicates(rng, m, setting, RETRAININGS)
        return Outcome(difference_bound(replicates).bound, rms(replicates.mean(axis=0) - others))

    return experiment


def simulated_adaptive(setting: Setting, need: int) -> Experiment:
    """As many replicates as the rule asks for, where `need` would do if the covariance were known."""
    third = float((setting.spectrum**3).sum() / setting.spectrum.sum() ** 3)
    tolerance = tolerance_for(Moments(10**6, 1.0, 1 / setting.nu, third), need)

    def experiment(rng: np.random.Generator) -> Outcome:
        replicates = draw(rng, MOST, setting)
        looks = planned_looks(replicates, Stopping(tolerance, maximum=MOST))
        seen = replicates[: looks[-1]]
        others = mean_replicates(rng, looks[-1], setting, RETRAININGS)
        bound = difference_bound(seen, adaptive=True).bound
        return Outcome(bound, rms(seen.mean(axis=0) - others), looks[-1], len(looks))

    return experiment


def tolerance_for(known: Moments, need: int) -> float:
    """The tolerance that takes about `need` replicates."""
    low, high = 1e-4 * known.variance**0.5, 10 * known.variance**0.5
    for _ in range(40):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if replicates_needed(known, middle) <= need else (middle, high)
    return high


def known_moments(replicates: np.ndarray) -> Moments:
    """The covariance_moments of a whole pool, as if they were known."""
    return dataclasses.replace(covariance_moments(replicates), replicates=10**6)


def real_fixed(replicates: np.ndarray, m: int) -> Experiment:
    """m replicates of the pool against others of it, none in both."""

    def experiment(rng: np.random.Generator) -> Outcome:
        order = rng.permutation(len(replicates))
        groups = order[: len(replicates) // m * m].reshape(-1, m)[: RETRAININGS + 1]
        means = replicates[groups].mean(axis=1)
        return Outcome(difference_bound(replicates[groups[0]]).bound, rms(means[0] - means[1:]))

    return experiment


def real_adaptive(replicates: np.ndarray, need: int) -> Experiment:
    """As many replicates of the pool as the rule asks for, against as many others of it."""
    tolerance = tolerance_for(known_moments(replicates), need)

    def experiment(rng: np.random.Generator) -> Outcome:
        order = rng.permutation(len(replicates))
        looks = planned_looks(replicates[order[:MOST]], Stopping(tolerance, maximum=MOST))
        m = looks[-1]
        seen, rest = replicates[order[:m]], order[m:]
        groups = rest[: len(rest) // m * m].reshape(-1, m)[:RETRAININGS]
        differences = rms(seen.mean(axis=0) - replicates[groups].mean(axis=1))
        return Outcome(difference_bound(seen, adaptive=True).bound, differences, m, len(looks))

    return experiment


def fixed_row(
    names: list[str], experiments: Callable[[], list[Experiment]], times: int, rng: np.random.Generator
) -> list[str]:
    """Coverage and tightness of each, as "95.3 ± 0.4 (1.04)"."""
    cells = list(names)
    for experiment in experiments():
        _, held, tight = repeat(experiment, times, rng)
        cells.append(f"{held} ({tight:.2f})")
    return cells


def adaptive_row(
    names: list[str], experiments: Callable[[], list[Experiment]], times: int, rng: np.random.Generator
) -> list[str]:
    """Coverage, replicates and looks of each, as "95.3 ± 0.4 (14.2 in 2.1)"."""
    cells = list(names)
    for experiment in experiments():
        outcomes, held, _ = repeat(experiment, times, rng)
        count, looks = (np.mean([o.replicates for o in outcomes]), np.mean([o.looks for o in outcomes]))
        cells.append(f"{held} ({count:.1f} in {looks:.1f})")
    return cells


def simulated_experiments(setting: Setting, adaptive: bool) -> list[Experiment]:
    """One for each number of replicates, or need."""
    if adaptive:
        return [simulated_adaptive(setting, need) for need in NEEDS]
    return [simulated_fixed(setting, m) for m in COUNTS]


def real_experiments(replicates: np.ndarray, adaptive: bool) -> list[Experiment]:
    """One for each number of replicates, or need."""
    if adaptive:
        return [real_adaptive(replicates, need) for need in NEEDS]
    return [real_fixed(replicates, m) for m in COUNTS]


def sections(share: int) -> dict[str, str]:
    """Tables of the bound on the difference."""
    tables = []
    for adaptive, row_of in ((False, fixed_row), (True, adaptive_row)):
        rows = []
        for s in settings():
            experiments = partial(simulated_experiments, s, adaptive)
            rows.append(partial(row_of, [s.name, f"{s.nu:.1f}"], experiments, TIMES // share))
        for each in all_pools():
            names = [f"{each.name} (real)", f"{difference_bound(each.replicates).nu:.1f}"]
            experiments = partial(real_experiments, each.replicates, adaptive)
            rows.append(partial(row_of, names, experiments, TIMES // share))
        heads = [f"need {m}" for m in NEEDS] if adaptive else [f"M = {m}" for m in COUNTS]
        tables.append(table(["replicates", "nu", *heads], on_all_cores(rows)))
    fixed, adaptive_table = tables
    text = TEXT.format(
        times=TIMES // share, retrainings=RETRAININGS, most=MOST, fixed=fixed, adaptive=adaptive_table
    )
    return {"coverage": text}


TEXT = """
## Coverage of the bound

`python -m benchmarks.coverage`. At nominal 95 %: the share (%) of retrained ensembles within the
bound, over {times} experiments a cell with up to {retrainings} retrainings each, ± Monte Carlo error; in
brackets the median bound over the true 95th percentile of the difference. Simulated replicates: 200
molecules, spectra of the replicates' covariance as named. Real replicates: 256 replicates of a 128-64
network on Morgan counts and RDKit descriptors, 40 % of the molecules out of sample; ensembles drawn from
them without overlap.

{fixed}

The number of replicates chosen by looking (8 at first, {most} at most), for tolerances that 8 to 40
replicates of known covariance would meet. In brackets: mean replicates, mean looks.

{adaptive}
"""

if __name__ == "__main__":
    main(__doc__, sections)
