"""Does the bound hold, and is it tight? Simulated replicates of known covariance, and pools of real ones.

    python -m benchmarks.coverage            all of it, some 15 minutes on one core
    python -m benchmarks.coverage bound      the bound alone; `metrics`: those of metrics alone
    python -m benchmarks.coverage --quick    a tenth of the experiments, nothing written

An experiment makes an ensemble, bounds how far a retrained one will be, makes others and looks.
"""

import argparse
import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

from benchmarks.pools import SETS, Pool, pool
from benchmarks.results import table, write_section
from benchmarks.simulated import Setting, draw, mean_replicates, settings
from manywalks.evaluate import scores
from manywalks.evaluate.statement.pairs import ensemble_pairs, metric_differences
from manywalks.replicates.statistics.bound import difference_bound, replicates_needed
from manywalks.replicates.statistics.spectrum import Moments, covariance_moments
from manywalks.replicates.stopping import Stopping, planned_looks

COUNTS = (2, 4, 8, 16, 32, 64)
# true needs that the adaptive runs are given a tolerance for
NEEDS = (8, 12, 20, 40)
METRIC_NEEDS = (12, 20)
MOST = 96
RETRAININGS = 8
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
    outcomes = [experiment(rng) for _ in range(times)]
    within = 100 * np.array([np.mean(o.differences <= o.bound) for o in outcomes])
    held = f"{within.mean():.1f} ± {within.std(ddof=1) / np.sqrt(times):.1f}"
    apart = [o.differences if o.apart is None else o.apart for o in outcomes]
    true = np.quantile(np.concatenate(apart), 0.95)
    return outcomes, held, float(np.median([o.bound for o in outcomes]) / true)


def rms(difference: np.ndarray) -> np.ndarray:
    """Root mean square over the last axis."""
    return np.sqrt(np.mean(difference**2, axis=-1))


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


def metric_of(name: str, observed: np.ndarray) -> Callable[[np.ndarray], scores.Metrics]:
    """One metric of predictions (n,) without ties, fast: metrics.py takes ten times as long for the ranks."""
    keep = np.isfinite(observed)
    y = observed[keep]
    ranks = stats.rankdata(y)
    centred = (ranks - ranks.mean()) / np.linalg.norm(ranks - ranks.mean())
    ones, places = np.flatnonzero(y > 0.5), np.arange(1.0, y.size + 1)
    scale = np.linalg.norm(places - places.mean())

    def score(predicted: np.ndarray) -> scores.Metrics:
        f = predicted[keep]
        if name == "rmse":
            return {name: float(np.sqrt(np.mean((f - y) ** 2)))}
        rank = np.empty_like(places)
        rank[np.argsort(f)] = places
        if name == "auroc":
            below = rank[ones].sum() - ones.size * (ones.size + 1) / 2
            return {name: float(below / (ones.size * (y.size - ones.size)))}
        return {name: float(centred @ rank / scale)}

    return score


