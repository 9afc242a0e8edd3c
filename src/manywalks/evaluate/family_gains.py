"""What each family of networks brings: its own score, the score without it, and whose errors are alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from manywalks.evaluate.registry import MAIN
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.sections.families import Family
from manywalks.replicates.combine import Combining, combine, finite_logits

# a family's errors are compared with another's over at least so many molecules
LEAST = 10


def family_gains(
    families: Sequence[Family],
    weights: np.ndarray,
    predictions: Sequence[np.ndarray],
    observed: np.ndarray,
    relation: np.ndarray,
    *,
    kind: str,
    threshold: float,
    how: Combining,
) -> list[dict[str, Any]]:
    """One endpoint's families, each with what it brings; nothing where there is one alone.

    Args:
        families: f of them.
        weights: (f,), as they are averaged at this endpoint, summing to 1.
        predictions: each family's replicates (m, n), in endpoint units.
        observed, relation: of the n molecules, as in the curated table. Those that a family does not take
            are left out.
        kind: of the endpoint, "regression" or "classification".
        threshold: of decisions, for classes.
        how: replicates are made one by.

    Returns:
        For each family its name, `weight`, `given` (its weight by the parameters; both sum to 1), blocks,
        `score` (of its ensemble alone), `without` (of the others' mix), and `error_correlation` (by family:
        Pearson, over molecules with exact values).
    """
    if len(families) < 2:
        return []
    # a network on graphs has NaN where the molecule is too large for it
    taken = ~np.any([np.isnan(one).any(axis=0) for one in predictions], axis=0)
    predictions = [one[:, taken] for one in predictions]
    observed, relation = observed[taken], relation[taken]
    given = np.array([family.weight for family in families])
    ensembles = [combine(one, how) for one in predictions]
    errors = np.stack(ensembles) - observed
    exact = np.isfinite(observed) & (relation == "=")
    metric = MAIN[kind]  # pyright: ignore[reportArgumentType]

    def score(ensemble: np.ndarray) -> float | None:
        found = endpoint_metrics(observed, ensemble, kind=kind, relation=relation, threshold=threshold)
        return found[metric]

    found = []
    for place, family in enumerate(families):
        others = [one for one in range(len(families)) if one != place]
        shares = weights[others] / weights[others].sum()
        rest = _mixed([predictions[one] for one in others], shares, how)
        found.append(
            {
                "family": family.name,
                "weight": float(weights[place]),
                "given": float(given[place] / given.sum()),
                "blocks": [block.called for block in family.params.featurize.blocks],
                "metric": metric,
                "score": score(ensembles[place]),
                "without": score(combine(rest, how)),
                "error_correlation": {
                    families[one].name: _correlation(errors[place, exact], errors[one, exact])
                    for one in others
                },
            }
        )
    return found


def _mixed(predictions: Sequence[np.ndarray], shares: np.ndarray, how: Combining) -> np.ndarray:
    """The weighted mean of families (m, n), of logits where those are averaged."""
    if how.logits:
        return special.expit(np.average([finite_logits(one) for one in predictions], axis=0, weights=shares))
    return np.average(predictions, axis=0, weights=shares)


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    """Pearson's correlation; None for few molecules, or errors that are all alike."""
    if len(one) < LEAST or one.std() == 0 or other.std() == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])
