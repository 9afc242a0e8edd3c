"""Predict with the replicates of a network on graphs, without TensorFlow.

All atoms of a chunk of molecules stand in one table, without empty slots, and their bonds in sparse matrices.
A core takes one replicate through a chunk, so that its weights stay in the cache.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from manywalks.ensemble.stacks.stack import View, for_each_replicate, seen
from manywalks.features import Features
from manywalks.graph_layout import ATOM_FIELDS, BOND_KINDS, RELATION_OF_KIND, RELATIONS, GraphLayout
from manywalks.params.sections.model import NetworkParams
from manywalks.train.dense_engine.layers import ACTIVATIONS, activate, normalize_layer
from manywalks.train.graph_keras import layer_name, layout_of
from manywalks.train.graph_network import on_graph

# molecules that go through a replicate together
CHUNK = 64


@dataclass(frozen=True)
class GraphStack:
    """m replicates of a network on graphs as plain arrays.

    Attributes:
        network: of each.
        arrays: of each layer, in order: a kernel (m, in, out) or gamma (m, out), and a bias or beta (m, out).
        cores: threads that predict.
        columns: int64, the scaled features that the family sees; all of them where None.
    """

    network: NetworkParams
    arrays: list[list[np.ndarray]]
    cores: int
    columns: np.ndarray | None = None

    @classmethod
    def from_arrays(
        cls, network: NetworkParams, arrays: dict[str, list[np.ndarray]], cores: int, family: dict[str, Any]
    ) -> "GraphStack":
        """From the arrays of the Keras model's layers; `family` as `keras_stack.describe` has it."""
        view = View.of(family)
        own: list[list[np.ndarray]] = []
        while (name := f"{view.prefix}{layer_name(len(own) + 1)}") in arrays:
            kernel, *bias = arrays[name]
            own.append([kernel, *(one.reshape(len(one), -1) for one in bias)])
        return cls(network, own, cores, view.columns)

    def outputs(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules, those of all families -> network space float32 (m, n, t)."""
        matrix = seen(features, self.columns).matrix()
        layout = layout_of(self.network)
        beside = matrix.shape[1] - layout.width
        chunks = [matrix[start : start + CHUNK] for start in range(0, len(matrix), CHUNK)]
        graphs = [read_arrays(chunk[:, beside:], layout) for chunk in chunks]
        m, endpoints = self.arrays[-1][1].shape
        out = np.empty((m, len(matrix), endpoints), np.float32)

        def replicate(k: int) -> None:
            for number, (graph, chunk) in enumerate(zip(graphs, chunks, strict=True)):
                layers = ArrayLayers(self.network, [[array[k] for array in one] for one in self.arrays])
                others = chunk[:, :beside] if beside else None
                rows = slice(number * CHUNK, number * CHUNK + len(chunk))
                out[k, rows] = on_graph(graph, others, layers, endpoints, len(RELATIONS))

        for_each_replicate(replicate, m, self.cores)
        return out


class Relation(NamedTuple):
    """Bonds of one relation.

    Attributes:
        atoms: (p,), those that have such bonds.
        near: (p, a), sparse, 1 where they lead.
    """

    atoms: np.ndarray
    near: sparse.csr_matrix


class Sent(NamedTuple):
    """States (a, k) and the matrices (k, relations * units) of what is sent along each relation."""

    states: np.ndarray
    kernel: np.ndarray


@dataclass(frozen=True)
class ArrayGraph:
    """b molecules' a atoms and e directed bonds, without empty slots.

    Attributes:
        atoms: (a, k).
        kinds: (e, kinds of bonds).
        count: (b, 1).
        molecule: (a,), of each atom.
        start: (e,), the bonds' first atoms.
        of_molecule: (b, a), of_bond: (a, e); sparse, 1 where one belongs to the other.
        relations: what is sent along each.
    """

    atoms: np.ndarray
    kinds: np.ndarray
    count: np.ndarray
    molecule: np.ndarray
    start: np.ndarray
    of_molecule: sparse.csr_matrix
    of_bond: sparse.csr_matrix
    relations: list["Relation"]

    def side_by_side(self, parts: list[np.ndarray]) -> np.ndarray:
        """Joined at the last axis."""
        return np.concatenate(parts, axis=-1)

    def total(self, atoms: np.ndarray) -> np.ndarray:
        """(a, u) -> (b, u)."""
        return self.of_molecule @ atoms

    def everywhere(self, molecules: np.ndarray) -> np.ndarray:
        """(b, u) -> (a, u)."""
        return molecules[self.molecule]

    def by_relation(self, sent: "Sent", units: int) -> np.ndarray:
        """What arrives (a, units): summed first, so that only atoms with a relation are multiplied by it."""
        arrived = np.zeros((len(sent.states), units), np.float32)
        for number, one in enumerate(self.relations):
            if len(one.atoms):
                own = sent.kernel[:, number * units : (number + 1) * units]
                arrived[one.atoms] += (one.near @ sent.states) @ own
        return arrived

    def at_start(self, atoms: np.ndarray) -> np.ndarray:
        """(a, u) -> (e, u)."""
        return atoms[self.start]

    def arriving(self, bonds: np.ndarray) -> np.ndarray:
        """(e, u) -> (a, u)."""
        return self.of_bond @ bonds

    def reverse(self, bonds: np.ndarray) -> np.ndarray:
        """(e, u) -> (e, u): the second half of the bonds is the first, the other way."""
        return np.roll(bonds, len(bonds) // 2, axis=0)


def read_arrays(columns: np.ndarray, layout: GraphLayout) -> ArrayGraph:
    """The block's columns (b, layout.width) -> arrays."""
    n = len(columns)
    fields = columns[:, 1 : layout.first_bond].astype(np.int64).reshape(n, len(ATOM_FIELDS), -1)
    there = fields[:, 0] > 0
    molecule = np.nonzero(there)[0]
    place = np.cumsum(there).reshape(there.shape) - 1  # of each slot's atom in the table
    own = fields.swapaxes(1, 2)[there]
    hot = [np.eye(count, dtype=np.float32)[own[:, k]] for k, count in enumerate(ATOM_FIELDS.values())]
    bonds = columns[:, layout.first_bond :].astype(np.int64).reshape(n, 3, -1)
    which, slot = np.nonzero(bonds[:, 2])
    one, other = (place[which, bonds[which, end, slot]] for end in (0, 1))
    start, end = np.concatenate([one, other]), np.concatenate([other, one])
    kind = np.tile(bonds[which, 2, slot], 2)
    relation = np.array(RELATION_OF_KIND)[kind]
    atoms = len(molecule)
    return ArrayGraph(
        atoms=np.concatenate(hot, axis=1),
        kinds=np.eye(len(BOND_KINDS), dtype=np.float32)[kind - 1],
        count=np.maximum(there.sum(axis=1, keepdims=True), 1).astype(np.float32),
        molecule=molecule,
        start=start,
        of_molecule=_ones(molecule, np.arange(atoms), (n, atoms)),
        of_bond=_ones(end, np.arange(len(end)), (atoms, len(end))),
        relations=[_relation(end[relation == k], start[relation == k], atoms) for k in range(len(RELATIONS))],
    )


def _relation(end: np.ndarray, start: np.ndarray, atoms: int) -> Relation:
    """Of the bonds of one relation."""
    own, row = np.unique(end, return_inverse=True)
    return Relation(own, _ones(row, start, (len(own), atoms)))


def _ones(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """A sparse matrix with a one at each place."""
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)


class ArrayLayers:
    """One replicate's layers."""

    def __init__(self, network: NetworkParams, arrays: list[list[np.ndarray]]) -> None:
        self.network = network
        self._arrays = iter(arrays)

    def first(self, x: np.ndarray, units: int, *, bias: bool = True) -> np.ndarray:
        """(..., k) -> (..., units)."""
        return self.dense(x, units, bias=bias)

    def dense(self, x: np.ndarray, units: int, *, bias: bool = True) -> np.ndarray:
        """(..., k) -> (..., units)."""
        kernel, *rest = next(self._arrays)
        y = x @ kernel
        for one in rest:
            y += one
        return y

    def sent(self, x: np.ndarray, units: int, relations: int) -> Sent:
        """What atoms send along each relation."""
        (kernel,) = next(self._arrays)
        return Sent(x, kernel)

    def normalization(self, x: np.ndarray) -> np.ndarray:
        """The layer normalization, where there is one."""
        if self.network.normalization == "none":
            return x
        gamma, beta = next(self._arrays)
        normalize_layer(x, np.empty_like(x), np.empty(len(x), np.float32), gamma, beta)
        return x

    def activation(self, x: np.ndarray) -> np.ndarray:
        """The activation function."""
        y = np.array(x, dtype=np.float32, order="C")
        activate(ACTIVATIONS.index(self.network.activation), y.ravel(), np.empty(y.size, np.float32))
        return y

    def dropout(self, x: np.ndarray) -> np.ndarray:
        """None: the replicates are trained."""
        return x
