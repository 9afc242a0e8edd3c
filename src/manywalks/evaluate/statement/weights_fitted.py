"""What the statement says of fitted weights of the families: how far fitting them again would move it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from manywalks.replicates.combine import Combining, combine, finite_logits, location


def weights_fitted(
    fitted: dict[str, Any],
    families: Sequence[np.ndarray],
    weights: np.ndarray,
    how: Combining,
    unit: str,
) -> dict[str, Any]:
    """One endpoint's fitted weights, as statement.json has them, with a sentence about them.

    Args:
        fitted: the endpoint's entry of weights.json.
        families: each family's replicates (m, n) out of sample, in endpoint units.
        weights: (f,) of the families.
        how: replicates are made one.
        unit: of the endpoint, "" for none and for classes.
    """
    if fitted["why"] is not None:
        said = f"The families have their given weights: {fitted['why']}."
        return {"luck": 1.0, "molecules": fitted["molecules"], "refitting": 0.0, "sentence": said}
    moved = moved_by_refitting(families, weights, np.array(fitted["covariance"]), how)
    apart = f"{moved:.2g}{f' {unit}' if unit else ''}"
    said = "That is with the same weights of the families"
    if fitted["luck"] == 1:
        said += ", which are the given ones: all that others would gain may be luck"
    again = f" Weights fitted again, on other networks, would move it by about {apart}." if moved else ""
    return {
        "luck": fitted["luck"],
        "molecules": fitted["molecules"],
        "refitting": moved,
        "sentence": f"{said}.{again}",
    }


def moved_by_refitting(
    families: Sequence[np.ndarray], weights: np.ndarray, covariance: np.ndarray, how: Combining
) -> float:
    """Root mean square difference of two ensembles of the same replicates, with weights fitted twice.

    Args:
        families: each family's replicates (m, n); a molecule that one of them does not take is left out.
        weights: (f,).
        covariance: (f, f) of the weights, from one fit to the next.
        how: replicates are made one.
    """
    taken = ~np.any([np.isnan(one).any(axis=0) for one in families], axis=0)
    if how.logits:
        each = np.stack([location(finite_logits(one[:, taken]), how.mode) for one in families])
        p = 1 / (1 + np.exp(-(weights @ each)))
        each = each * p * (1 - p)
    else:
        each = np.stack([combine(one[:, taken], how) for one in families])
    # weights sum to one, so what all families share does not move
    apart = each - each.mean(axis=0)
    if not apart.size:
        return 0.0
    return math.sqrt(max(0.0, 2 * float((covariance * (apart @ apart.T)).sum()) / apart.shape[1]))
