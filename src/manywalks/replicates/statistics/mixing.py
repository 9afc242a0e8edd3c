"""A replicate's prediction from its families' predictions: their mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from manywalks.params.load import Params
from manywalks.params.sections.families import families_of


@dataclass(frozen=True)
class Mixing:
    """How the families of a replicate become one prediction.

    Attributes:
        logits: average the logits of classes instead of their probabilities.
        weights: of the families, summing to 1; equal where None.
    """

    logits: bool = False
    weights: tuple[float, ...] | None = None

    @classmethod
    def of(cls, params: Params) -> "Mixing":
        """As the parameters ask."""
        weights = [family.weight for family in families_of(params)]
        shares = tuple(weight / sum(weights) for weight in weights)
        return cls(params.ensemble.class_average == "logit", shares)


EVENLY = Mixing()


def in_endpoint_units(predictions: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Kept predictions (..., t), with the logits of the columns `classes` as probabilities."""
    if not classes:
        return predictions
    found = predictions.astype(np.float64)
    found[..., list(classes)] = special.expit(found[..., list(classes)])
    return found


def average(families: Sequence[np.ndarray], how: Mixing) -> np.ndarray:
    """The weighted mean of the families' arrays, all of one shape.

    A family that has NaN at a molecule does not take it (its graph is too large): the others share its
    weight.
    """
    values = np.stack(families)
    silent = np.isnan(values)
    if not silent.any():
        return np.average(values, axis=0, weights=how.weights)
    shares = np.ones(len(values)) if how.weights is None else np.array(how.weights)
    weights = np.where(silent, 0.0, shares.reshape(-1, *[1] * (values.ndim - 1)))
    total = weights.sum(axis=0)
    summed = (weights * np.where(silent, 0.0, values)).sum(axis=0)
    return np.divide(summed, total, out=np.full_like(summed, np.nan), where=total > 0)


def mix(predictions: Sequence[np.ndarray], classes: Sequence[int], how: Mixing) -> np.ndarray:
    """Each family's prediction (..., t), logits of classes -> the replicate's (..., t) in endpoint units."""
    if len(predictions) == 1:
        return in_endpoint_units(predictions[0], classes)
    each = [one.astype(np.float64) for one in predictions]
    if how.logits:
        return in_endpoint_units(average(each, how), classes)
    return average([in_endpoint_units(one, classes) for one in each], how)
