"""The features on the device: counts as bytes, descriptors as float32, put together inside the program.

Where they do not fit, each part of an epoch brings the molecules that it needs, and JAX copies the next part
while the device works on this one.
"""

from typing import Any, NamedTuple

import numpy as np

from manywalks.features import Features

# bytes name at most so many values besides 0
CODES = 255


class Encoded(NamedTuple):
    """Features of n molecules; the matrix is `table[codes]` then `dense`, column after column.

    Attributes:
        codes: uint8 (n, d_counts) places in the table; or float32, the counts themselves.
        table: float32 (256,), the values that the counts take; empty where `codes` are the counts.
        dense: float32 (n, d_dense).
    """

    codes: Any
    table: Any
    dense: Any

    @property
    def row_bytes(self) -> int:
        """Memory that one molecule takes."""
        return self.codes.shape[1] * self.codes.dtype.itemsize + 4 * self.dense.shape[1]


def encode(features: Features) -> Encoded:
    """Scaled counts take few values: a byte names each. Where there are more, they stay float32."""
    counts = features.counts.tocoo()
    values = np.unique(counts.data[counts.data != 0]).astype(np.float32)
    dense = np.ascontiguousarray(features.dense, np.float32)
    if len(values) > CODES:
        return Encoded(features.counts.toarray().astype(np.float32), np.empty(0, np.float32), dense)
    codes = np.zeros((len(features), features.width - dense.shape[1]), np.uint8)
    held = counts.data != 0
    places = np.searchsorted(values, counts.data[held].astype(np.float32)) + 1
    codes[counts.row[held], counts.col[held]] = places
    table = np.zeros(CODES + 1, np.float32)
    table[1 : len(values) + 1] = values
    return Encoded(codes, table, dense)


def decode(molecules: Encoded, rows: Any) -> Any:
    """Inside a program: the feature matrix float32 (b, d) of some rows (b,)."""
    import jax.numpy as jnp

    codes = molecules.codes[rows]
    counts = molecules.table[codes] if molecules.table.shape[0] else codes
    return jnp.concatenate([counts, molecules.dense[rows]], axis=-1)


class Molecules:
    """All molecules of a problem, on the device if they fit.

    Args:
        features: of all n molecules.
        budget: bytes of the device that they may take.
    """

    def __init__(self, features: Features, budget: int) -> None:
        import jax

        self._held = encode(features)
        self._budget = budget
        self.resident = len(features) * self._held.row_bytes <= budget
        if self.resident:
            self._held = jax.device_put(self._held)

    def most(self, rows_each: int) -> int:
        """How many times `rows_each` molecules may be asked for at once: what half the budget holds.

        (The other half is for the part that is copied meanwhile.)
        """
        if self.resident:
            return np.iinfo(np.int32).max
        return max(1, self._budget // 2 // (rows_each * self._held.row_bytes))

    def of(self, rows: np.ndarray) -> tuple[Encoded, np.ndarray]:
        """Molecules on the device among which `rows` (any shape) are, and their places there (same shape)."""
        if self.resident:
            return self._held, rows
        needed, places = np.unique(rows, return_inverse=True)
        # as many as there may be, so that one program serves every part
        filled = np.zeros(min(rows.size, len(self._held.dense)), needed.dtype)
        filled[: len(needed)] = needed
        import jax

        part = Encoded(self._held.codes[filled], self._held.table, self._held.dense[filled])
        return jax.device_put(part), places.reshape(rows.shape).astype(np.int32)
