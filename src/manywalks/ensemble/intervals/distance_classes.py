"""Widths of intervals by distance from the training molecules (Mondrian intervals).

Errors grow with the distance from what was trained on, and the spread of the replicates tells only a part of
it. With one quantile for all, intervals of 90 % held 82 to 89 % of the farthest third of molecules on five
real tables, and 92 to 98 % of the nearest. So where there are enough valid molecules, each third of them by
similarity to the nearest training molecule has a quantile of its own (benchmarks/mondrian.py).
"""

import math
from dataclasses import dataclass

import numpy as np

CLASSES = 3
# a class of fewer valid molecules has no quantile of its own: one or two outliers would make its width
LEAST = 60


@dataclass(frozen=True)
class DistanceClasses:
    """Rising scores of the valid molecules of each class.

    Attributes:
        edges: similarities between the classes, rising; what is as similar as an edge lies above it.
        scores: of each class, the farthest molecules first.
    """

    edges: tuple[float, ...] = ()
    scores: tuple[tuple[float, ...], ...] = ()

    def quantiles(self, coverage: float, similarity: np.ndarray, otherwise: float) -> np.ndarray:
        """Half widths over the predicted sd (n,), by each molecule's class.

        Args:
            coverage: of the intervals.
            similarity: (n,) to the nearest training molecule, NaN where it is not known.
            otherwise: that of all molecules, where a class has too few or the similarity is not known.
        """
        own = np.array([_quantile(scores, coverage, otherwise) for scores in self.scores] or [otherwise])
        if not self.scores:
            return np.full(similarity.shape, otherwise)
        found = own[np.searchsorted(self.edges, similarity, side="right").clip(0, len(own) - 1)]
        return np.where(np.isfinite(similarity), found, otherwise)


def fit_classes(scores: np.ndarray, similarity: np.ndarray) -> DistanceClasses:
    """Thirds of n molecules by similarity; none where one of them would have too few molecules.

    Args:
        scores: (n,) |error| / predicted sd.
        similarity: (n,) to the nearest training molecule.
    """
    known = np.isfinite(similarity)
    if known.sum() < CLASSES * LEAST:
        return DistanceClasses()
    edges = np.quantile(similarity[known], np.linspace(0, 1, CLASSES + 1)[1:-1])
    own = np.searchsorted(edges, similarity[known], side="right")
    parts = [np.sort(scores[known][own == number]) for number in range(CLASSES)]
    if min(part.size for part in parts) < LEAST:
        return DistanceClasses()
    return DistanceClasses(tuple(edges.tolist()), tuple(tuple(part.tolist()) for part in parts))


def _quantile(scores: tuple[float, ...], coverage: float, otherwise: float) -> float:
    """The conformal quantile of a class; that of all molecules where the class has too few for it."""
    rank = math.ceil((len(scores) + 1) * coverage)
    return scores[rank - 1] if rank <= len(scores) else otherwise
