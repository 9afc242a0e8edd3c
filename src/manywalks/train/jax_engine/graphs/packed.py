"""A batch of graphs inside a program: the atoms of its molecules one behind another, without empty slots."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from manywalks.graph_layout import ATOM_FIELDS, BOND_KINDS
from manywalks.train.jax_engine.graphs.sums import Links, Places, places_of, rows_of, sums
from manywalks.train.jax_engine.graphs.tables import NONE, Bonds, Graphs, Pairs


@dataclass(frozen=True)
class PackedGraph:
    """b molecules' atoms in a rows.

    Attributes:
        atoms: (a, k).
        kinds: of bonds, ones and zeros.
        count: (b, 1).
        places: whose the rows are.
    """

    atoms: Any
    kinds: Any
    count: Any
    places: Places

    def side_by_side(self, parts: list[Any]) -> Any:
        """Joined at the last axis."""
        import jax.numpy as jnp

        return jnp.concatenate(parts, axis=-1)

    def total(self, atoms: Any) -> Any:
        """(a, u) -> (b, u)."""
        return sums().total(atoms, self.places)

    def everywhere(self, molecules: Any) -> Any:
        """(b, u) -> (a, u)."""
        return sums().everywhere(molecules, self.places)


class Relation(NamedTuple):
    """The pairs of one relation in e rows.

    Attributes:
        place: of the relation.
        near: (e, d), the atoms that send something to a pair's atom.
        sent: (a, d), the pairs to which an atom sends.
        pair: (a, 1), the pair of an atom.
        atom: (e, 1), the atom of a pair.
    """

    place: int
    near: Links
    sent: Links
    pair: Links
    atom: Links


class Sent(NamedTuple):
    """States (a, u) and the matrices (u, relations * u) of what is sent along each relation."""

    state: Any
    kernel: Any


@dataclass(frozen=True)
class AtomGraph(PackedGraph):
    """For states of atoms: bonds are where they lead to, (a, d, ...) for at most d at an atom.

    Attributes:
        relations: those that there are.
    """

    relations: tuple[Relation, ...]

    def by_relation(self, sent: Sent, units: int) -> Any:
        """Of (a, units), what arrives (a, units): summed first, so that there is a product for each pair."""
        import jax.numpy as jnp

        arrived = jnp.zeros_like(sent.state)
        # the gradient of a split joins, that of five slices would add up five matrices of zeros
        kernels = jnp.split(sent.kernel, sent.kernel.shape[1] // units, axis=1)
        for one in self.relations:
            gathered = sums().linked(sent.state, one.near, one.sent)
            arrived += sums().linked(gathered @ kernels[one.place], one.pair, one.atom)
        return arrived

    def arriving(self, bonds: Any) -> Any:
        """(a, d, u) -> (a, u)."""
        return bonds.sum(axis=1)


@dataclass(frozen=True)
class BondGraph(PackedGraph):
    """For states of directed bonds: these in rows of their own (e, u).

    Attributes:
        leaving, coming: (a, d), bonds that begin or end at an atom.
        start, end: (e, 1), atoms.
        back: (e, 1), the reverse bond.
    """

    leaving: Links
    coming: Links
    start: Links
    end: Links
    back: Links

    def at_start(self, atoms: Any) -> Any:
        """(a, u) -> (e, u)."""
        return sums().linked(atoms, self.start, self.leaving)

    def arriving(self, bonds: Any) -> Any:
        """(e, u) -> (a, u)."""
        return sums().linked(bonds, self.coming, self.end)

    def reverse(self, bonds: Any) -> Any:
        """(e, u) -> (e, u)."""
        return sums().linked(bonds, self.back, self.back)


def read_graphs(graphs: Graphs, rows: Any) -> PackedGraph:
    """Inside a program: the graphs of some rows (b,)."""
    import jax.numpy as jnp

    count = rows_of(graphs.count, rows)
    places = places_of(count, graphs.room)
    near = _taken(graphs.near, rows, places).astype(jnp.int32)
    there = places.there[:, None] & (near[:, :, -1] != np.iinfo(graphs.near.dtype).max)
    atoms = _hot(_taken(graphs.fields, rows, places), tuple(ATOM_FIELDS.values()))
    whole = PackedGraph(atoms, None, jnp.maximum(count, 1).astype(jnp.float32)[:, None], places)
    if isinstance(graphs.more, Bonds):
        return _bond_graph(whole, graphs.more, rows, (near, there))
    return _atom_graph(whole, graphs.more, rows, (near, there))


def _atom_graph(whole: PackedGraph, pairs: Pairs, rows: Any, around: tuple[Any, Any]) -> AtomGraph:
    """Of what all graphs have, the tables, and `Graphs.near` (a, d, 3) and which of it is there (a, d)."""
    import jax.numpy as jnp

    places, (near, there) = whole.places, around
    neighbour = rows_of(places.first, places.molecule)[:, None] + near[:, :, 0]
    neighbour = jnp.where(there, neighbour, 0)
    kinds = there[:, :, None] & (near[:, :, 1, None] - 1 == np.arange(len(BOND_KINDS)))
    relation = jnp.where(there, near[:, :, 2], NONE)
    relations = _relations(pairs, rows, places, Links(neighbour, relation))
    return AtomGraph(whole.atoms, kinds.astype(jnp.float32), whole.count, places, relations)


def _relations(pairs: Pairs, rows: Any, places: Places, bonds: Links) -> tuple[Relation, ...]:
    """Those that there are.

    Args:
        pairs: the tables.
        rows: of the tables (b,).
        places: of the atoms.
        bonds: the atoms at the other end of each one's bonds (a, d), and as `there` the relations.
    """
    import jax.numpy as jnp

    # the pairs of all relations one behind another, so that a few kernels find all of them
    sizes = [len(room) for room in pairs.rooms]
    of, within = np.repeat(np.arange(len(sizes)), sizes), np.concatenate([np.arange(size) for size in sizes])
    count = rows_of(pairs.count, rows).astype(jnp.int32)
    numbers = np.arange(len(count))
    ends = jnp.sum(jnp.where((numbers[:, None] >= numbers)[:, :, None], count, 0), axis=1)
    first, listed = ends - count, jnp.cumsum(count, axis=1) - ends
    ended = jnp.sum(ends[:, of] <= within, axis=0)
    held, molecule = ended < len(count), jnp.minimum(ended, len(count) - 1)
    place = jnp.clip(_cell(listed, molecule, of) + within, 0, pairs.atom.shape[1] - 1)
    atom = rows_of(places.first, molecule) + _cell(pairs.atom, rows_of(rows, molecule), place)
    atom = jnp.where(held, atom, 0)
    number = _taken(pairs.number, rows, places).astype(jnp.int32)
    has = places.there[:, None] & (number != NONE)
    pair = jnp.where(has, rows_of(first, places.molecule) + number, 0)
    other, other_relation = rows_of(bonds.rows, atom), rows_of(bonds.there, atom)
    sent = rows_of(pair, bonds.rows)
    found, high = [], 0
    for k, size in enumerate(sizes):
        low, high = high, high + size
        own = slice(low, high)
        near = Links(other[own], held[own, None] & (other_relation[own] == k))
        relation = Relation(
            k, near,
            sent=Links(sent[:, :, k], bonds.there == k),
            pair=Links(pair[:, [k]], has[:, [k]]),
            atom=Links(atom[own, None], held[own, None]),
        )  # fmt: skip
        found += [relation] if size else []
    return tuple(found)


def _bond_graph(whole: PackedGraph, bonds: Bonds, rows: Any, around: tuple[Any, Any]) -> BondGraph:
    """Of what all graphs have, the tables, and `Graphs.near` (a, d, 2) and which of it is there (a, d)."""
    import jax.numpy as jnp

    places, (numbers, there) = whole.places, around
    own = places_of(rows_of(bonds.count, rows), bonds.room)
    each = _taken(bonds.each, rows, own).astype(jnp.int32)
    numbers = jnp.where(there[:, :, None], rows_of(own.first, places.molecule)[:, None, None] + numbers, 0)
    start = jnp.where(own.there, rows_of(places.first, own.molecule) + each[:, 0], 0)
    back = jnp.where(own.there, rows_of(own.first, own.molecule) + each[:, 1], 0)
    kinds = (each[:, 2:] - 1 == np.arange(len(BOND_KINDS))).astype(jnp.float32)
    one = own.there[:, None]
    return BondGraph(
        whole.atoms, kinds, whole.count, places,
        leaving=Links(numbers[:, :, 0], there),
        coming=Links(numbers[:, :, 1], there),
        start=Links(start[:, None], one),
        end=Links(rows_of(start, back)[:, None], one),
        back=Links(back[:, None], one),
    )  # fmt: skip


def _taken(table: Any, rows: Any, places: Places) -> Any:
    """What a table (n, s, ...) of molecules says of the atoms or bonds at some places (a, ...)."""
    import jax.numpy as jnp

    number = jnp.minimum(places.number, table.shape[1] - 1)
    return _cell(table, rows_of(rows, places.molecule), number)


def _cell(table: Any, row: Any, column: Any) -> Any:
    """table[row, column]."""
    return rows_of(table.reshape(-1, *table.shape[2:]), row * table.shape[1] + column)


def _hot(fields: Any, values: tuple[int, ...]) -> Any:
    """Fields (a, k) as ones and zeros, side by side: float32 (a, sum of values)."""
    field = np.repeat(np.arange(len(values)), values)
    value = np.concatenate([np.arange(count) for count in values])
    return (fields[:, field] == value).astype(np.float32)
