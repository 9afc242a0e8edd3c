"""The graph's columns as tensors, and how numbers travel along its bonds.

On TensorFlow, rows are gathered and added up along the bonds that are there: a fifth of the arithmetic of
matrices over all pairs of atoms, which processors feel. On JAX those matrices are used, which accelerators
are made for. Both give the same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from manywalks.graph_layout import (
    ATOM_FIELDS,
    BOND_KINDS,
    RELATION_OF_KIND,
    RELATIONS,
    GraphLayout,
)
from manywalks.train.keras_engine.model import import_keras


@dataclass(frozen=True)
class Graph:
    """b molecules' graphs with n slots for atoms and e directed bonds (each bond twice, there and back).

    Attributes:
        atoms: (b, n, k), ones and zeros.
        kinds: (b, e, kinds of bonds), ones and zeros.
        there: (b, n, 1), 1 where a slot holds an atom.
        count: (b, 1), atoms.
        start, end, relation: int32 (b, e).
        bond: (b, e, 1), 1 where a slot holds a bond.
        by_matrices: whether all pairs of atoms are gone over.
    """

    atoms: Any
    kinds: Any
    there: Any
    count: Any
    start: Any
    end: Any
    relation: Any
    bond: Any
    by_matrices: bool

    def mean(self, state: Any) -> Any:
        """The mean of a molecule's atoms: (b, n, u) -> (b, 1, u)."""
        ops = import_keras().ops
        return ops.sum(state * self.there, axis=-2, keepdims=True) / ops.expand_dims(self.count, -1)

    def by_relation(self, transform: Callable[[int], Any], units: int) -> Any:
        """What neighbours send, summed at each atom: (b, n, units).

        Args:
            transform: gives what each atom would send along each relation, (b, n, relations * units), when
                told that width.
            units: of what is sent.
        """
        ops = import_keras().ops
        slots, relations = self.there.shape[-2], len(RELATIONS)
        sent = transform(relations * units)
        place = self.start * relations + self.relation
        if self.by_matrices:
            rows = ops.reshape(sent, (-1, slots * relations, units))
            return ops.matmul(self._pairs(place, slots * relations), rows)
        rows = ops.reshape(sent, (-1, units))
        taken = ops.take(rows, ops.reshape(self._flat(place, slots * relations), (-1,)), axis=0)
        return self.arriving(ops.reshape(taken, (-1, self.start.shape[-1], units)))

    def at_start(self, atoms: Any) -> Any:
        """Each bond's first atom: (b, n, u) -> (b, e, u)."""
        ops = import_keras().ops
        slots, units = atoms.shape[-2], atoms.shape[-1]
        if self.by_matrices:
            return ops.matmul(ops.one_hot(self.start, slots, dtype="float32"), atoms)
        rows = ops.reshape(atoms, (-1, units))
        taken = ops.take(rows, ops.reshape(self._flat(self.start, slots), (-1,)), axis=0)
        return ops.reshape(taken, (-1, self.start.shape[-1], units))

    def arriving(self, bonds: Any) -> Any:
        """The sum over the bonds that lead to an atom: (b, e, u) -> (b, n, u)."""
        ops = import_keras().ops
        slots, units = self.there.shape[-2], bonds.shape[-1]
        if self.by_matrices:
            return ops.matmul(self._ends(), bonds)
        rows = ops.reshape(bonds * self.bond, (-1, units))
        place = ops.reshape(self._flat(self.end, slots), (-1, 1))
        empty = ops.reshape(ops.repeat(ops.zeros_like(self.there), units, axis=-1), (-1, units))
        return ops.reshape(ops.scatter_update(empty, place, rows, reduction="add"), (-1, slots, units))

    def reverse(self, bonds: Any) -> Any:
        """Each bond's other direction: (b, e, u) -> (b, e, u)."""
        half = bonds.shape[-2] // 2
        return import_keras().ops.roll(bonds, half, axis=-2)

    def _flat(self, place: Any, size: int) -> Any:
        """Places in each molecule's own `size` rows -> places in the rows of all molecules."""
        ops = import_keras().ops
        molecule = ops.cumsum(ops.ones_like(place[:, :1]), axis=0) - 1
        return place + molecule * size

    def _ends(self) -> Any:
        """(b, n, e): 1 where a bond leads to an atom."""
        ops = import_keras().ops
        there = ops.one_hot(self.end, self.there.shape[-2], dtype="float32") * self.bond
        return ops.transpose(there, (0, 2, 1))

    def _pairs(self, place: Any, size: int) -> Any:
        """(b, n, size): how many bonds lead from a row to an atom."""
        ops = import_keras().ops
        return ops.matmul(self._ends(), ops.one_hot(place, size, dtype="float32"))


def read_graph(columns: Any, layout: GraphLayout) -> Graph:
    """The block's columns (b, layout.width) -> tensors."""
    keras = import_keras()
    ops = keras.ops
    atoms = ops.reshape(columns[:, 1 : layout.first_bond], (-1, len(ATOM_FIELDS), layout.max_atoms))
    atoms = ops.cast(atoms, "int32")
    bonds = ops.cast(ops.reshape(columns[:, layout.first_bond :], (-1, 3, layout.max_bonds)), "int32")
    one, other, kind = bonds[:, 0], bonds[:, 1], ops.tile(bonds[:, 2], (1, 2))
    there = ops.cast(ops.expand_dims(atoms[:, 0] > 0, -1), "float32")
    hot = [ops.one_hot(atoms[:, k], values, dtype="float32") for k, values in enumerate(ATOM_FIELDS.values())]
    return Graph(
        atoms=ops.concatenate(hot, axis=-1) * there,
        # an empty slot's kind 0 has no column
        kinds=ops.one_hot(kind - 1, len(BOND_KINDS), dtype="float32"),
        there=there,
        count=ops.maximum(ops.sum(there, axis=1), 1.0),
        start=ops.concatenate([one, other], axis=1),
        end=ops.concatenate([other, one], axis=1),
        relation=ops.take(np.array(RELATION_OF_KIND, np.int32), kind),
        bond=ops.cast(ops.expand_dims(kind > 0, -1), "float32"),
        by_matrices=keras.backend.backend() == "jax",
    )
