"""Two configurations on molecules that are each tested once: one score over all folds, errors by molecule.

A rank metric on a fold of 36 molecules is a rough number, and ten of them say little of how rough. So what
the models of all folds predict is put together first, each molecule by models that have not seen it, and
scored once.
The error of the difference has three parts:

- the molecules: a jackknife that leaves out one group after another (the split's groups stay whole);
- the molecules that were trained on, which folds share: after Nadeau and Bengio (2003), as in `paired`;
- the finite number of replicates, which are new in every fold: a jackknife of the replicates of each fold.

benchmarks/tune_verdict.py measures false verdicts and power, beside scores taken fold by fold.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from manywalks.compare.paired import SHARED
from manywalks.compare.scores import Scores
from manywalks.evaluate.infinite import CLOSED, Projected, scorer
from manywalks.replicates.combine import combine, combining_of

# molecules of more groups are left out several groups at a time: the error does not get surer than that
MOST_BLOCKS = 200


class Tested(NamedTuple):
    """Two configurations at the molecules that folds test, each molecule once.

    Attributes:
        rows: of the table, int (n,).
        folds: that test them, int (n,).
        groups: molecules that are lucky together, int (n,).
        predictions: (2, m, n, t) of m replicates of both, in endpoint units.
        train: molecules that one fold trains on.
    """

    rows: np.ndarray
    folds: np.ndarray
    groups: np.ndarray
    predictions: np.ndarray
    train: float


class Parts(NamedTuple):
    """What a difference's squared error is made of.

    Attributes:
        molecules: the luck of those that were tested.
        training: the luck of those that were trained on, which folds share.
        replicates: their finite number.
    """

    molecules: float
    training: float
    replicates: float


class Difference(NamedTuple):
    """How much better the first is, at infinitely many replicates.

    Attributes:
        difference: positive where it is better.
        error: its standard error.
        low, high: interval.
        p: of the test that there is no difference.
        parts: of the squared error.
    """

    difference: float
    error: float
    low: float
    high: float
    p: float
    parts: Parts


Statistic = Callable[[np.ndarray], float]


def add_tested(scores: Sequence[Scores], tested: Tested) -> None:
    """Score both on all molecules at once, as if these were one split: column 0 the first, 1 the second."""
    for column, one in enumerate(scores):
        for configuration, predictions in enumerate(tested.predictions):
            one.add(0, configuration, tested.rows, predictions[:, :, column])


def difference_of(
    scores: Sequence[Scores],
    tested: Tested,
    columns: Sequence[int],
    *,
    scales: Sequence[float],
    confidence: float,
) -> Difference:
    """The mean over endpoints of how much better the first is, each over its scale.

    Args:
        scores: of endpoints that `add_tested` has scored.
        tested: what was predicted.
        columns: of these endpoints in the predictions.
        scales: one for each endpoint.
        confidence: of the interval.
    """
    weights = [one.terms.sign / scale / len(scores) for one, scale in zip(scores, scales, strict=True)]
    ends = [
        _End(one, tested, column, weight)
        for one, column, weight in zip(scores, columns, weights, strict=True)
    ]
    mean = sum(end.difference for end in ends)
    m = tested.predictions.shape[1]
    # two halves of the replicates share the luck of the molecules, and not that of the replicates
    first, second = _joint(ends, slice(m // 2)), _joint(ends, slice(m // 2, m))
    molecules, freedom = covariance(first, second, blocks_of(tested.groups, tested.folds))
    training = SHARED * len(tested.rows) / tested.train * molecules
    noise = sum(_noise(ends, tested, one) for one in (0, 1)) + sum(end.bent for end in ends)
    own = (freedom, (m - 1) * len(np.unique(tested.folds)))
    return interval(mean, Parts(molecules, training, noise), own, confidence)


def interval(mean: float, parts: Parts, freedom: tuple[float, float], confidence: float) -> Difference:
    """Student's interval; `freedom` is that of the molecules and that of the replicates."""
    own = (parts.molecules + parts.training, parts.replicates)
    error = math.sqrt(sum(own))
    if error == 0:
        return Difference(mean, 0.0, mean, mean, float(mean == 0), parts)
    # Welch and Satterthwaite
    joint = error**4 / sum(part**2 / known for part, known in zip(own, freedom, strict=True))
    half = float(special.stdtrit(joint, 0.5 + confidence / 2)) * error
    p = float(2 * special.stdtr(joint, -abs(mean) / error))
    return Difference(mean, error, mean - half, mean + half, p, parts)


