"""The variance of an ensemble's errors from the spread of its replicates: a residual beside a share of it."""

import math

import numpy as np

# below so many molecules the share of the spread is not fitted beside the residual variance
FEW = 30
# the scores of the intervals are cross-fitted in so many folds
_FOLDS = 10


def cross_fitted_scores(error: np.ndarray, spread: np.ndarray, whole: tuple[float, float]) -> np.ndarray:
    """|error| / predicted sd (n,), each sd from parts that were fitted on other molecules.

    `whole` are the parts that were fitted on all: fits of most of them start there.

    Fitted on the molecules themselves, the scores would be too small: with 30 molecules, intervals that
    should hold 90.3 % of the truth held 89.2 %. The sd of others alone is too small just where a molecule's
    error is large, so its score would be too large beside the sd of all, which intervals have (91.5 %):
    each fold's scores are taken back to that sd, by the mean ratio of the two over all molecules.
    """
    n = error.size
    if n < _FOLDS:  # too few to fit on the others
        return np.abs(error) / np.sqrt(_predicted_variance(variance_parts(error, spread, alone=True), spread))
    fold = np.random.default_rng(0).permutation(n) % _FOLDS
    scores = np.empty(n)
    for number in range(_FOLDS):
        own, others = fold == number, fold != number
        parts = variance_parts(error[others], spread[others], alone=n < FEW, near=whole)
        ratio = np.log(_predicted_variance(parts, spread) / _predicted_variance(whole, spread)).mean()
        scores[own] = np.abs(error[own]) * np.sqrt(np.exp(ratio) / _predicted_variance(parts, spread[own]))
    return scores


def _predicted_variance(parts: tuple[float, float], spread: np.ndarray) -> np.ndarray:
    """Variance of the error (n,) from (residual, share)."""
    return parts[0] + parts[1] * spread**2


def variance_parts(
    error: np.ndarray, spread: np.ndarray, *, alone: bool, near: tuple[float, float] | None = None
) -> tuple[float, float]:
    """(residual, share) of the error's variance, residual + share * spread^2.

    With `alone` the share is 1; `near` are parts that the fit starts from (default: several starts).
    """
    from scipy import optimize  # a quarter of a second to import

    # a variance of zero would make certain what only a few molecules suggest
    least = 1e-6 * float(np.mean(error**2)) + 1e-12
    typical = float(np.mean(spread**2))
    if alone or typical == 0:
        return max(float(np.mean(error**2)) - typical, least), 1.0
    scaled = spread**2 / typical

    def cost(logs: np.ndarray) -> tuple[float, np.ndarray]:
        first, second = np.exp(logs[0]), np.exp(logs[1]) * scaled
        variance = first + second
        slope = (1 - error**2 / variance) / variance
        value = float(np.mean(np.log(variance) + error**2 / variance))
        return value, np.array([first * slope.mean(), np.mean(slope * second)])

    power = math.log(float(np.mean(error**2)) + least)
    bounds = [(power - 12, power + 5)] * 2
    starts = [(power - 0.7, power - 0.7), (power, power - 6), (power - 6, power)]
    if near is not None:
        starts = [(math.log(near[0]), math.log(near[1] * typical))]
    fits = [optimize.minimize(cost, start, bounds=bounds, method="L-BFGS-B", jac=True) for start in starts]
    best = min(fits, key=lambda found: found.fun).x
    return math.exp(best[0]), math.exp(best[1]) / typical
