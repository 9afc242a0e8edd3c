"""A retrained ensemble with weights of the families that were fitted again, beside the model."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from manywalks.evaluate.statement.weights_fitted import moved_by_refitting
from manywalks.formatting import told_apart
from manywalks.replicates.combine import Combining, combine


def refitted_weights(
    model: np.ndarray,
    refitted: np.ndarray,
    families: Sequence[np.ndarray],
    weights: dict[str, tuple[float, float]],
    *,
    covariance: np.ndarray,
    expected: float,
    how: Combining,
) -> dict[str, Any]:
    """One endpoint's difference where the weights were fitted again too.

    Args:
        model: (m, n) of the model's replicates out of sample, in endpoint units.
        refitted: (k, n) of fresh ones, mixed with the weights that were fitted on fresh networks.
        families: the model's replicates family by family, (m, n) each.
        weights: by family that of the model and the one fitted again.
        covariance: (f, f) of the model's weights, from one fit to the next.
        expected: difference of two ensembles with the same weights.
        how: replicates are made one.
    """
    apart = combine(model, how) - combine(refitted, how)
    own = np.array([one for one, _ in weights.values()])
    return {
        "difference": math.sqrt(np.mean(apart**2)),
        "difference_expected": math.hypot(expected, moved_by_refitting(families, own, covariance, how)),
        "weights": {name: {"model": one, "refitted": other} for name, (one, other) in weights.items()},
    }


def refitted_sentence(found: dict[str, Any], unit: str) -> str:
    """The same in words."""
    after = f" {unit}" if unit else ""
    apart, expected = told_apart(found["difference"], found["difference_expected"])
    said = "; ".join(
        f"{name} {one['refitted']:.2f}, {one['model']:.2f} in the model"
        for name, one in found["weights"].items()
    )
    return (
        f"With weights of the families fitted again too ({said}), they differ by {apart}{after}; about "
        f"{expected}{after} is expected."
    )
