"""Scaling of the features, fitted on the train rows alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse, special

from manywalks import files
from manywalks.features import Features
from manywalks.graph_layout import PREFIX
from manywalks.params.sections.model import TransformParams

KNOTS = 256  # a descriptor with more distinct train values than this is thinned to as many quantiles


class Curve(NamedTuple):
    """How one descriptor is scaled: NaN becomes `median`, then linear between knots (x, z), flat beyond.

    Without knots, the values stay as they are.
    """

    median: float
    x: np.ndarray
    z: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Raw values (n,) -> float32 (n,), scaled."""
        filled = np.where(np.isnan(values), self.median, values)
        return (np.interp(filled, self.x, self.z) if len(self.x) else filled).astype(np.float32)


# a molecule without features has NaN, which becomes an empty slot of a graph
AS_IT_IS = Curve(0.0, np.empty(0), np.empty(0))


@dataclass(frozen=True)
class FeatureScaler:
    """What becomes of raw features before a network sees them.

    Columns that are constant on the train rows, or equal there to an earlier one, are dropped. Those of the
    block `graph` are all kept, and as they are.

    Attributes:
        columns: names of the d raw columns.
        names: names of the kept columns, counts first.
        counts: "log1p", "none" or "binary".
        count_scale: what counts are multiplied by after that.
        keep_counts: int64, kept columns of the sparse part.
        keep_dense: int64 (k,), kept columns of the real-valued part.
        curves: the scaling of each of these k columns.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    counts: str
    count_scale: float
    keep_counts: np.ndarray
    keep_dense: np.ndarray
    curves: tuple[Curve, ...]

    @classmethod
    def fit(cls, features: Features, params: TransformParams) -> "FeatureScaler":
        """Learn the scaling from the train rows (n, d)."""
        if len(features) == 0:
            raise ValueError("split: the train subset has no molecules; give it more")
        keep_counts = _distinct_counts(scale_counts(features.counts, params.counts, params.count_scale))
        # the graph's columns are the last
        graph = sum(name.startswith(f"{PREFIX}:") for name in features.names)
        plain = features.dense.T[: features.dense.shape[1] - graph]
        fitted = [fit_curve(column, params) for column in plain] + [AS_IT_IS] * graph
        distinct = _distinct([c(column) for c, column in zip(fitted, plain, strict=False)])
        keep_dense = np.concatenate([distinct, len(plain) + np.arange(graph)])
        kept = np.concatenate([keep_counts, features.width - features.dense.shape[1] + keep_dense])
        if len(kept) == 0:
            raise ValueError("featurize.blocks: every feature is constant on the train subset; choose others")
        return cls(
            columns=features.names,
            names=tuple(features.names[column] for column in kept),
            counts=params.counts,
            count_scale=params.count_scale,
            keep_counts=keep_counts,
            keep_dense=keep_dense,
            curves=tuple(fitted[column] for column in keep_dense),
        )

    def transform(self, features: Features) -> Features:
        """Raw features (n, d) -> scaled ones (n, kept), without NaN; counts stay sparse."""
        check_columns(self.columns, features.names)
        dense = np.empty((len(features), len(self.curves)), dtype=np.float32)
        for kept, (column, curve) in enumerate(zip(self.keep_dense, self.curves, strict=True)):
            dense[:, kept] = curve(features.dense[:, column])
        counts = scale_counts(features.counts[:, self.keep_counts], self.counts, self.count_scale)
        return Features(counts, dense, self.names)

    def save(self, path: Path) -> None:
        """Write scaler.npz; the same scaler gives the same bytes."""
        files.write_npz(path, self.to_arrays())

    @classmethod
    def load(cls, path: Path) -> "FeatureScaler":
        """Read scaler.npz; a ValueError names a missing or damaged file."""
        return cls.from_arrays(files.read_npz(path))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The scaler as arrays of an .npz."""
        return {
            "columns": np.array(self.columns, dtype=np.str_),
            "names": np.array(self.names, dtype=np.str_),
            "counts": np.array(self.counts, dtype=np.str_),
            "count_scale": np.array(self.count_scale),
            "keep_counts": self.keep_counts,
            "keep_dense": self.keep_dense,
            "median": np.array([curve.median for curve in self.curves]),
            "knots": np.array([len(curve.x) for curve in self.curves], dtype=np.int64),
            "x": np.concatenate([np.empty(0), *(curve.x for curve in self.curves)]),
            "z": np.concatenate([np.empty(0), *(curve.z for curve in self.curves)]),
        }

    @classmethod
    def from_arrays(cls, a: dict[str, np.ndarray]) -> "FeatureScaler":
        """What `to_arrays` gave."""
        ends = np.cumsum(a["knots"])
        parts = [slice(end - size, end) for end, size in zip(ends, a["knots"], strict=True)]
        curves = (Curve(float(m), a["x"][p], a["z"][p]) for m, p in zip(a["median"], parts, strict=True))
        return cls(
            columns=tuple(str(name) for name in a["columns"]),
            names=tuple(str(name) for name in a["names"]),
            counts=str(a["counts"]),
            count_scale=float(a["count_scale"]),
            keep_counts=a["keep_counts"],
            keep_dense=a["keep_dense"],
            curves=tuple(curves),
        )


