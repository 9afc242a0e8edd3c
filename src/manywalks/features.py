"""The feature matrix: counts kept sparse, descriptors kept dense, columns named.

A column's name begins with its block's, up to the colon.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from manywalks import files


@dataclass(frozen=True)
class Features:
    """Features of n molecules; the matrix is `counts` then `dense`, column after column.

    Attributes:
        counts: sparse float32 CSR (n, d_counts): hashed counts, bits.
        dense: float32 (n, d_dense): real-valued descriptors; NaN where RDKit has no value.
        names: the d = d_counts + d_dense column names, in that order.
    """

    counts: sparse.csr_matrix
    dense: np.ndarray
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Shapes and names must agree."""
        rows, _ = self._count_shape()
        if rows != len(self.dense):
            raise ValueError(f"features: {rows} rows of counts, {len(self.dense)} of descriptors")
        if self.width != len(self.names):
            raise ValueError(f"features: {len(self.names)} names for {self.width} columns")

    def __len__(self) -> int:
        return len(self.dense)

    @property
    def width(self) -> int:
        """d, the number of columns."""
        return self._count_shape()[1] + self.dense.shape[1]

    def _count_shape(self) -> tuple[int, int]:
        """(n, d_counts); SciPy's own type says that a matrix may have none."""
        rows, columns = self.counts.shape or (0, 0)
        return rows, columns

    def take(self, rows: np.ndarray) -> "Features":
        """The features of the given rows, in that order."""
        return Features(self.counts[rows], self.dense[rows], self.names)

    def of_blocks(self, blocks: Collection[str]) -> "Features":
        """The columns of these blocks alone, in their present order."""
        wanted = np.flatnonzero([_block(name) in blocks for name in self.names])
        return self if len(wanted) == self.width else self.columns(wanted)

    def columns(self, wanted: np.ndarray) -> "Features":
        """The columns `wanted` (k,) of the matrix, in that order; the sparse ones come first."""
        first = self._count_shape()[1]
        counts, dense = wanted[wanted < first], wanted[wanted >= first] - first
        names = tuple(self.names[column] for column in wanted)
        return Features(self.counts[:, counts], self.dense[:, dense], names)

    def without(self, block: str) -> "Features":
        """The columns of all other blocks."""
        wanted = np.flatnonzero([_block(name) != block for name in self.names])
        return self if len(wanted) == self.width else self.columns(wanted)

    def block_digests(self) -> dict[str, str]:
        """By block: the same text for the same columns of the same molecules."""
        return {block: self.of_blocks([block])._digest() for block in dict.fromkeys(map(_block, self.names))}

    def _digest(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        counts = [self.counts.data, self.counts.indices.astype(np.int64), self.counts.indptr.astype(np.int64)]
        for array in (*counts, self.dense):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update("\n".join(self.names).encode())
        return digest.hexdigest()

    def matrix(self) -> np.ndarray:
        """The whole matrix as dense float32 (n, d)."""
        return np.concatenate([self.counts.toarray(), self.dense], axis=1).astype(np.float32, copy=False)

    def save(self, path: Path) -> None:
        """Write features.npz, the digest of each block in it."""
        digests = self.block_digests()
        files.write_npz(
            path,
            {
                "data": self.counts.data.astype(np.float32),
                "indices": self.counts.indices.astype(np.int32),
                "indptr": self.counts.indptr.astype(np.int64),
                "shape": np.array(self.counts.shape, dtype=np.int64),
                "dense": self.dense.astype(np.float32),
                "names": np.array(self.names, dtype=np.str_),
                "blocks": np.array(list(digests), dtype=np.str_),
                "digests": np.array(list(digests.values()), dtype=np.str_),
            },
        )

    @classmethod
    def load(cls, path: Path | str) -> "Features":
        """Read features.npz; a ValueError names a missing or damaged file."""
        a = files.read_npz(Path(path))
        counts = sparse.csr_matrix((a["data"], a["indices"], a["indptr"]), shape=tuple(a["shape"]))
        return cls(counts, a["dense"], tuple(str(name) for name in a["names"]))


def read_block_digests(path: Path) -> dict[str, str]:
    """`block_digests` of a features.npz, without reading the matrix; a ValueError names a damaged file."""
    a = files.read_npz(path, only=("blocks", "digests"))
    return dict(zip(map(str, a["blocks"]), map(str, a["digests"]), strict=True))


def _block(name: str) -> str:
    """The block that a column belongs to."""
    return name.partition(":")[0]
