"""The replicates of a network on graphs on the device, without the Keras model and its empty slots."""

from typing import Any

import numpy as np

from manywalks.ensemble.stacks.graph import GraphStack
from manywalks.ensemble.stacks.stack import row_blocks, seen
from manywalks.features import Features
from manywalks.train.jax_engine.graphs.rooms import Rooms
from manywalks.train.jax_engine.graphs.tables import Graphs
from manywalks.train.jax_engine.molecules import encode
from manywalks.train.jax_engine.networks import JaxLayers, graph_outputs

# Molecules that go through all replicates at once, at first.
ROWS = 1024


class GraphProgram:
    """One family, compiled for blocks of one size.

    Args:
        stack: its replicates.
    """

    def __init__(self, stack: GraphStack) -> None:
        import jax

        self.rows = ROWS
        self._network, self._columns = stack.network, stack.columns
        self._arrays = jax.device_put(stack.arrays)
        self._before: tuple[Graphs, Rooms] | None = None
        self._out = _, endpoints = stack.arrays[-1][1].shape

        def one(arrays: list[list[Any]], molecules: Any, rows: Any) -> Any:
            layers = JaxLayers(stack.network, arrays, None)
            return graph_outputs(layers, molecules, rows, endpoints)

        self._compiled = jax.jit(jax.vmap(one, in_axes=(0, None, None)))

    def blocks(self, features: Features, size: int) -> np.ndarray:
        """Scaled features of n molecules, those of all families -> network space (m, n, t)."""
        import jax

        if not len(features):
            return np.empty((*self._out, 0), np.float32).swapaxes(1, 2)
        own = seen(features, self._columns)
        molecules = encode(own, self._network)
        graphs, rooms = self._like_before(molecules.graphs)
        molecules, found = molecules._replace(graphs=graphs), []
        for rows in row_blocks(len(features), size):
            filled = np.full(size, rooms.smallest)
            filled[: len(rows)] = rows
            block = molecules.take(filled)
            block = jax.device_put(block._replace(graphs=rooms.of(graphs.take(filled), filled)))
            # not waited for: the next block is made ready while the device works on this one
            found.append(self._compiled(self._arrays, block, np.arange(size, dtype=np.int32)))
        return np.concatenate([np.asarray(z) for z in found], axis=1)[:, : len(features)]

    def _like_before(self, graphs: Any) -> tuple[Graphs, Rooms]:
        """Tables and rooms for which the programs do that there are, unless more is needed."""
        before, rooms = self._before or (None, None)
        graphs = graphs.as_wide(before)
        self._before = graphs.take(np.zeros(0, np.int64)), Rooms(graphs, rooms)
        return graphs, self._before[1]
