"""The covariance of replicates over molecules, as far as M replicates show it.

All comes from the M x M matrix of the replicates' inner products, so its cost does not grow with the square
of the molecules. docs/decisions/0004-bound.md has the derivation.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Moments:
    """What the replicates' Gram matrix says of their covariance S over the molecules.

    Attributes:
        replicates: M.
        variance: V, mean over molecules of the replicates' variance, in the endpoint's unit squared.
        theta: tr S^2 / (tr S)^2, without bias from finite M; 1/nu.
        third: tr S^3 / (tr S)^3, likewise; between theta^2 (equal directions) and theta^1.5 (one).
    """

    replicates: int
    variance: float
    theta: float
    third: float


def covariance_moments(predictions: np.ndarray) -> Moments:
    """Estimate V, theta and the third moment from (m, n) predictions."""
    return moments_of_gram(gram(predictions), np.shape(predictions)[1])


def gram(predictions: np.ndarray) -> np.ndarray:
    """Inner products (m, m) of the replicates, about their mean, of (m, n) predictions."""
    replicates = np.asarray(predictions, dtype=np.float64)
    if replicates.ndim != 2 or replicates.shape[0] < 2 or replicates.shape[1] < 1:
        raise ValueError(
            f"predictions: shape {replicates.shape}; a bound needs two replicates and one molecule at least"
        )
    if not np.isfinite(replicates).all():
        replicate = int(np.flatnonzero(~np.isfinite(replicates).all(axis=1))[0])
        raise ValueError(
            f"predictions: replicate {replicate} is not finite; replace the replicate that diverged"
        )
    # differences between float32 predictions near a common value would drown in their squares
    replicates = replicates - replicates.mean(axis=0)
    return replicates @ replicates.T


def moments_of_gram(products: np.ndarray, n: int) -> Moments:
    """Moments from the (m, m) inner products of replicates about any one point."""
    m = len(products)
    centred = products - products.mean(axis=0) - products.mean(axis=1)[:, None] + products.mean()
    scaled = centred / (m - 1)
    squared = scaled @ scaled
    t1, t2, t3 = float(np.trace(scaled)), float(np.trace(squared)), float(np.sum(squared * scaled))
    if t1 <= 0:
        return Moments(m, 0.0, 1.0, 1.0)
    if m < 4:  # too few replicates to see directions: the worst case, one
        return Moments(m, t1 / n, 1.0, 1.0)
    theta, third = _unbiased(m - 1, t2 / t1**2, t3 / t1**3)
    theta = min(max(theta, 1 / n), 1.0)
    # any spectrum has theta^2 <= third <= theta^1.5
    return Moments(m, t1 / n, theta, min(max(third, theta**2), theta**1.5))


def _unbiased(dof: int, t2: float, t3: float) -> tuple[float, float]:
    """(tr S^2, tr S^3) over (tr S)^2, (tr S)^3 from those of a sample covariance with `dof`.

    Inverts the Wishart expectations of (t1^2, t2) and of (t1^3, t1 t2, t3), t1 = 1.
    """
    k = float(dof)
    second = np.linalg.solve([[1, 2 / k], [1 / k, 1 + 1 / k]], [1.0, t2])
    third = np.linalg.solve(
        [
            [1, 6 / k, 8 / k**2],
            [1 / k, 1 + 1 / k + 4 / k**2, 4 / k + 4 / k**2],
            [1 / k**2, 3 / k + 3 / k**2, 1 + 3 / k + 4 / k**2],
        ],
        [1.0, t2, t3],
    )
    return float(second[1] / second[0]), float(third[2] / third[0])


def mixture_quantile(covariance: Moments, level: float) -> float:
    """Quantile of Q, the replicates' squared distance over its mean: a weighted sum of chi-squares.

    A chi-square shifted and scaled to Q's first three covariance_moments (Hall, Buckley and Eagleson); with
    two covariance_moments, the quantile is 2 to 3 % too small where a few directions stand out of many, as
    they do in real replicates.
    """
    dof = covariance.theta**3 / covariance.third**2
    return 1 + math.sqrt(covariance.theta / dof) * (chi_square_quantile(level, dof) - dof)


def chi_square_quantile(level: float, dof: float) -> float:
    """Of a chi-square with `dof` degrees of freedom (scipy.stats takes fifty times as long for a number)."""
    return 2 * float(special.gammaincinv(dof / 2, level))


def quantile_variance(covariance: Moments, replicates: int, level: float) -> float:
    """Relative variance of V-hat times the quantile at theta-hat, to first order.

    With p2 = theta, p3 = third and k = M - 1:
        Var(V-hat) / V^2 = 2 p2 / k,
        Cov(V-hat, theta-hat) / V = 4 (p3 - p2^2) / k,
        Var(theta-hat) = (8 p4 - 16 p2 p3 + 8 p2^3 + 4 p2^2 / k) / k.
    The fourth moment lies between p3^2/p2 and
    p3^(4/3); their geometric mean stands in for it.
    """
    p2, p3, k = covariance.theta, covariance.third, replicates - 1
    p4 = math.sqrt(p3**2 / p2 * p3 ** (4 / 3))
    cross = 4 * (p3 - p2**2) / k
    variance = (8 * p4 - 16 * p2 * p3 + 8 * p2**3 + 4 * p2**2 / k) / k
    slope = _log_quantile_slope(p2, level)
    return 2 * p2 / k + 2 * slope * cross + slope**2 * variance


def _log_quantile_slope(theta: float, level: float) -> float:
    """d log q / d theta of q(theta), the quantile of a chi-square with 1/theta degrees over its mean."""
    low, high = theta * (1 - 1e-3), min(theta * (1 + 1e-3), 1.0)
    q_low, q_high = (chi_square_quantile(level, 1 / p2) * p2 for p2 in (low, high))
    return math.log(q_high / q_low) / (high - low)
