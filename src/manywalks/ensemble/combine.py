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


def combine(predictions: np.ndarray, how: Combining = MEAN) -> np.ndarray:
    """The ensemble of (m, n) replicates, as the ensemble's Keras model has it: (n,) in endpoint units."""
    replicates = np.asarray(predictions, dtype=np.float64)
    if how.logits:
        # float32 probabilities reach 0 and 1, whose logits are infinite
        return special.expit(_location(special.logit(np.clip(replicates, 1e-7, 1 - 1e-7)), how.mode))
    return _location(replicates, how.mode)


def _location(replicates: np.ndarray, mode: Mode) -> np.ndarray:
    """(m, n) -> (n,)."""
    if mode == "median":
        return np.median(replicates, axis=0)
    if mode == "trimmed":
        cut = int(TRIM * len(replicates))
        return np.sort(replicates, axis=0)[cut : len(replicates) - cut].mean(axis=0)
    return replicates.mean(axis=0)


def combining_of(kind: str, ensemble: EnsembleParams) -> Combining:
    """The way of combining for an endpoint of this kind, "regression" or "classification"."""
    return Combining(ensemble.average, logits=kind == "classification" and ensemble.class_average == "logit")


def location(y: np.ndarray, mode: Mode) -> np.ndarray:
    """Mean, median or trimmed mean over the replicates: (m, n, t) -> (n, t)."""
    if mode == "median":
        return np.median(y, axis=0)
    if mode == "trimmed":
        cut = int(TRIM * len(y))
        return np.sort(y, axis=0)[cut : len(y) - cut].mean(axis=0)
    return y.mean(axis=0)