def fit_curve(column: np.ndarray, params: TransformParams) -> Curve:
    """The scaling of one descriptor from its train values (n,), NaN where it has none."""
    values = column[~np.isnan(column)].astype(np.float64)
    if len(values) == 0:
        return Curve(0.0, np.zeros(1), np.zeros(1))
    median = float(np.median(values))
    if params.descriptors == "none":
        return Curve(median, np.empty(0), np.empty(0))
    if params.descriptors == "standard":
        sd = float(values.std()) or 1.0
        reach = params.clip * sd
        return Curve(median, values.mean() + np.array([-reach, reach]), np.array([-params.clip, params.clip]))
    return Curve(median, *normal_scores(values, params.clip))


def normal_scores(values: np.ndarray, clip: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """Knots x, z that take a sample (n,) to a normal one; equal values share their middle rank.

    (scikit-learn's QuantileTransformer sends the smallest value to its lowest score however often it
    occurs: a fragment count that is mostly 0 would then stand at -clip for nearly every molecule.)
    """
    x, repeats = np.unique(values, return_counts=True)
    rank = (np.cumsum(repeats) - repeats / 2) / len(values)
    if len(x) > KNOTS:
        chosen = np.unique(np.searchsorted(rank, np.linspace(rank[0], rank[-1], KNOTS)))
        x, rank = x[chosen], rank[chosen]
    return x, np.clip(special.ndtri(rank), -clip, clip)


def scale_counts(counts: sparse.csr_matrix, how: str, scale: float) -> sparse.csr_matrix:
    """Counts (n, d) as the network takes them; zeros stay zeros."""
    data = counts.data.astype(np.float32)
    if how == "log1p":
        data = np.log1p(data)
    if how == "binary":
        data = (data != 0).astype(np.float32)
    data = data * np.float32(scale)
    return sparse.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)


def _distinct_counts(counts: sparse.csr_matrix) -> np.ndarray:
    """Columns that vary and equal no earlier one, int64."""
    columns = sparse.csc_matrix(counts)
    columns.sort_indices()
    columns.eliminate_zeros()
    seen: set[bytes] = set()
    kept = []
    n = len(counts.indptr) - 1
    for column in range(len(columns.indptr) - 1):
        part = slice(columns.indptr[column], columns.indptr[column + 1])
        rows, values = columns.indices[part], columns.data[part]
        constant = len(rows) == 0 or (len(rows) == n and values.min() == values.max())
        key = _digest([rows.astype(np.int64), values])
        if not constant and key not in seen:
            kept.append(column)
        seen.add(key)
    return np.array(kept, dtype=np.int64)


def _distinct(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Columns (n,) that vary and equal no earlier one, int64."""
    first: dict[bytes, int] = {}
    for index, column in enumerate(columns):
        if column.min() < column.max():
            first.setdefault(_digest([column]), index)
    return np.array(list(first.values()), dtype=np.int64)


def _digest(arrays: Sequence[np.ndarray]) -> bytes:
    """The same for the same content (a digest, since whole columns as keys would hold them all)."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update((array + 0).tobytes())  # + 0 makes -0.0 equal to 0.0
    return digest.digest()


def check_columns(expected: tuple[str, ...], given: tuple[str, ...]) -> None:
    """Columns must be those of the fit, in that order."""
    if expected == given:
        return
    if len(expected) != len(given):
        raise ValueError(
            f"features: {len(given)} columns where the scaler has {len(expected)}; featurize again"
        )
    place = next(i for i, (a, b) in enumerate(zip(expected, given, strict=True)) if a != b)
    raise ValueError(
        f"features: column {place} is {given[place]!r}, the scaler has {expected[place]!r}; featurize again"
    )
