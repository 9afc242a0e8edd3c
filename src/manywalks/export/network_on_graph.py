"""Networks on molecular graphs as ONNX operations: matrices over all slots, all replicates at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from manywalks.ensemble.stacks.graph import GraphStack
from manywalks.export.graph import Graph
from manywalks.graph_layout import ATOM_FIELDS, BOND_KINDS, RELATION_OF_KIND, RELATIONS
from manywalks.train.graph_keras import layout_of
from manywalks.train.graph_network import on_graph
from manywalks.train.weights import NORMALIZATION_EPSILON


@dataclass(frozen=True)
class Value:
    """A value of the graph that can be added; `rank` is the number of its axes."""

    g: Graph
    name: str
    rank: int

    def __add__(self, other: "Value") -> "Value":
        return self.with_("Add", other)

    def __sub__(self, other: "Value") -> "Value":
        return self.with_("Sub", other)

    def __mul__(self, other: "Value") -> "Value":
        return self.with_("Mul", other)

    def __truediv__(self, other: "Value | float") -> "Value":
        if not isinstance(other, Value):
            other = Value(self.g, self.g.const(other), 0)
        return self.with_("Div", other)

    def with_(self, kind: str, other: "Value") -> "Value":
        """An operation of two values."""
        return Value(self.g, self.g.op(kind, self.name, other.name), max(self.rank, other.rank))


def graph_outputs(g: Graph, scaled: str, features: int, stack: GraphStack, activated: Any) -> str:
    """A family's scaled features (n, d) -> network space (m, n, t).

    Args:
        g: what the operations are added to.
        scaled: name of the features, the graph's columns last.
        features: d.
        stack: the replicates.
        activated: gives the activation of a value, from (g, value, kind).
    """
    width = layout_of(stack.network).width
    first = features - width
    graph = read_graph(g, g.columns(scaled, np.arange(first, features)), stack)
    beside = Value(g, g.columns(scaled, np.arange(first)), 2) if first else None
    endpoints = stack.arrays[-1][1].shape[1]
    return on_graph(graph, beside, OnnxLayers(g, stack, activated), endpoints, len(RELATIONS)).name


@dataclass(frozen=True)
class OnnxGraph:
    """n molecules' s slots for atoms and e directed bonds; states have a replicate axis m in front.

    Attributes:
        atoms: (n, s, k).
        kinds: (n, e, kinds of bonds).
        count: (n, 1).
        there: (n, s, 1).
        starts: (n, e, s); ends: (n, s, e); pairs: (n, s, s * relations).
        slots: s.
        bonds: e.
        m: replicates.
    """

    atoms: Value
    kinds: Value
    count: Value
    there: Value
    starts: Value
    ends: Value
    pairs: Value
    slots: int
    bonds: int
    m: int

    def side_by_side(self, parts: list[Value]) -> Value:
        """Joined at the last axis; what all replicates share is given to each."""
        g, rank = parts[0].g, max(part.rank for part in parts)
        names = [part.name if part.rank == rank else self._each(part) for part in parts]
        return Value(g, g.pad_columns(names), rank)

    def _each(self, shared: Value) -> str:
        """(n, d) -> (m, n, d)."""
        g = shared.g
        return g.op("Add", g.op("Unsqueeze", shared.name, g.ints(0)), g.const(np.zeros((self.m, 1, 1))))

    def total(self, atoms: Value) -> Value:
        """(m, n, s, u) -> (m, n, u)."""
        g = atoms.g
        there = (atoms * self.there).name
        return Value(g, g.op("ReduceSum", there, g.ints(2), keepdims=0), 3)

    def everywhere(self, molecules: Value) -> Value:
        """(m, n, u) -> (m, n, 1, u)."""
        g = molecules.g
        return Value(g, g.op("Unsqueeze", molecules.name, g.ints(2)), 4)

    def by_relation(self, sent: Value, units: int) -> Value:
        """(m, n, s, relations * units) -> (m, n, s, units)."""
        g = sent.g
        rows = g.op("Reshape", sent.name, g.ints(0, 0, self.slots * len(RELATIONS), units))
        return self.pairs.with_("MatMul", Value(g, rows, 4))

    def at_start(self, atoms: Value) -> Value:
        """(m, n, s, u) -> (m, n, e, u)."""
        return self.starts.with_("MatMul", atoms)

    def arriving(self, bonds: Value) -> Value:
        """(m, n, e, u) -> (m, n, s, u), or both without m."""
        return self.ends.with_("MatMul", bonds)

    def reverse(self, bonds: Value) -> Value:
        """(m, n, e, u) -> (m, n, e, u)."""
        half = self.bonds // 2
        order = np.concatenate([np.arange(half, 2 * half), np.arange(half)])
        return Value(bonds.g, bonds.g.columns(bonds.name, order, axis=2), 4)


def read_graph(g: Graph, columns: str, stack: GraphStack) -> OnnxGraph:
    """The block's columns (n, width) as values."""
    layout = layout_of(stack.network)
    slots, bonds = layout.max_atoms, layout.max_bonds

    def of(field: int) -> str:
        start = 1 + field * slots
        return g.cast(g.columns(columns, np.arange(start, start + slots)), np.int64)

    def of_bond(field: int) -> str:
        start = layout.first_bond + field * bonds
        return g.cast(g.columns(columns, np.arange(start, start + bonds)), np.int64)

    there = g.op("Unsqueeze", g.cast(g.op("Greater", of(0), g.ints(0)), np.float32), g.ints(2))
    hot = [_one_hot(g, of(k), values) for k, values in enumerate(ATOM_FIELDS.values())]
    one, other, kind = of_bond(0), of_bond(1), of_bond(2)
    start, end, kind = (g.pad_columns(pair) for pair in ([one, other], [other, one], [kind, kind]))
    real = g.op("Unsqueeze", g.cast(g.op("Greater", kind, g.ints(0)), np.float32), g.ints(2))
    ends = g.op("Transpose", g.op("Mul", _one_hot(g, end, slots), real), perm=[0, 2, 1])
    relation = g.op("Gather", g.const(RELATION_OF_KIND, np.int64), kind)
    place = g.op("Add", g.op("Mul", start, g.ints(len(RELATIONS))), relation)
    pairs = g.op("MatMul", ends, _one_hot(g, place, slots * len(RELATIONS)))
    # kind 0 has no column: it is the last of one too many, and cut off
    kinds = _one_hot(g, g.op("Sub", kind, g.ints(1)), len(BOND_KINDS) + 1)
    kinds = g.columns(kinds, np.arange(len(BOND_KINDS)))
    count = g.op("Max", g.op("ReduceSum", there, g.ints(1), keepdims=0), g.const(1.0))
    return OnnxGraph(
        atoms=Value(g, g.op("Mul", g.pad_columns(hot), there), 3),
        kinds=Value(g, kinds, 3),
        count=Value(g, count, 2),
        there=Value(g, there, 3),
        starts=Value(g, _one_hot(g, start, slots), 3),
        ends=Value(g, ends, 3),
        pairs=Value(g, pairs, 3),
        slots=slots,
        bonds=2 * bonds,
        m=len(stack.arrays[0][0]),
    )


