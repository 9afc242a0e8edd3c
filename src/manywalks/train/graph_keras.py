"""Networks on graphs as plain Keras models.

Rows are gathered and added up along the bonds that are there: a fifth of the arithmetic of matrices over all
pairs of atoms. Accelerators train and predict without these models (jax_engine/graphs), which have slots for
as many atoms as the largest molecule has.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from manywalks.graph_layout import ATOM_FIELDS, BOND_KINDS, RELATION_OF_KIND, RELATIONS, GraphLayout
from manywalks.params.sections.model import NetworkParams
from manywalks.train.graph_network import on_graph
from manywalks.train.keras_engine.model import import_keras
from manywalks.train.weights import NORMALIZATION_EPSILON

if TYPE_CHECKING:
    import keras


def build_graph_network(network: NetworkParams, n_features: int, n_endpoints: int) -> "keras.Model":
    """One replicate's model: scaled features (b, d), the graph's last -> network space (b, t)."""
    keras = import_keras()
    layout = layout_of(network)
    inputs = keras.Input((n_features,), name="features")
    beside = n_features - layout.width
    graph = read_graph(inputs[:, beside:], layout)
    others = inputs[:, :beside] if beside else None
    outputs = on_graph(graph, others, KerasLayers(network), n_endpoints, len(RELATIONS))
    return keras.Model(inputs, outputs, name="replicate")


def layout_of(network: NetworkParams) -> GraphLayout:
    """The columns of the graph among the network's features."""
    if network.max_atoms is None:
        raise ValueError(f"network.builder: {network.builder} needs the block graph among its features")
    return GraphLayout(network.max_atoms)


class KerasLayers:
    """One replicate's layers, with random weights; their names are in the order of their making."""

    def __init__(self, network: NetworkParams) -> None:
        self.network = network
        self._layers: Any = import_keras().layers
        self._made = 0

    def first(self, x: Any, units: int, *, bias: bool = True) -> Any:
        """A dense layer, (..., k) -> (..., units)."""
        return self.dense(x, units, bias=bias)

    def dense(self, x: Any, units: int, *, bias: bool = True) -> Any:
        """(..., k) -> (..., units)."""
        return self._layers.Dense(units, use_bias=bias, name=self._name())(x)

    def sent(self, x: Any, units: int, relations: int) -> Any:
        """What atoms send along each relation."""
        return self.dense(x, relations * units, bias=False)

    def normalization(self, x: Any) -> Any:
        """The layer normalization, where there is one."""
        if self.network.normalization == "none":
            return x
        return self._layers.LayerNormalization(epsilon=NORMALIZATION_EPSILON, name=self._name())(x)

    def activation(self, x: Any) -> Any:
        """The activation function."""
        return self._layers.Activation(self.network.activation)(x)

    def dropout(self, x: Any) -> Any:
        """Dropout, where there is some."""
        return self._layers.Dropout(self.network.dropout)(x) if self.network.dropout else x

    def _name(self) -> str:
        self._made += 1
        return layer_name(self._made)


def layer_name(number: int) -> str:
    """Of a layer with weights: they are numbered as they are made, from 1 on."""
    return f"graph_{number}"


@dataclass(frozen=True)
class KerasGraph:
    """b molecules' graphs with n slots for atoms and e directed bonds.

    Attributes:
        atoms: (b, n, k).
        kinds: (b, e, kinds of bonds).
        there: (b, n, 1), 1 where a slot holds an atom.
        count: (b, 1), atoms.
        start, end, relation: int32 (b, e).
        bond: (b, e, 1), 1 where a slot holds a bond.
    """

    atoms: Any
    kinds: Any
    there: Any
    count: Any
    start: Any
    end: Any
    relation: Any
    bond: Any

    def side_by_side(self, parts: list[Any]) -> Any:
        """Joined at the last axis."""
        return import_keras().ops.concatenate(parts, axis=-1)

    def total(self, atoms: Any) -> Any:
        """(b, n, u) -> (b, u)."""
        return import_keras().ops.sum(atoms * self.there, axis=-2)

    def everywhere(self, molecules: Any) -> Any:
        """(b, u) -> (b, 1, u), which is added to all atoms."""
        return import_keras().ops.expand_dims(molecules, -2)

    def by_relation(self, sent: Any, units: int) -> Any:
        """(b, n, relations * units) -> (b, n, units)."""
        size = self.there.shape[-2] * len(RELATIONS)
        place = self.start * len(RELATIONS) + self.relation
        return self.arriving(self._taken(sent, place, size, units))

    def at_start(self, atoms: Any) -> Any:
        """(b, n, u) -> (b, e, u)."""
        return self._taken(atoms, self.start, atoms.shape[-2], atoms.shape[-1])

    def arriving(self, bonds: Any) -> Any:
        """(b, e, u) -> (b, n, u)."""
        ops = import_keras().ops
        slots, units = self.there.shape[-2], bonds.shape[-1]
        rows = ops.reshape(bonds * self.bond, (-1, units))
        empty = ops.reshape(ops.repeat(ops.zeros_like(self.there), units, axis=-1), (-1, units))
        place = ops.reshape(_flat(self.end, slots), (-1, 1))
        return ops.reshape(ops.scatter_update(empty, place, rows, reduction="add"), (-1, slots, units))

    def reverse(self, bonds: Any) -> Any:
        """(b, e, u) -> (b, e, u): the second half of the bonds is the first, the other way."""
        return import_keras().ops.roll(bonds, bonds.shape[-2] // 2, axis=-2)

    def _taken(self, atoms: Any, place: Any, size: int, units: int) -> Any:
        """Rows of units, `size` a molecule, at the places (b, e) -> (b, e, units)."""
        ops = import_keras().ops
        taken = ops.take(ops.reshape(atoms, (-1, units)), ops.reshape(_flat(place, size), (-1,)), axis=0)
        return ops.reshape(taken, (-1, self.start.shape[-1], units))


def _flat(place: Any, size: int) -> Any:
    """Places in each molecule's own `size` rows -> places in the rows of all molecules."""
    ops = import_keras().ops
    return place + (ops.cumsum(ops.ones_like(place[:, :1]), axis=0) - 1) * size


def read_graph(columns: Any, layout: GraphLayout) -> KerasGraph:
    """The block's columns (b, layout.width) -> tensors."""
    ops = import_keras().ops
    atoms = ops.reshape(columns[:, 1 : layout.first_bond], (-1, len(ATOM_FIELDS), layout.max_atoms))
    atoms = ops.cast(atoms, "int32")
    bonds = ops.cast(ops.reshape(columns[:, layout.first_bond :], (-1, 3, layout.max_bonds)), "int32")
    one, other, kind = bonds[:, 0], bonds[:, 1], ops.tile(bonds[:, 2], (1, 2))
    there = ops.cast(ops.expand_dims(atoms[:, 0] > 0, -1), "float32")
    hot = [ops.one_hot(atoms[:, k], values, dtype="float32") for k, values in enumerate(ATOM_FIELDS.values())]
    return KerasGraph(
        atoms=ops.concatenate(hot, axis=-1) * there,
        # an empty slot's kind 0 has no column
        kinds=ops.one_hot(kind - 1, len(BOND_KINDS), dtype="float32"),
        there=there,
        count=ops.maximum(ops.sum(there, axis=1), 1.0),
        start=ops.concatenate([one, other], axis=1),
        end=ops.concatenate([other, one], axis=1),
        relation=ops.take(np.array(RELATION_OF_KIND, np.int32), kind),
        bond=ops.cast(ops.expand_dims(kind > 0, -1), "float32"),
    )
