"""How far a retrained ensemble will be from this one, and how many replicates a tolerance needs.

M replicates f_1 .. f_M are independent draws with one covariance S over the n reference molecules. A
retrained ensemble of M' replicates is apart from this one by d, root mean square over the molecules, and

    d^2 = (1/M + 1/M') V Q,   V = tr S / n,   Q a weighted sum of chi-squares with mean 1, variance 2 theta,

where theta = tr S^2 / (tr S)^2 is 1/nu, nu the effective number of directions in which replicates part. V
and theta are estimated from the replicates' Gram matrix, so the bound is a quantile of a ratio: Q's own, from
its first three covariance_moments, times what F with nu and nu2 degrees of freedom adds to chi-square. nu2 is
matched to the relative variance of (V-hat times the quantile at theta-hat), which includes that both err to
the same side when the replicates seen are by chance too much alike.
docs/decisions/0004-bound.md has the derivation, benchmarks/RESULTS.md the coverage.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from manywalks.replicates.combine import MEAN, Combining, Mode, as_means, location_variance
from manywalks.replicates.statistics.spectrum import (
    Moments,
    chi_square_quantile,
    covariance_moments,
    mixture_quantile,
    quantile_variance,
)


@dataclass(frozen=True)
class Bound:
    """The statement's figure for one endpoint, in the endpoint's unit.

    Attributes:
        replicates: M of this ensemble.
        other: M of the retrained one.
        spread_rms: root mean square over molecules of the replicates' standard deviation.
        nu: effective number of directions in which replicates part.
        expected: root mean square difference of two such ensembles.
        bound: what the difference will not exceed, with the confidence.
        confidence: how sure.
    """

    replicates: int
    other: int
    spread_rms: float
    nu: float
    expected: float
    bound: float
    confidence: float


def difference_bound(
    predictions: np.ndarray,
    confidence: float = 0.95,
    *,
    adaptive: bool = False,
    other: int | None = None,
    how: Combining = MEAN,
) -> Bound:
    """Bound the root mean square difference between this ensemble and a retrained one.

    Args:
        predictions: (m, n) of m replicates at n out-of-sample molecules, in the endpoint's unit.
        confidence: share of retrainings that shall be within the bound.
        adaptive: whether m was chosen by `next_count` (looking at the replicates costs some confidence).
        other: replicates of the retrained ensemble; m where None.
        how: the way in which both are made of their replicates.
    """
    covariance = covariance_moments(as_means(predictions, how))
    m = covariance.replicates
    other = m if other is None else other
    return Bound(
        replicates=m,
        other=other,
        spread_rms=math.sqrt(covariance.variance),
        nu=1 / covariance.theta,
        expected=expected_difference(covariance, m, other, how.mode),
        bound=bound_at(covariance, m, confidence, adaptive=adaptive, other=other, mode=how.mode),
        confidence=confidence,
    )


def expected_difference(covariance: Moments, replicates: int, other: int, mode: Mode = "mean") -> float:
    """Root mean square difference of ensembles of so many replicates."""
    return math.sqrt(
        covariance.variance * (location_variance(mode, replicates) + location_variance(mode, other))
    )


def bound_at(
    covariance: Moments,
    replicates: int,
    confidence: float,
    *,
    adaptive: bool = False,
    other: int | None = None,
    mode: Mode = "mean",
) -> float:
    """The bound that `replicates` replicates would give if V and the spectrum stay as estimated.

    `mode` is how they are combined; of averaged logits, `covariance` is that of `as_means`.
    """
    if covariance.variance == 0:
        return 0.0
    if replicates < 4:  # directions cannot be told: one, the worst case, where Student's t is exact
        student = float(special.stdtrit(replicates - 1, 0.5 + confidence / 2))
        return expected_difference(covariance, replicates, other or replicates, mode) * student
    level = _level(confidence, covariance.theta, replicates, adaptive)
    nu, dof = 1 / covariance.theta, 2 / quantile_variance(covariance, replicates, level)
    # what not knowing V and theta costs: F over chi-square, both of nu
    unknown = float(special.fdtri(nu, dof, level)) * nu / chi_square_quantile(level, nu)
    expected = expected_difference(covariance, replicates, other or replicates, mode)
    return expected * math.sqrt(mixture_quantile(covariance, level) * unknown)


def molecule_bounds(predictions: np.ndarray, confidence: float = 0.95, *, mode: Mode = "mean") -> np.ndarray:
    """What the difference to a retrained ensemble will not exceed at each molecule (n,), by Student's t.

    Exact for Gaussian replicates, at any molecule by itself; of many molecules, some exceed it. Of averaged
    logits, `predictions` (m, n) are those of `as_means`.
    """
    m = len(predictions)
    student = float(special.stdtrit(m - 1, 0.5 + confidence / 2))
    return student * math.sqrt(2 * location_variance(mode, m)) * np.std(predictions, axis=0, ddof=1)


def replicates_needed(
    covariance: Moments,
    tolerance: float,
    confidence: float = 0.95,
    *,
    adaptive: bool = False,
    least: int = 4,
    mode: Mode = "mean",
) -> int:
    """The least number of replicates, `least` or more, whose bound is expected within the tolerance."""
    if not tolerance > 0:
        raise ValueError(f"tolerance: {tolerance} cannot be met; give a number above 0")

    def enough(count: int) -> bool:
        return bound_at(covariance, count, confidence, adaptive=adaptive, mode=mode) <= tolerance

    if enough(least):
        return least
    low, high = least, 2 * least
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _level(confidence: float, theta: float, replicates: int, adaptive: bool) -> float:
    """The level at which the quantile is taken, a little above the confidence.

    What the quantile does not know of, set by simulation (benchmarks/coverage.py): replicates with heavier
    tails than Gaussian and a skewed V-hat at few replicates cost a share of the allowed failures, which falls
    with M; where M was chosen by looking, stopping at a V-hat that is low by chance costs another, which
    grows as the directions become few.
    """
    middle = min(1.0, 3 * math.sqrt(theta)) * (1 - theta)  # neither one direction nor very many
    share = 1 - min(0.6, _TAILS / replicates + _SKEW * middle / replicates**2)
    looking = 1 - _LOOKING * math.sqrt(theta) if adaptive else 1.0
    # the first-order algebra loses its hold far out, the sooner the fewer replicates
    beyond = min(1.0, (1 - confidence) / _USUAL) ** (middle * (_FAR / replicates + _FARTHER))
    # so few failures that they are lost beside 1 would ask for an infinite quantile
    return min(1 - (1 - confidence) * share * looking * beyond, math.nextafter(1, 0))


_TAILS, _SKEW, _LOOKING = 1.2, 26.0, 0.35
# allowed failures that the constants above were set at, and what smaller ones cost; for levels up to 0.999
_USUAL, _FAR, _FARTHER = 0.05, 10.0, 0.1
