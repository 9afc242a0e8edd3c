"""The studentized range, whose quantiles make Tukey's intervals: fast enough to look at thousands of pairs.

scipy.stats.studentized_range takes a second for a quantile; the integrand is smooth, and Gauss and Legendre's
points give the same to nine digits in a millisecond.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

_POINTS = 96


def range_sf(q: float, groups: int, freedom: float) -> float:
    """Chance that the range of `groups` normal variables, over an independent SD, exceeds q.

    Args:
        q: range over the standard deviation of one variable.
        groups: 2 or more.
        freedom: degrees of freedom of the standard deviation.
    """
    (scales, of_scales), (z, of_z) = _scales(freedom), _normals()
    inside = special.ndtr(z) - special.ndtr(z - q * scales[:, None])
    within = groups * (inside ** (groups - 1)) @ of_z
    return float(np.clip(of_scales @ (1 - within), 0.0, 1.0))


def range_ppf(confidence: float, groups: int, freedom: float) -> float:
    """What that range stays below with the given confidence."""
    high = 8.0
    while range_sf(high, groups, freedom) > 1 - confidence:
        high *= 2

    def over(q: float) -> float:
        return range_sf(q, groups, freedom) - (1 - confidence)

    from scipy import optimize  # a quarter of a second to import

    found: Any = optimize.brentq(over, 0.0, high, xtol=1e-9)
    return float(found)


@lru_cache(maxsize=1)
def _normals() -> tuple[np.ndarray, np.ndarray]:
    """Points of a normal variable and their weights, its density included."""
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    z = 8.5 * points
    return z, 8.5 * weights * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


@lru_cache(maxsize=512)
def _scales(freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of sqrt(chi-square / freedom) and their weights, its density included."""
    ends = np.sqrt(special.chdtri(freedom, np.array([1 - 1e-14, 1e-14])) / freedom)
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    half = (ends[1] - ends[0]) / 2
    s = ends[0] + half * (points + 1)
    log_density = (
        math.log(2) + freedom / 2 * math.log(freedom / 2) - special.gammaln(freedom / 2)
        + (freedom - 1) * np.log(s) - freedom * s**2 / 2
    )  # fmt: skip
    return s, half * weights * np.exp(log_density)
