"""Where decisions are made on predictions: how many of them a retrained ensemble would make otherwise.

At a molecule, the mean of a retrained ensemble less that of this one, over spread * sqrt(2/M), is Student's t
with M - 1 degrees of freedom. So the chance that the two lie on different sides of a cut-off is a tail of
Student's. The sum of these chances is the number of decisions that are expected to differ. What will not be
exceeded has two more parts: the replicates may be farther apart than they should be (as for the bound on the
difference, by the directions in which they part near the cut-off), and decisions are a count, few of them.
"""

import math

import numpy as np
from scipy import special

from manywalks.params.sections.cut import Cut
from manywalks.replicates.combine import Mode, location_variance
from manywalks.replicates.statistics.bound import bound_at, expected_difference
from manywalks.replicates.statistics.spectrum import moments_of_gram


def difference_error(
    spread: np.ndarray, replicates: int, mode: Mode = "mean", *, other: int | None = None
) -> np.ndarray:
    """Standard deviation (n,) of a retrained ensemble's predictions less those of this one.

    Args:
        spread: (n,) standard deviation of the replicates.
        replicates: m of this ensemble.
        mode: how they are combined.
        other: m of the retrained one; the same where None.
    """
    variance = location_variance(mode, replicates) + location_variance(mode, other or replicates)
    return np.asarray(spread, dtype=np.float64) * math.sqrt(variance)


def flip_chances(centre: np.ndarray, error: np.ndarray, cut: Cut, replicates: int) -> np.ndarray:
    """Chance (n,) that a retrained ensemble decides otherwise.

    Args:
        centre: (n,) the ensemble's predictions.
        error: (n,) their `difference_error`.
        cut: what is selected.
        replicates: m of this ensemble.
    """
    inside = _below(cut.high - centre, error, replicates) - _below(cut.low - centre, error, replicates)
    chance = np.clip(np.where(cut.selects(centre), 1 - inside, inside), 0.0, 1.0)
    return np.where(error > 0, chance, 0.0)


def nearness_weights(centre: np.ndarray, error: np.ndarray, cut: Cut, replicates: int) -> np.ndarray:
    """How much a move of each prediction changes the number of decisions: density at the cut-off (n,)."""
    weights = np.zeros_like(centre)
    known = error > 0
    for limit in cut.limits:
        z = (limit - centre[known]) / error[known]
        weights[known] += (1 + z**2 / (replicates - 1)) ** (-replicates / 2) / error[known]
    return weights


def most_flips(
    expected: float,
    variance: float,
    near: np.ndarray,
    confidence: float,
    *,
    molecules: int,
    mode: Mode = "mean",
) -> int:
    """How many decisions a retrained ensemble will make otherwise at most.

    Args:
        expected: the sum of `flip_chances`.
        variance: the sum of chance * (1 - chance).
        near: (m, m) inner products of the replicates' deviations, weighted by `nearness_weights`.
        confidence: how sure.
        molecules: how many `near` is summed over.
        mode: how the replicates are combined.
    """
    m = len(near)
    moments = moments_of_gram(near, molecules)
    ratio = 1.0
    if moments.variance > 0:
        bound = bound_at(moments, m, confidence, mode=mode)
        typical = expected_difference(moments, m, m, mode) * _mean_chi(1 / moments.theta)
        ratio = bound / typical
    whole = float(special.ndtri(confidence)) ** 2 * variance
    most = math.floor(expected + math.sqrt((expected * (ratio - 1)) ** 2 + whole) + 1e-9)
    return min(max(most, count_quantile(expected, variance, confidence, molecules)), molecules)


def count_quantile(mean: float, variance: float, confidence: float, most: int) -> int:
    """The smallest k that a count of independent events, at most `most`, does not exceed so surely.

    The count is taken as binomial with this mean and variance, which is at most the mean: a normal
    distribution would put the few events of a small mean too low.
    """
    if mean <= 0:
        return 0
    share = max(variance / mean, 0.0)
    k = np.arange(most + 1, dtype=np.float64)
    if share > 1 - 1e-6:
        below = special.pdtr(k, mean)
    else:
        tries = mean / (1 - share)
        inside = k < tries
        below = np.where(inside, special.betainc(np.where(inside, tries - k, 1.0), k + 1, share), 1.0)
    return int(min(np.searchsorted(below, confidence), most))


def _below(distance: np.ndarray, error: np.ndarray, replicates: int) -> np.ndarray:
    """Chance (n,) that the difference is below the distance."""
    z = np.divide(distance, error, out=np.zeros_like(error), where=error > 0)
    return special.stdtr(replicates - 1, z)


def _mean_chi(nu: float) -> float:
    """Mean of the root of a chi-square with nu degrees of freedom, over the root of nu."""
    return math.sqrt(2 / nu) * math.exp(special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2))
