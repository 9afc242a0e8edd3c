"""The statement's bound where it is wider: far from the training molecules, and at the worst molecule."""

from typing import Any

import numpy as np

from manywalks.evaluate.statement.pairs import ensemble_pairs
from manywalks.evaluate.statement.statement import Terms
from manywalks.replicates.combine import as_means
from manywalks.replicates.statistics.bound import difference_bound, molecule_bounds

QUARTERS = 4
# fewer molecules than this have no bound of their own worth reading
LEAST = 8
WORST = 10


def bounds_by_distance(replicates: np.ndarray, similarity: np.ndarray, terms: Terms) -> list[dict[str, Any]]:
    """The bound over each quarter of the molecules, by similarity to the nearest training molecule.

    The bound over all says little of the far ones: replicates part most where nothing holds them together.

    Args:
        replicates: (m, n) in endpoint units.
        similarity: (n,) Tanimoto to the nearest training molecule; NaN without a fingerprint.
        terms: what the statement goes by.

    Returns:
        From the farthest on: {"similarity_low", "similarity_high", "molecules", "difference_bound"}; none
        where the quarters would hold fewer than 8 molecules each.
    """
    known = np.flatnonzero(np.isfinite(similarity))
    if known.size < QUARTERS * LEAST:
        return []
    found = []
    for rows in np.array_split(known[np.argsort(similarity[known], kind="stable")], QUARTERS):
        own = difference_bound(
            replicates[:, rows], terms.confidence, adaptive=terms.adaptive, how=terms.combining
        )
        found.append(
            {
                "similarity_low": float(similarity[rows].min()),
                "similarity_high": float(similarity[rows].max()),
                "molecules": int(rows.size),
                "difference_bound": own.bound,
            }
        )
    return found


def worst_molecules(replicates: np.ndarray, terms: Terms) -> dict[str, Any]:
    """Where a retrained ensemble may be farthest from this one, of (m, n) replicates.

    Returns:
        "expected": the largest difference of any molecule, mean over emulated pairs of ensembles; "places"
        and "bounds": the up to ten molecules with the widest bounds of their own, widest first.
    """
    pairs = ensemble_pairs(replicates, terms.combining)
    own = molecule_bounds(as_means(replicates, terms.combining), terms.confidence, mode=terms.combining.mode)
    places = np.argsort(-own, kind="stable")[:WORST]
    return {
        "expected": float(np.abs(pairs.one - pairs.other).max(axis=1).mean()),
        "places": places.tolist(),
        "bounds": own[places].tolist(),
    }
