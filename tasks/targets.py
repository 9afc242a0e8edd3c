"""What the network is trained on: values in network space, weights, kinds, censoring."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Targets:
    """Targets of n molecules and t endpoints, as every engine takes them.

    Attributes:
        values: float32 (n, t), in network space: transformed regression values, classes as 0 or 1;
            0 where nothing was measured.
        weights: float32 (n, t); 0 where nothing was measured.
        censored: int8 (n, t): 0 the value itself, 1 the truth is above `values`, -1 it is below.
        classes: bool (t,): true where the endpoint is a class (the network's output is its logit).
    """

    values: np.ndarray
    weights: np.ndarray
    censored: np.ndarray
    classes: np.ndarray

    def take(self, rows: np.ndarray) -> "Targets":
        """The targets of the given rows, in that order."""
        return Targets(self.values[rows], self.weights[rows], self.censored[rows], self.classes)