def _one_hot(g: Graph, x: str, size: int) -> str:
    """Whole numbers -> ones and zeros at a new last axis; -1 is the last."""
    return g.op("OneHot", x, g.ints(size), g.const([0.0, 1.0]), axis=-1)


class OnnxLayers:
    """All replicates' layers."""

    def __init__(self, g: Graph, stack: GraphStack, activated: Any) -> None:
        self.network = stack.network
        self._g = g
        self._arrays = iter(stack.arrays)
        self._activated = activated

    def first(self, x: Value, units: int, *, bias: bool = True) -> Value:
        """(n, s, k) -> (m, n, s, units)."""
        return self._dense(x, 4)

    def dense(self, x: Value, units: int, *, bias: bool = True) -> Value:
        """(m, n, s, k) -> (m, n, s, units), or both without s."""
        return self._dense(x, x.rank)

    def _dense(self, x: Value, rank: int) -> Value:
        kernel, *rest = next(self._arrays)
        axes = (1,) * (rank - 3)
        wide = kernel.reshape(len(kernel), *axes, *kernel.shape[1:])
        y = Value(self._g, self._g.op("MatMul", x.name, self._g.const(wide)), rank)
        return self._shifted(y, rest[0]) if rest else y

    def _shifted(self, y: Value, bias: np.ndarray) -> Value:
        return y + self._vectors(bias, y.rank)

    def _vectors(self, array: np.ndarray, rank: int) -> Value:
        """Each replicate's (m, u), beside states of that rank."""
        wide = array.reshape(len(array), *(1,) * (rank - 2), -1)
        return Value(self._g, self._g.const(wide), rank)

    def sent(self, x: Value, units: int, relations: int) -> Value:
        """What atoms send along each relation."""
        return self.dense(x, relations * units, bias=False)

    def normalization(self, x: Value) -> Value:
        """The layer normalization, where there is one."""
        if self.network.normalization == "none":
            return x
        gamma, beta = next(self._arrays)
        plain = self._g.op(
            "LayerNormalization",
            x.name,
            self._g.const(np.ones(gamma.shape[1])),
            axis=-1,
            epsilon=NORMALIZATION_EPSILON,
        )
        return Value(self._g, plain, x.rank) * self._vectors(gamma, x.rank) + self._vectors(beta, x.rank)

    def activation(self, x: Value) -> Value:
        """The activation function."""
        return Value(self._g, self._activated(self._g, x.name, self.network.activation), x.rank)

    def dropout(self, x: Value) -> Value:
        """None: the replicates are trained."""
        return x
