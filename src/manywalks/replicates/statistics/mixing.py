"""A replicate's prediction from its families' predictions: their mean."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from manywalks.params.load import Params
from manywalks.params.sections.families import families_of

# of a family: one for all endpoints, or one for each
Share = float | tuple[float, ...]


@dataclass(frozen=True)
class Mixing:
    """How the families of a replicate become one prediction.

    Attributes:
        logits: average the logits of classes instead of their probabilities.
        weights: of the families, summing to 1 at each endpoint; equal where None.
    """

    logits: bool = False
    weights: tuple[Share, ...] | None = None

    @classmethod
    def of(cls, params: Params) -> "Mixing":
        """As the parameters give them: by the families' own `weight`."""
        weights = [family.weight for family in families_of(params)]
        shares = tuple(weight / sum(weights) for weight in weights)
        return cls(params.ensemble.class_average == "logit", shares)

    def at(self, columns: Sequence[int]) -> "Mixing":
        """The same for some of the endpoints, by their columns."""
        if self.weights is None:
            return self
        return replace(self, weights=tuple(share_at(share, columns) for share in self.weights))


EVENLY = Mixing()


def share_at(share: Share, columns: Sequence[int]) -> Share:
    """A family's share at these endpoints."""
    return tuple(share[column] for column in columns) if isinstance(share, tuple) else share


def weights_at(how: Mixing, column: int, families: int) -> np.ndarray:
    """The families' shares (f,) at the endpoint in this column."""
    if how.weights is None:
        return np.full(families, 1 / families)
    return np.array([share[column] if isinstance(share, tuple) else share for share in how.weights])


def shares_of(weights: Sequence[float | Sequence[float]]) -> tuple[Share, ...]:
    """Weights of the families, each one number or one for each endpoint, as shares that sum to 1."""
    arrays = [np.asarray(weight, dtype=np.float64) for weight in weights]
    total = sum(arrays)
    found = [array / total for array in arrays]
    return tuple(float(one) if one.ndim == 0 else tuple(one.tolist()) for one in found)


def in_endpoint_units(predictions: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Kept predictions (..., t), with the logits of the columns `classes` as probabilities."""
    if not classes:
        return predictions
    found = predictions.astype(np.float64)
    found[..., list(classes)] = special.expit(found[..., list(classes)])
    return found


def average(families: Sequence[np.ndarray], how: Mixing) -> np.ndarray:
    """The weighted mean of the families' arrays, all of one shape (..., t).

    A family that has NaN at a molecule does not take it (its graph is too large): the others share its
    weight.
    """
    values = np.stack(families)
    silent, shares = np.isnan(values), _shares(how, values)
    if not silent.any():
        if shares.shape[-1] == 1:
            return np.average(values, axis=0, weights=shares.ravel())
        return (values * shares).sum(axis=0)
    weights = np.where(silent, 0.0, shares)
    total = weights.sum(axis=0)
    summed = (weights * np.where(silent, 0.0, values)).sum(axis=0)
    return np.divide(summed, total, out=np.full_like(summed, np.nan), where=total > 0)


def _shares(how: Mixing, values: np.ndarray) -> np.ndarray:
    """Shares as an array that multiplies values (f, ..., t): (f, 1, ..., t or 1)."""
    if how.weights is None:
        return np.ones((len(values), *[1] * (values.ndim - 1)))
    shares = np.array(how.weights, dtype=np.float64)
    return shares.reshape(len(values), *[1] * (values.ndim - 2), -1)


def mix(predictions: Sequence[np.ndarray], classes: Sequence[int], how: Mixing) -> np.ndarray:
    """Each family's prediction (..., t), logits of classes -> the replicate's (..., t) in endpoint units."""
    if len(predictions) == 1:
        return in_endpoint_units(predictions[0], classes)
    each = [one.astype(np.float64) for one in predictions]
    if how.logits:
        return in_endpoint_units(average(each, how), classes)
    return average([in_endpoint_units(one, classes) for one in each], how)
