"""How the replicates' predictions become the ensemble's, and how surely the result is known.

The bound on the difference of two ensembles is about means of replicates. For the other ways of combining
the replicates are turned into ones whose mean moves as the ensemble does (`as_means`), and the variance of a
median or trimmed mean takes the place of 1/m (`location_variance`).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import special

from manywalks.params.sections.model import EnsembleParams

Mode = Literal["mean", "median", "trimmed"]
Classes = Literal["probability", "logit"]
TRIM = 0.2
# points of a normal variable along either side of `location_variance`'s double integral
_POINTS = 80
# beyond so many replicates m times the variance moves by less than 0.1 %
_LARGE = 1000
# truncated normals this narrow are uniform within rounding
_NARROW = 1e-3
# chances smaller than this are not told from 0 next to 1
_TINY = 1e-14


@dataclass(frozen=True)
class Combining:
    """How replicates are made one.

    Attributes:
        mode: over the replicates, at each molecule.
        logits: average logits of probabilities instead of probabilities.
    """

    mode: Mode = "mean"
    logits: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is the mean of the predictions, for which the statement's algebra is exact."""
        return self.mode == "mean" and not self.logits


MEAN = Combining()


def combining_of(kind: str, ensemble: EnsembleParams) -> Combining:
    """The way of combining for an endpoint of this kind, "regression" or "classification"."""
    return Combining(ensemble.average, logits=kind == "classification" and ensemble.class_average == "logit")


def combine(predictions: np.ndarray, how: Combining = MEAN) -> np.ndarray:
    """The ensemble of (m, n) replicates, as the ensemble's Keras model has it: (n,) in endpoint units."""
    replicates = np.asarray(predictions, dtype=np.float64)
    if how.logits:
        return special.expit(location(finite_logits(replicates), how.mode))
    return location(replicates, how.mode)


def location(y: np.ndarray, mode: Mode) -> np.ndarray:
    """Mean, median or trimmed mean over the replicates: (m, ...) -> (...)."""
    if mode == "median":
        return np.median(y, axis=0)
    if mode == "trimmed":
        cut = _cut(mode, len(y))
        return np.sort(y, axis=0)[cut : len(y) - cut].mean(axis=0)
    return y.mean(axis=0)


def as_means(predictions: np.ndarray, how: Combining) -> np.ndarray:
    """Replicates (m, n) in endpoint units whose deviations move the ensemble as a mean's would.

    Of averaged logits, to first order: the probability p moves by p (1 - p) times the logit.
    """
    replicates = np.asarray(predictions, dtype=np.float64)
    if not how.logits:
        return replicates
    logits, centre = finite_logits(replicates), combine(replicates, how)
    return centre + centre * (1 - centre) * (logits - logits.mean(axis=0))


@lru_cache(maxsize=4096)
def location_variance(mode: Mode, m: int) -> float:
    """Variance of the mean, median or trimmed mean of m standard normal variables.

    Given the two order statistics that enclose the ones kept, these are independent draws of a normal
    variable truncated between them, so the variance is a double integral over the two.
    """
    cut = _cut(mode, m)
    if cut == 0:
        return 1 / m
    if m > _LARGE:
        return location_variance(mode, _LARGE) * _LARGE / m
    z, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
    weights, share = weights / weights.sum(), np.clip(special.ndtr(z), _TINY, 1 - _TINY)
    kept = m - 2 * cut
    low = special.betaincinv(cut, m - cut + 1, share)[:, None]
    high = low + (1 - low) * special.betaincinv(kept + 1, cut, share)
    mean, variance = _truncated(special.ndtri(low), special.ndtri(np.minimum(high, 1 - _TINY / 10)))
    return float(weights @ (mean**2 + variance / kept) @ weights)


def _truncated(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of a standard normal variable between two limits."""
    low, high = np.broadcast_arrays(low, high)
    width = high - low
    at_low, at_high = (np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) for x in (low, high))
    inside = np.maximum(special.ndtr(high) - special.ndtr(low), 1e-300)
    mean = (at_low - at_high) / inside
    variance = 1 + (low * at_low - high * at_high) / inside - mean**2
    narrow = width < _NARROW
    return np.where(narrow, (low + high) / 2, mean), np.where(narrow, width**2 / 12, variance)


def _cut(mode: Mode, m: int) -> int:
    """How many of m replicates are left out at either end."""
    return {"mean": 0, "median": (m - 1) // 2, "trimmed": int(TRIM * m)}[mode]


def finite_logits(probabilities: np.ndarray) -> np.ndarray:
    """Finite logits: float32 probabilities reach 0 and 1, whose logits are infinite."""
    return special.logit(np.clip(probabilities, 1e-7, 1 - 1e-7))
