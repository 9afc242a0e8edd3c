"""The features on the device: counts as bytes, descriptors as float32, put together inside the program.

Where they do not fit, each part of an epoch brings the molecules that it needs, and JAX copies the next part
while the device works on this one.
"""

from typing import Any, NamedTuple

import numpy as np

from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams
from manywalks.train.graph_keras import layout_of
from manywalks.train.jax_engine.graphs.rooms import Rooms
from manywalks.train.jax_engine.graphs.tables import Graphs, graph_tables

# bytes name at most so many values besides 0
CODES = 255


class Encoded(NamedTuple):
    """Features of n molecules; the matrix is `table[codes]` then `dense`, column after column, and the graph.

    Attributes:
        codes: uint8 (n, d_counts) places in the table; or float32, the counts themselves.
        table: float32 (256,), the values that the counts take; empty where `codes` are the counts.
        dense: float32 (n, d_dense).
        graphs: what the columns of the block `graph` say, if the network takes it as a graph.
    """

    codes: Any
    table: Any
    dense: Any
    graphs: Graphs | None = None

    @property
    def row_bytes(self) -> int:
        """Memory that one molecule takes."""
        graphs = self.graphs.row_bytes if self.graphs else 0
        return self.codes.shape[1] * self.codes.dtype.itemsize + 4 * self.dense.shape[1] + graphs

    def take(self, rows: np.ndarray) -> "Encoded":
        """Those of some rows."""
        graphs = self.graphs.take(rows) if self.graphs else None
        return Encoded(self.codes[rows], self.table, self.dense[rows], graphs)


def encode(features: Features, network: NetworkParams | None = None) -> Encoded:
    """The molecules as the device keeps them; for a network on graphs, the last columns as graphs."""
    dense = features.dense
    if network is None or not network.on_graph:
        return Encoded(*_counts(features), np.ascontiguousarray(dense, np.float32))
    layout = layout_of(network)
    beside = dense.shape[1] - layout.width
    others = np.ascontiguousarray(dense[:, :beside], np.float32)
    graphs = graph_tables(dense[:, beside:], layout, of_bonds=network.builder == "dmpnn")
    return Encoded(*_counts(features), others, graphs)


def _counts(features: Features) -> tuple[np.ndarray, np.ndarray]:
    """`Encoded.codes` and `table`. Scaled counts take few values: a byte names each. More stay float32."""
    counts = features.counts.tocoo()
    values = np.unique(counts.data[counts.data != 0]).astype(np.float32)
    if len(values) > CODES:
        return features.counts.toarray().astype(np.float32), np.empty(0, np.float32)
    codes = np.zeros((len(features), features.width - features.dense.shape[1]), np.uint8)
    held = counts.data != 0
    places = np.searchsorted(values, counts.data[held].astype(np.float32)) + 1
    codes[counts.row[held], counts.col[held]] = places
    table = np.zeros(CODES + 1, np.float32)
    table[1 : len(values) + 1] = values
    return codes, table


def decode(molecules: Encoded, rows: Any) -> Any:
    """Inside a program: the feature matrix float32 (b, d) of some rows (b,), without the graphs."""
    import jax.numpy as jnp

    codes = molecules.codes[rows]
    counts = molecules.table[codes] if molecules.table.shape[0] else codes
    return jnp.concatenate([counts, molecules.dense[rows]], axis=-1)


class Molecules:
    """All molecules of a problem, on the device if they fit.

    Attributes:
        resident: whether they do.
        filler: a row that fills up batches and does not count: any, of graphs the smallest.

    Args:
        features: of all n molecules.
        budget: bytes of the device that they may take.
        network: that takes them, if that matters: one on graphs.
    """

    def __init__(self, features: Features, budget: int, network: NetworkParams | None = None) -> None:
        import jax

        self._held = encode(features, network)
        graphs = self._held.graphs
        self._rooms = Rooms(graphs) if graphs else None
        self.filler = self._rooms.smallest if self._rooms else 0
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
            return self._with_room(self._held, rows), rows
        needed, places = np.unique(rows, return_inverse=True)
        # as many as there may be, so that one program serves every part
        filled = np.zeros(min(rows.size, len(self._held.dense)), needed.dtype)
        filled[: len(needed)] = needed
        import jax

        part = self._with_room(self._held.take(filled), rows)
        return jax.device_put(part), places.reshape(rows.shape).astype(np.int32)

    def _with_room(self, molecules: Encoded, rows: np.ndarray) -> Encoded:
        """Graphs with room for each of the batches `rows` (..., b)."""
        if molecules.graphs is None or self._rooms is None:
            return molecules
        return molecules._replace(graphs=self._rooms.of(molecules.graphs, rows))
