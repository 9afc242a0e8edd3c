"""What differs between two ensembles, and between two single replicates.

An ensemble's mean scatters about that of infinitely many replicates with covariance S / M, S the replicates'
covariance; so does (f_i - mean) / sqrt(M - 1), f_i a replicate and mean that of all. The ensemble plus that
of one replicate, and plus that of another, emulate two ensembles: no distribution is assumed, nothing is
drawn at random, and whatever is asked of two ensembles (overlap of the selected molecules, difference of a
metric) is read off such pairs. Each side has a step of its own, not the other's mirrored: mirrored steps
change a metric alike where it is curved, and the difference would not show it.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from manywalks.evaluate.registry import IN_STEPS, WIDTHS
from manywalks.evaluate.scores import Metrics
from manywalks.replicates.combine import MEAN, Combining, as_means, combine, location_variance

# enough for a share to within a percent or two, few enough for metrics that sort
_MOST_PAIRS = 256
# metrics sort 20,000 molecules in 10 ms: fewer pairs, a replicate in two at least, where molecules are many
_MOST_VALUES = 2 * 10**6
# of the allowed failures of a metric's bound, so many over m, set by simulation
_TAILS = 1.2
# and such a share of them where m was chosen by looking
_LOOKING = 0.2


class Pairs(NamedTuple):
    """Predictions (p, n) of one and of the other of p pairs."""

    one: np.ndarray
    other: np.ndarray


def replicate_pairs(predictions: np.ndarray) -> Pairs:
    """Pairs of the (m, n) replicates themselves: all of them, or evenly chosen ones where there are many."""
    replicates = np.asarray(predictions, dtype=np.float64)
    i, j = _chosen(*replicates.shape)
    return Pairs(replicates[i], replicates[j])


def ensemble_pairs(predictions: np.ndarray, how: Combining = MEAN) -> Pairs:
    """Pairs that differ as two ensembles of m do, from (m, n) replicates, about their ensemble (n,)."""
    m = len(predictions)
    moved = as_means(predictions, how)
    deviation = moved - moved.mean(axis=0)
    steps = deviation * math.sqrt(location_variance(how.mode, m) * m / (m - 1))
    one, other = replicate_pairs(steps)
    centre = combine(predictions, how)
    return Pairs(centre + one, centre + other)


def top_overlap(pairs: Pairs, share: float) -> float:
    """Mean share of the highest-predicted molecules (`share` of all, one at least) that both select."""
    selected = [_top(side, share) for side in pairs]
    return float(np.mean((selected[0] & selected[1]).sum(axis=1) / selected[0].sum(axis=1)))


def flip_rate(pairs: Pairs, threshold: float) -> float:
    """Mean share of molecules that the two sides put into different classes."""
    return float(np.mean((pairs.one >= threshold) != (pairs.other >= threshold)))


def metric_differences(
    pairs: Pairs,
    score: Callable[[np.ndarray], Metrics],
    replicates: int,
    confidence: float,
    *,
    adaptive: bool = False,
) -> dict[str, dict[str, float] | None]:
    """How far each metric of two ensembles is apart: root mean square, and what will not be exceeded.

    The bound is Student's, of `replicates` - 1 degrees of freedom, since a metric moves with the replicates
    in one direction, to first order; a little of the allowed failures pays for what is not of first order.
    A metric that goes by ranks or decisions moves in steps: its bound is one step at least, and None where
    the molecules are so few that no pair takes one. None too where a metric is not defined.

    Args:
        pairs: from `ensemble_pairs`.
        score: the metrics of (n,) predictions.
        replicates: m of the ensemble.
        confidence: share of retrainings that shall be within the bound.
        adaptive: whether `replicates` was chosen by looking at them.
    """
    failures = (1 - confidence) * (1 - _TAILS / replicates) * (1 - _LOOKING if adaptive else 1)
    quantile = float(special.stdtrit(replicates - 1, 1 - failures / 2))
    ones, others = ([score(predicted) for predicted in side] for side in pairs)
    still = bool(np.array_equal(pairs.one, pairs.other))
    found: dict[str, dict[str, float] | None] = {}
    for name in ones[0]:
        values = [(one[name], other[name]) for one, other in zip(ones, others, strict=True)]
        known = [abs(one - other) for one, other in values if one is not None and other is not None]
        moved = [apart for apart in known if apart > 0]
        if len(known) < len(values) or not (moved or still):
            found[name] = None
            continue
        expected = math.sqrt(np.mean(np.square(known)))
        # what moves in steps moves by one at least
        bound = max(quantile * expected, min(moved, default=0.0) if name in IN_STEPS else 0.0)
        found[name] = {"expected": expected, "bound": min(bound, WIDTHS.get(name, math.inf))}
    return found


def _top(predictions: np.ndarray, share: float) -> np.ndarray:
    """Bool (p, n): the share of the n molecules that (p, n) predictions put highest."""
    count = max(1, round(share * predictions.shape[1]))
    order = np.argsort(-predictions, axis=1, kind="stable")[:, :count]
    selected = np.zeros(predictions.shape, dtype=bool)
    np.put_along_axis(selected, order, True, axis=1)
    return selected


def _chosen(m: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of pairs of m replicates, each replicate equally often: all, or those 1, 2, .. places apart."""
    apart = max(1, min(m // 2, min(_MOST_PAIRS, _MOST_VALUES // n) // m))
    i, lag = np.meshgrid(np.arange(m), np.arange(1, apart + 1))
    i, j = i.ravel(), (i + lag).ravel() % m
    if apart == m // 2 and m % 2 == 0:  # half the circle away, each pair would come twice
        once = (np.abs(i - j) != m // 2) | (i < j)
        return i[once], j[once]
    return i, j