class _End:
    """One endpoint: scores of ensembles on some of the molecules, times a weight."""

    def __init__(self, scores: Scores, tested: Tested, column: int, weight: float) -> None:
        self.weight, self._terms = weight, scores.terms
        self._how = combining_of(scores.terms.kind, scores.terms.params.ensemble)
        self.predictions = tested.predictions[:, :, :, column]
        self._observed, self._relation = scores.observed[tested.rows], scores.relation[tested.rows]
        self._measured = np.isfinite(self._observed)
        found = scores.found[0, 0], scores.found[0, 1]
        self.difference = weight * (found[0].infinite - found[1].infinite)
        straight = scores.terms.metric in CLOSED
        self.bent = 0.0 if straight else weight**2 * sum(_bent(one) ** 2 for one in found)

    def combined(self, replicates: np.ndarray) -> np.ndarray:
        """The ensemble of (m, n) replicates."""
        return combine(replicates, self._how)

    def score(self, predicted: np.ndarray, keep: np.ndarray | None = None) -> float:
        """The weighted score of (n,) predictions on some of the molecules, bool (n,)."""
        own = self._measured if keep is None else keep & self._measured
        terms, threshold = self._terms, self._terms.params.evaluate.threshold
        observed, relation = self._observed[own], self._relation[own]
        score = scorer(observed, relation, metric=terms.metric, kind=terms.kind, threshold=threshold)
        return self.weight * score(predicted[own])


def _bent(one: Projected) -> float:
    """How far the line to infinitely many replicates is from the one through its last two points."""
    (k1, s1), (k2, s2) = list(one.curve.items())[-2:]
    return one.infinite - (s2 + (s2 - s1) * k1 / (k2 - k1))


def _joint(ends: Sequence[_End], part: slice) -> Statistic:
    """How much better the first is with a part of the replicates, on some of the molecules (bool (n,))."""
    both = [[end.combined(one[part]) for one in end.predictions] for end in ends]

    def gap(keep: np.ndarray) -> float:
        return sum(
            end.score(one, keep) - end.score(other, keep)
            for end, (one, other) in zip(ends, both, strict=True)
        )

    return gap


def _noise(ends: Sequence[_End], tested: Tested, configuration: int) -> float:
    """What few replicates add to the squared error: each fold's are left out one by one."""
    m = tested.predictions.shape[1]
    whole = [end.combined(end.predictions[configuration]) for end in ends]
    variance = 0.0
    for fold in np.unique(tested.folds):
        own, without = tested.folds == fold, np.zeros(m)
        for end, ensemble in zip(ends, whole, strict=True):
            replicates, predicted = end.predictions[configuration][:, own], ensemble.copy()
            for replicate in range(m):
                predicted[own] = end.combined(np.delete(replicates, replicate, axis=0))
                without[replicate] += end.score(predicted)
        variance += (m - 1) / m * float(np.sum((without - without.mean()) ** 2))
    return variance


def covariance(one: Statistic, other: Statistic, blocks: np.ndarray) -> tuple[float, float]:
    """Covariance of two statistics of the same molecules, not below 0, and its degrees of freedom.

    A jackknife: one block after another is left out. Blocks of unequal size count by their molecules (Busing,
    Meijer and van der Leeden 1999).
    """
    names, sizes = np.unique(blocks, return_counts=True)
    n, times = len(blocks), len(blocks) / sizes
    apart = []
    for statistic in (one, other):
        whole = statistic(np.ones(n, dtype=bool))
        without = np.array([statistic(blocks != name) for name in names])
        mean = len(names) * whole - float(np.sum((1 - sizes / n) * without))
        apart.append(times * whole - (times - 1) * without - mean)
    found = float(np.mean(apart[0] * apart[1] / (times - 1)))
    return max(found, 0.0), float(n**2 / np.sum(sizes**2) - 1)


def blocks_of(groups: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Which molecules are left out together, int (n,): whole groups of one fold.

    At most `MOST_BLOCKS` in all. No block holds molecules of two folds, so a class that each fold has is
    never left out whole.
    """
    names = np.unique(folds)
    most = max(MOST_BLOCKS // len(names), 1)
    blocks = np.empty(len(groups), dtype=np.int64)
    for place, fold in enumerate(names):
        own = np.flatnonzero(folds == fold)
        _, code, sizes = np.unique(groups[own], return_inverse=True, return_counts=True)
        dealt, loads = np.empty(len(sizes), dtype=np.int64), np.zeros(min(most, len(sizes)), dtype=np.int64)
        for group in np.argsort(-sizes, kind="stable"):
            dealt[group] = np.argmin(loads)
            loads[dealt[group]] += sizes[group]
        blocks[own] = place * most + dealt[code]
    return blocks
