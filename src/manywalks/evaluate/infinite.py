"""Scores at the infinite ensemble, from m replicates.

A squared error has a closed form: E[MSE_m] = MSE_inf + V/m, V the replicates' variance. So do its root (by
the delta method) and the Brier score. For any other metric the score of ensembles of k of the replicates is a
line in 1/k, to first order, and its value at 0 is read off. Of three ways to do that, measured on simulated
replicates, the weighted line through k = 2, 4 .. m errs least: the jackknife's error is up to 1.7 times as
large where metrics rank (AUROC, Spearman, 16 replicates), and m with m/2 alone is between them.
"""

import math
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from manywalks.evaluate.scores import auroc, certain_errors, endpoint_metrics, spearman
from manywalks.replicates.combine import combine

T = TypeVar("T")
Score = Callable[[np.ndarray], float]
Join = Callable[[np.ndarray], np.ndarray]
CLOSED = ("rmse", "brier")
_PARTITIONS = 8
# scores of the order that predictions put molecules in
_BY_ORDER = ("spearman", "kendall")


class Projected(NamedTuple):
    """One configuration's score on one split.

    Attributes:
        single: scores of the m single replicates (m,).
        ensemble: score of all m together.
        infinite: estimate of the score of infinitely many.
        error: standard error of `infinite` from having m replicates only, and from the line not being one.
        curve: mean score of ensembles of k replicates, by k.
    """

    single: np.ndarray
    ensemble: float
    infinite: float
    error: float
    curve: dict[int, float]


def scorer(observed: np.ndarray, relation: np.ndarray, *, metric: str, kind: str, threshold: float) -> Score:
    """The metric as a function of predictions (n,); a ValueError says where it is not defined."""

    def score(predicted: np.ndarray) -> float:
        if metric == "rmse":
            return float(np.sqrt(np.mean(certain_errors(observed, predicted, relation) ** 2)))
        if metric == "mae":
            return float(np.mean(np.abs(certain_errors(observed, predicted, relation))))
        if metric == "auroc":
            found = auroc(observed > 0.5, predicted)
        elif metric == "spearman":
            exact = (relation != "<") & (relation != ">")
            found = spearman(observed[exact], predicted[exact])
        else:
            every = endpoint_metrics(observed, predicted, kind=kind, relation=relation, threshold=threshold)
            found = every[metric]
        if found is None and metric in _BY_ORDER and np.ptp(predicted) == 0 and np.ptp(observed) > 0:
            return 0.0  # a replicate that predicts one value for all puts nothing in order
        if found is None:
            raise ValueError(
                f"{metric} is not defined on the test molecules of a split ({len(observed)} measured, one "
                "value or one class); use fewer folds, split.method stratified, or another --metric"
            )
        return found

    return score


def project(
    replicates: np.ndarray, observed: np.ndarray, score: Score, *, closed: str | None, join: Join = combine
) -> Projected:
    """Project the score of (m, n) replicates at (n,) measured values.

    Args:
        replicates: in endpoint units, m >= 2.
        observed: (n,), none of them NaN.
        score: of (n,) predictions.
        closed: "rmse" or "brier" where the closed form holds (no censored value, mean of the replicates).
        join: (k, n) replicates -> (n,), as the ensemble has it.
    """
    replicates = np.asarray(replicates, dtype=np.float64)
    single = np.array([score(replicate) for replicate in replicates])
    curve = subset_scores(replicates, score, join)
    if closed is not None:
        infinite, error = closed_form(replicates, observed, root=closed == "rmse")
        error = error if math.isfinite(error) else 0.0  # of two replicates, whose scatter nobody can tell
    else:
        infinite, error = extrapolated(replicates, score, curve, join)
    return Projected(single, curve[len(replicates)], infinite, error, curve)


def closed_form(replicates: np.ndarray, observed: np.ndarray, *, root: bool) -> tuple[float, float]:
    """MSE of infinitely many of (m, n) replicates (its root where `root`), and its standard error.

    The mean over pairs of different replicates of the mean product of their errors has that expectation, so
    all comes from the errors' Gram matrix. The standard error is the jackknife's over replicates, so it tells
    what few replicates cost, not what few molecules do; NaN from fewer than 3.
    """
    errors = replicates - observed
    products = errors @ errors.T / errors.shape[1]
    m = len(replicates)
    own, rows, total = np.diag(products), products.sum(axis=1), products.sum()
    mse = (total - own.sum()) / (m * (m - 1))
    without = np.full(m, np.nan)
    if m > 2:
        without = (total - 2 * rows + own - (own.sum() - own)) / ((m - 1) * (m - 2))
    if root:
        mse, without = np.sqrt(max(mse, 0.0)), np.sqrt(np.maximum(without, 0.0))
    return float(mse), _jackknife(without)


def extrapolated(
    replicates: np.ndarray, score: Score, curve: dict[int, float], join: Join = combine
) -> tuple[float, float]:
    """The weighted line through the scores of k replicates, at 1/k = 0; its standard error."""
    m = len(replicates)
    sizes = np.array([k for k in curve if k > 1 or m < 4], dtype=np.float64)
    scores = np.array([curve[int(k)] for k in sizes])
    weight = np.sqrt(sizes)  # the scores' variance falls about as 1/k
    design = np.column_stack([np.ones_like(sizes), 1 / sizes])
    at_zero = float(np.linalg.lstsq(design * weight[:, None], scores * weight, rcond=None)[0][0])
    # the last two points alone: as far apart as the curve is from a line
    (k1, s1), (k2, s2) = list(curve.items())[-2:]
    steep = s2 + (s2 - s1) * k1 / (k2 - k1)
    left_out = np.array([score(join(np.delete(replicates, replicate, axis=0))) for replicate in range(m)])
    return at_zero, float(np.hypot(_jackknife(left_out), at_zero - steep))


def subset_scores(replicates: np.ndarray, score: Score, join: Join = combine) -> dict[int, float]:
    """Mean score of ensembles of k = 1, 2, 4 .. m replicates."""
    return {k: float(np.mean(scores)) for k, scores in scores_by_count(replicates, score, join).items()}


def scores_by_count(
    replicates: np.ndarray, score: Callable[[np.ndarray], T], join: Join = combine
) -> dict[int, list[T]]:
    """Scores of ensembles of k = 1, 2, 4 .. m of (m, n) replicates; each k uses all equally often.

    The ensembles of one k overlap, the more the nearer k is to m, so their SD there says less than it seems.
    """
    m = len(replicates)
    order = np.random.default_rng(0)  # which subsets are looked at is no part of the replicates' randomness
    found = {}
    for k in [2**power for power in range(m.bit_length()) if 2**power < m]:
        found[k] = []
        for _ in range(1 if k == 1 else _PARTITIONS):
            shuffled = replicates[order.permutation(m)]
            found[k] += [score(join(shuffled[start : start + k])) for start in range(0, m // k * k, k)]
    return {**found, m: [score(join(replicates))]}


def _jackknife(left_out: np.ndarray) -> float:
    """Standard error from the estimates (m,) that leave one replicate out."""
    m = len(left_out)
    return float(np.sqrt((m - 1) / m * np.sum((left_out - left_out.mean()) ** 2)))
