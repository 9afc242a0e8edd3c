"""The scaled features of all families as one matrix, in which each family finds its own columns."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

from manywalks import files
from manywalks.features import Features
from manywalks.train.scaling import Curve, FeatureScaler, check_columns, scale_counts


class _Column(NamedTuple):
    """A scaled column of the union: which raw one, and how it is scaled."""

    raw: int
    how: Hashable


@dataclass(frozen=True)
class UnionScaler:
    """Raw features of all blocks -> the scaled columns that some family uses, each once.

    Attributes:
        columns: names of all raw columns, the sparse ones first.
        scalers: each family's, fitted on its own columns.
    """

    columns: tuple[str, ...]
    scalers: tuple[FeatureScaler, ...]

    def transform(self, features: Features) -> Features:
        """Raw features (n, d) -> scaled ones (n, kept by any family), without NaN; counts stay sparse."""
        check_columns(self.columns, features.names)
        first = features.width - features.dense.shape[1]
        counts = [
            scale_counts(features.counts[:, np.array(raw, dtype=np.int64)], *how)
            for how, raw in self._counts_by_scaling().items()
        ]
        dense = np.empty((len(features), len(self._dense)), dtype=np.float32)
        for place, (column, curve) in enumerate(self._dense.items()):
            dense[:, place] = curve(features.dense[:, column.raw - first])
        together = counts[0] if len(counts) == 1 else sparse.hstack(counts, format="csr")
        return Features(sparse.csr_matrix(together), dense, self.names)

    def transform_each(self, features: Features) -> tuple[Features, ...]:
        """Raw features (n, d) -> each family's scaled ones."""
        whole = self.transform(features)
        return tuple(whole.columns(columns) for columns in self.family_columns)

    def _counts_by_scaling(self) -> dict[tuple[str, float], list[int]]:
        """Raw sparse columns by how they are scaled, in the order of the union."""
        found: dict[tuple[str, float], list[int]] = {(s.counts, s.count_scale): [] for s in self.scalers}
        for column in self._counts:
            found[column.how].append(column.raw)  # pyright: ignore[reportArgumentType]
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the scaled columns, counts first; the second scaling of a column is called name@2."""
        times: Counter[str] = Counter()
        names = []
        for column in (*self._counts, *self._dense):
            name = self.columns[column.raw]
            times[name] += 1
            names.append(name if times[name] == 1 else f"{name}@{times[name]}")
        return tuple(names)

    @cached_property
    def family_columns(self) -> tuple[np.ndarray, ...]:
        """Where each family's columns are in the union, int64, in the order of its own scaler."""
        places = {column: place for place, column in enumerate((*self._counts, *self._dense))}
        found = []
        for scaler in self.scalers:
            own = [*self._own_counts(scaler), *(column for column, _ in self._own_dense(scaler))]
            found.append(np.array([places[column] for column in own], dtype=np.int64))
        return tuple(found)

    @cached_property
    def _counts(self) -> list[_Column]:
        """The union's sparse columns: those of one scaling after those of another."""
        every = dict.fromkeys(column for scaler in self.scalers for column in self._own_counts(scaler))
        scalings = list(dict.fromkeys(column.how for column in every))
        return sorted(every, key=lambda column: scalings.index(column.how))

    @cached_property
    def _dense(self) -> dict[_Column, Curve]:
        """The union's dense columns, each with its curve."""
        return {column: curve for scaler in self.scalers for column, curve in self._own_dense(scaler)}

    @cached_property
    def _raw(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns)}

    def _own_counts(self, scaler: FeatureScaler) -> list[_Column]:
        """A family's sparse columns."""
        how = (scaler.counts, scaler.count_scale)
        return [_Column(self._raw[name], how) for name in scaler.names[: len(scaler.keep_counts)]]

    def _own_dense(self, scaler: FeatureScaler) -> list[tuple[_Column, Curve]]:
        """A family's dense columns, each with its curve."""
        names = scaler.names[len(scaler.keep_counts) :]
        return [
            (_Column(self._raw[name], (curve.median, curve.x.tobytes(), curve.z.tobytes())), curve)
            for name, curve in zip(names, scaler.curves, strict=True)
        ]

    def save(self, path: Path) -> None:
        """Write scaler.npz; the same scalers give the same bytes. One family's file is that of its scaler."""
        if len(self.scalers) == 1 and self.scalers[0].columns == self.columns:
            self.scalers[0].save(path)
            return
        arrays = {"all_columns": np.array(self.columns, dtype=np.str_)}
        for number, scaler in enumerate(self.scalers):
            arrays |= {f"family{number}_{name}": array for name, array in scaler.to_arrays().items()}
        files.write_npz(path, arrays)

    @classmethod
    def load(cls, path: Path) -> "UnionScaler":
        """Read scaler.npz; a ValueError names a missing or damaged file."""
        arrays = files.read_npz(path)
        if "all_columns" not in arrays:
            return cls.of_one(FeatureScaler.from_arrays(arrays))
        scalers: list[FeatureScaler] = []
        while own := _below(arrays, f"family{len(scalers)}_"):
            scalers.append(FeatureScaler.from_arrays(own))
        return cls(tuple(str(name) for name in arrays["all_columns"]), tuple(scalers))

    @classmethod
    def of_one(cls, scaler: FeatureScaler) -> "UnionScaler":
        """The union of one family that sees all columns."""
        return cls(scaler.columns, (scaler,))


def _below(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin with the prefix, without it."""
    return {n.removeprefix(prefix): array for n, array in arrays.items() if n.startswith(prefix)}
