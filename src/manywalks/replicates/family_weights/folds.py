"""The training molecules in folds: each is predicted by networks that were trained on the others."""

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Folds:
    """Which molecules the networks of each fold train on.

    Attributes:
        subsets: str (k, n): of each fold the subset of every molecule; "test" is predicted out of fold, ""
            has no part in it.
        each: so many replicates in a row belong to a fold.
    """

    subsets: np.ndarray
    each: int

    @property
    def indices(self) -> range:
        """All replicates: those of the first fold first."""
        return range(len(self.subsets) * self.each)

    def fold_of(self, index: int) -> int:
        """Which fold a replicate belongs to."""
        return index // self.each

    def place_of(self, rows: np.ndarray) -> np.ndarray:
        """The fold that predicts each of these molecules (k,); the first where none does."""
        return (self.subsets[:, rows] == "test").argmax(axis=0)

    @property
    def digest(self) -> str:
        """A name for who is in which fold."""
        content = "\n".join(",".join(fold) for fold in self.subsets.tolist())
        return hashlib.sha256(content.encode()).hexdigest()[:16]
