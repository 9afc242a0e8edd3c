"""What a list of molecules tells of two ensembles' agreement over it, added up chunk by chunk.

All that the bound needs is the replicates' matrix of inner products, a sum over molecules. So lists of any
size take the same memory, and a run that goes on after a break adds what was kept.
"""

import io
import operator
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from functools import reduce

import numpy as np

from manywalks import files
from manywalks.params.sections.cut import Cut
from manywalks.replicates.combine import Mode
from manywalks.replicates.statistics.decisions import difference_error, flip_chances, nearness_weights


@dataclass(frozen=True)
class ListSums:
    """Sums over the molecules of a list, of one endpoint with m replicates.

    Attributes:
        molecules: how many.
        gram: (m, m) inner products of the replicates' deviations from their mean, in the unit squared.
        near: (m, m) the same, each molecule weighted by how near it is to the cut-off.
        selected: molecules that the ensemble selects.
        flips: sum of the chances that a retrained ensemble decides otherwise.
        flips_variance: sum of chance * (1 - chance).
    """

    molecules: int
    gram: np.ndarray
    near: np.ndarray
    selected: int
    flips: float
    flips_variance: float

    @classmethod
    def of(
        cls,
        moved: np.ndarray,
        centre: np.ndarray,
        cut: Cut | None,
        mode: Mode = "mean",
        *,
        other: int | None = None,
    ) -> "ListSums":
        """Of n molecules.

        Args:
            moved: (m, n) replicates whose mean moves as the ensemble does (`combine.as_means`).
            centre: (n,) the ensemble's predictions.
            cut: where decisions change; None where there are none.
            mode: how the replicates are combined.
            other: replicates of the retrained ensemble; m where None.
        """
        m, n = moved.shape
        deviation = moved - moved.mean(axis=0)
        gram = deviation @ deviation.T
        if cut is None:
            return cls(n, gram, np.zeros((m, m)), 0, 0.0, 0.0)
        error = difference_error(moved.std(axis=0, ddof=1), m, mode, other=other)
        chances = flip_chances(centre, error, cut, m)
        weights = nearness_weights(centre, error, cut, m)
        near = (deviation * weights) @ deviation.T
        selected = int(np.count_nonzero(cut.selects(centre)))
        return cls(n, gram, near, selected, float(chances.sum()), float(np.sum(chances * (1 - chances))))

    def __add__(self, other: "ListSums") -> "ListSums":
        """Of both lists together."""
        return ListSums(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


def added(parts: Sequence[tuple[ListSums, ...]]) -> tuple[ListSums, ...]:
    """The sums of t endpoints over all parts of a list."""
    return tuple(reduce(operator.add, of_endpoint) for of_endpoint in zip(*parts, strict=True))


def to_bytes(sums: tuple[ListSums, ...]) -> bytes:
    """The sums of t endpoints, to be kept beside the predictions that they belong to."""
    arrays = {
        f"{number}_{field.name}": np.asarray(getattr(one, field.name))
        for number, one in enumerate(sums)
        for field in fields(ListSums)
    }
    return files.npz_bytes(arrays)


def from_bytes(content: bytes) -> tuple[ListSums, ...]:
    """What `to_bytes` kept."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        count = len(arrays.files) // len(fields(ListSums))
        return tuple(
            ListSums(
                **{
                    field.name: a if (a := arrays[f"{number}_{field.name}"]).ndim else a.item()
                    for field in fields(ListSums)
                }
            )
            for number in range(count)
        )