def real_metric(pool: Pool, name: str, count: int | None, need: int = 0) -> Experiment:
    """A metric's bound from `count` replicates (or as many as the rule asks for) against others."""
    replicates, score = pool.replicates, metric_of(name, pool.observed)
    tolerance = tolerance_for(known_moments(replicates), need) if count is None else 1.0

    def experiment(rng: np.random.Generator) -> Outcome:
        order = rng.permutation(len(replicates))
        m = planned_looks(replicates[order[:MOST]], Stopping(tolerance, maximum=MOST, count=count))[-1]
        groups = order[: len(replicates) // m * m].reshape(-1, m)
        values = np.array([score(replicates[group].mean(axis=0))[name] for group in groups], dtype=float)
        pairs = ensemble_pairs(replicates[groups[0]])
        found = metric_differences(pairs, score, m, 0.95, adaptive=count is None)[name]
        # of 8 retrainings an experiment, the percentile of a metric's difference would be 2 % unsure
        apart = np.abs(values[:, None] - values)[np.triu_indices(len(values), 1)]
        return Outcome(found["bound"] if found else np.nan, np.abs(values[1:] - values[0]), m, apart=apart)

    return experiment


def fixed_cells(experiments: list[Experiment], times: int, rng: np.random.Generator) -> list[str]:
    """Coverage and tightness of each, as "95.3 ± 0.4 (1.04)"."""
    cells = []
    for experiment in experiments:
        _, held, tight = repeat(experiment, times, rng)
        cells.append(f"{held} ({tight:.2f})")
    return cells


def adaptive_cells(experiments: list[Experiment], times: int, rng: np.random.Generator) -> list[str]:
    """Coverage, replicates and looks of each, as "95.3 ± 0.4 (14.2 in 2.1)"."""
    cells = []
    for experiment in experiments:
        outcomes, held, _ = repeat(experiment, times, rng)
        count, looks = (np.mean([o.replicates for o in outcomes]), np.mean([o.looks for o in outcomes]))
        cells.append(f"{held} ({count:.1f} in {looks:.1f})")
    return cells


def metric_rows(pools: list[Pool], times: int, rng: np.random.Generator) -> list[list[str]]:
    """Coverage and tightness of the metrics' bounds, one row per data set and metric."""
    rows = []
    for each in pools:
        for name in ("auroc",) if each.kind == "classification" else ("rmse", "spearman"):
            experiments = [real_metric(each, name, m) for m in COUNTS]
            experiments += [real_metric(each, name, None, need) for need in METRIC_NEEDS]
            rows.append([each.name, name, *fixed_cells(experiments, times, rng)])
            print(rows[-1], flush=True)
    return rows


def bound_section(pools: list[Pool], times: int, rng: np.random.Generator) -> str:
    """Tables of the bound on the difference."""
    fixed, adaptive = [], []
    for s in settings():
        name = [s.name, f"{s.nu:.1f}"]
        fixed.append([*name, *fixed_cells([simulated_fixed(s, m) for m in COUNTS], times, rng)])
        adaptive.append([*name, *adaptive_cells([simulated_adaptive(s, m) for m in NEEDS], times, rng)])
        print(fixed[-1], adaptive[-1], flush=True)
    for each in pools:
        name = [f"{each.name} (real)", f"{difference_bound(each.replicates).nu:.1f}"]
        fixed.append([*name, *fixed_cells([real_fixed(each.replicates, m) for m in COUNTS], times, rng)])
        adaptive.append(
            [*name, *adaptive_cells([real_adaptive(each.replicates, m) for m in NEEDS], times, rng)]
        )
        print(fixed[-1], adaptive[-1], flush=True)
    return BOUND.format(
        times=times,
        retrainings=RETRAININGS,
        most=MOST,
        fixed=table(["replicates", "nu", *(f"M = {m}" for m in COUNTS)], fixed),
        adaptive=table(["replicates", "nu", *(f"need {m}" for m in NEEDS)], adaptive),
    )


def metric_section(pools: list[Pool], times: int, rng: np.random.Generator) -> str:
    """Table of the bounds on metrics' differences."""
    header = [
        "data",
        "metric",
        *(f"M = {m}" for m in COUNTS),
        *(f"need {m}" for m in METRIC_NEEDS),
    ]
    return METRIC.format(times=times, metrics=table(header, metric_rows(pools, times, rng)))


BOUND = """
## Coverage of the bound

`python -m benchmarks.coverage bound`. At nominal 95 %: the share (%) of retrained ensembles within the
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

METRIC = """
## Coverage of the metrics' bounds

`python -m benchmarks.coverage metrics`. How far a metric of two retrained ensembles is apart, against its
bound at nominal 95 %: coverage (%) over {times} experiments a cell on the real replicates above, ± Monte
Carlo error, in brackets the median bound over the true 95th percentile (of all pairs of ensembles drawn); at
the right, with replicates chosen by looking.

{metrics}
"""

SECTIONS = {"bound": (bound_section, "coverage", 1000), "metrics": (metric_section, "coverage-metrics", 500)}


def main() -> None:
    """Measure, print, and write the sections of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="bound, metrics (default: both)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the experiments, nothing written")
    asked = parser.parse_args()
    pools = [found for name in SETS if (found := pool(name)) is not None]
    for part in asked.parts or SECTIONS:
        section, name, times = SECTIONS[part]
        text = section(pools, times // 10 if asked.quick else times, np.random.default_rng(1))
        print(text)
        if not asked.quick:
            write_section(name, text)


if __name__ == "__main__":
    with threadpool_limits(1):  # small arrays: threads of BLAS would only wait for each other
        main()
