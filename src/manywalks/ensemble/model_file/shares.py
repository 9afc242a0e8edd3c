"""The families' shares in the average, in the ensemble's Keras model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from manywalks.replicates.statistics.mixing import Share
from manywalks.train.keras_engine.model import import_keras


def shares_in_keras(features: Any, families: Sequence[tuple[Share, int | None]]) -> list[Any]:
    """Each family's share in the average: a number, or (t,) where each endpoint has its own.

    Where it differs between molecules it is (b, 1, 1) or (b, 1, t).

    Args:
        features: scaled, of all families (b, d).
        families: each one's weight, and the feature that is 1 where a molecule is too large for its graph.
    """
    ops = import_keras().ops
    weights: list[Any] = [_number_or_row(weight) for weight, _ in families]
    for place, (_, column) in enumerate(families):
        if column is not None:
            larger = features[:, column : column + 1]
            weights[place] = ops.expand_dims((1.0 - larger) * weights[place], 1)
    # tensors first: NumPy cannot add one of Keras's to an array of its own
    symbolic = [weight for weight in weights if not isinstance(weight, float | np.ndarray)]
    total = sum([*symbolic, *(weight for weight in weights if isinstance(weight, float | np.ndarray))])
    return [ops.divide(weight, total) if symbolic else weight / total for weight in weights]


def _number_or_row(weight: Share) -> float | np.ndarray:
    """A family's weight as Keras multiplies by it: float32 (t,) where it is one for each endpoint."""
    return np.array(weight, dtype=np.float32) if isinstance(weight, tuple) else float(weight)


def average_in_keras(arrays: Sequence[Any], shares: Sequence[Any]) -> Any:
    """The mean of arrays (b, m, t), with weights that sum to 1."""
    if len(arrays) == 1:
        return arrays[0]
    total = arrays[0] * shares[0]
    for array, share in zip(arrays[1:], shares[1:], strict=True):
        total = total + array * share
    return total
