"""Does the bound on how far a metric of a retrained ensemble will be hold? Pools of real replicates.

python -m benchmarks.coverage_metrics            about five minutes on two cores
python -m benchmarks.coverage_metrics --quick    a twentieth of the experiments, nothing written
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import stats

from benchmarks.coverage import COUNTS, MOST, Experiment, Outcome, fixed_row, known_moments, tolerance_for
from benchmarks.experiments import main, on_all_cores
from benchmarks.pools import Pool, all_pools
from benchmarks.results import table
from manywalks.evaluate import scores
from manywalks.evaluate.statement.pairs import ensemble_pairs, metric_differences
from manywalks.replicates.statistics.stopping import Stopping, planned_looks

NEEDS = (12, 20)
# experiments of a cell
TIMES = 500


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


def metric_experiments(real: Pool, name: str) -> list[Experiment]:
    """One for each number of replicates, then one for each need."""
    found = [real_metric(real, name, m) for m in COUNTS]
    return found + [real_metric(real, name, None, need) for need in NEEDS]


TEXT = """
## Coverage of the metrics' bounds

`python -m benchmarks.coverage_metrics`. How far a metric of two retrained ensembles is apart, against its
bound at nominal 95 %: coverage (%) over {times} experiments a cell on the real replicates above, ± Monte
Carlo error, in brackets the median bound over the true 95th percentile (of all pairs of ensembles drawn); at
the right, with replicates chosen by looking.

{metrics}
"""


def sections(share: int) -> dict[str, str]:
    """Table of the bounds on metrics' differences."""
    times, rows = TIMES // share, []
    for each in all_pools():
        for name in ("auroc",) if each.kind == "classification" else ("rmse", "spearman"):
            rows.append(partial(fixed_row, [each.name, name], partial(metric_experiments, each, name), times))
    heads = [*(f"M = {m}" for m in COUNTS), *(f"need {m}" for m in NEEDS)]
    found = table(["data", "metric", *heads], on_all_cores(rows))
    return {"coverage-metrics": TEXT.format(times=times, metrics=found)}


if __name__ == "__main__":
    main(__doc__, sections)
