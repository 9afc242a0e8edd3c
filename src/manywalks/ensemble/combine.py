"""How the replicates' predictions become the ensemble's: mean, trimmed mean or median."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from manywalks.params.model import EnsembleParams

Mode = Literal["mean", "median", "trimmed"]
Classes = Literal["probability", "logit"]
TRIM = 0.2


@dataclass(frozen=True)
class Combining:
    """How walks are made one.

    Attributes:
        mode: over the walks, at each molecule.
        logits: average logits of probabilities instead of probabilities.
    """

    mode: Mode = "mean"
    logits: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is the mean of the predictions, for which the statement's algebra is exact."""
        return self.mode == "mean" and not self.logits


MEAN = Combining()


def combine(predictions: np.ndarray, how: Combining = MEAN) -> np.ndarray:
    """The ensemble of (m, n) walks, as the ensemble's Keras model has it: (n,) in endpoint units."""
    walks = np.asarray(predictions, dtype=np.float64)
    if how.logits:
        # float32 probabilities reach 0 and 1, whose logits are infinite
        return special.expit(_location(special.logit(np.clip(walks, 1e-7, 1 - 1e-7)), how.mode))
    return _location(walks, how.mode)


def _location(walks: np.ndarray, mode: Mode) -> np.ndarray:
    """(m, n) -> (n,)."""
    if mode == "median":
        return np.median(walks, axis=0)
    if mode == "trimmed":
        cut = int(TRIM * len(walks))
        return np.sort(walks, axis=0)[cut : len(walks) - cut].mean(axis=0)
    return walks.mean(axis=0)


def combining_of(kind: str, ensemble: EnsembleParams) -> Combining:
    """The way of combining for an endpoint of this kind, "regression" or "classification"."""
    return Combining(ensemble.mode, logits=kind == "classification" and ensemble.classes == "logit")


def location(y: np.ndarray, mode: Mode) -> np.ndarray:
    """Mean, median or trimmed mean over the replicates: (m, n, t) -> (n, t)."""
    if mode == "median":
        return np.median(y, axis=0)
    if mode == "trimmed":
        cut = int(TRIM * len(y))
        return np.sort(y, axis=0)[cut : len(y) - cut].mean(axis=0)
    return y.mean(axis=0)
