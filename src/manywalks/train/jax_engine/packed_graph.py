"""A batch of graphs inside a program: the atoms of its molecules one behind another, without empty slots.

What goes along bonds is gathered, forward and back: bonds lead both ways, so for every table of what comes
from where there is one of what goes where. JAX's own gradient of a gather would be a scatter, which on
a GPU is slow and adds up in any order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from manywalks.graph_layout import ATOM_FIELDS, BOND_KINDS, RELATIONS
from manywalks.train.jax_engine.graph_tables import Graphs


class Links(NamedTuple):
    """Rows of which a row is the sum: int32 and bool (n, d), where they are, and whether they are there."""

    rows: Any
    there: Any


class Places(NamedTuple):
    """Whose the a rows of the atoms (or bonds) of b molecules are; the last rows may be empty.

    Attributes:
        molecule: int32 (a,).
        there: bool (a,), whether the row holds an atom.
        number: int32 (a,), which of its molecule's atoms.
        first: int32 (b,), the row of a molecule's first atom.
        whose: float32 (b, a), 1 where an atom is a molecule's.
    """

    molecule: Any
    there: Any
    number: Any
    first: Any
    whose: Any


class Sums(NamedTuple):
    """Sums whose gradients are sums of the same kind.

    Attributes:
        linked: (x (k, u), sources (n, d), targets (k, e)) -> (n, u), the sums of the rows that are its
            sources; targets are the same the other way, the rows of the result that each row of x is in.
        total: (atoms (a, u), places) -> (b, u), over each molecule's atoms.
        everywhere: (molecules (b, u), places) -> (a, u), what a molecule has, at each of its atoms.
    """

    linked: Callable[[Any, Links, Links], Any]
    total: Callable[[Any, Places], Any]
    everywhere: Callable[[Any, Places], Any]


@cache
def sums() -> Sums:
    """Made where JAX is there."""
    import jax
    import jax.numpy as jnp

    @jax.custom_vjp
    def linked(x: Any, sources: Links, targets: Links) -> Any:
        # d gathers and not one of d rows each: they become one kernel, which writes nothing but the sums
        each = zip(sources.rows.T, sources.there.T, strict=True)
        return sum(jnp.where(there[:, None], _rows(x, rows), 0) for rows, there in each)

    @jax.custom_vjp
    def total(atoms: Any, places: Places) -> Any:
        return places.whose @ atoms

    @jax.custom_vjp
    def everywhere(molecules: Any, places: Places) -> Any:
        return jnp.where(places.there[:, None], _rows(molecules, places.molecule), 0)

    linked.defvjp(
        lambda x, sources, targets: (linked(x, sources, targets), (sources, targets)),
        lambda links, slopes: (linked(slopes, links[1], links[0]), None, None),
    )
    total.defvjp(
        lambda atoms, places: (total(atoms, places), places),
        lambda places, slopes: (everywhere(slopes, places), None),
    )
    everywhere.defvjp(
        lambda molecules, places: (everywhere(molecules, places), places),
        lambda places, slopes: (total(slopes, places), None),
    )
    return Sums(linked, total, everywhere)


def places_of(count: Any, room: Any) -> Places:
    """Of molecules with `count` (b,) atoms in the rows `room` (a,)."""
    import jax.numpy as jnp

    numbers = np.arange(count.shape[0])
    ends = jnp.sum(jnp.where(numbers[:, None] >= numbers, count, 0), axis=1)
    first = ends - count
    ended = jnp.sum(ends <= room[:, None], axis=1)
    molecule = jnp.minimum(ended, len(numbers) - 1)
    whose = jnp.asarray(ended == numbers[:, None], jnp.float32)
    return Places(molecule, ended < len(numbers), room - _rows(first, molecule), first, whose)


def _rows(x: Any, rows: Any) -> Any:
    """x[rows]; all of them are there."""
    return x.at[rows].get(mode="promise_in_bounds")


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


@dataclass(frozen=True)
class AtomGraph(PackedGraph):
    """For states of atoms: bonds are where they lead to, (a, d, ...) for at most d at an atom.

    Attributes:
        sources: (a, d), of what arrives at an atom, rows of (a * relations, u).
        targets: (a * relations, d), atoms where that goes.
    """

    sources: Links
    targets: Links

    def by_relation(self, sent: Any, units: int) -> Any:
        """(a, relations * units) -> (a, units)."""
        return sums().linked(sent.reshape(-1, units), self.sources, self.targets)

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

    count = _rows(graphs.count, rows)
    places = places_of(count, graphs.room)
    fields = _taken(graphs.fields, rows, places)
    near = _taken(graphs.near, rows, places).astype(jnp.int32)
    there = places.there[:, None] & (near[:, :, -1] != np.iinfo(graphs.near.dtype).max)
    atoms = _hot(fields, tuple(ATOM_FIELDS.values()))
    count = jnp.maximum(count, 1).astype(jnp.float32)[:, None]
    if graphs.bonds is None:
        return _atom_graph(atoms, count, places, near, there)
    return _bond_graph(atoms, count, places, (graphs, rows), (near, there))


def _atom_graph(atoms: Any, count: Any, places: Places, near: Any, there: Any) -> AtomGraph:
    """Of `Graphs.near` of all atoms (a, d, 3), and which of them are there (a, d)."""
    import jax.numpy as jnp

    first = _rows(places.first, places.molecule)
    neighbour = jnp.where(there, first[:, None] + near[:, :, 0], 0)
    each = np.arange(len(RELATIONS))
    goes = there[:, None] & (near[:, None, :, 2] == each[:, None])
    kinds = there[:, :, None] & (near[:, :, 1, None] - 1 == np.arange(len(BOND_KINDS)))
    return AtomGraph(
        atoms, kinds.astype(jnp.float32), count, places,
        Links(jnp.where(there, neighbour * len(each) + near[:, :, 2], 0), there),
        Links(jnp.repeat(neighbour, len(each), axis=0), goes.reshape(-1, there.shape[1])),
    )  # fmt: skip


def _bond_graph(
    atoms: Any, count: Any, places: Places, held: tuple[Graphs, Any], near: tuple[Any, Any]
) -> BondGraph:
    """Of the tables and their rows, and of `Graphs.near` (a, d, 2) and which are there (a, d)."""
    import jax.numpy as jnp

    graphs, rows = held
    own = places_of(_rows(graphs.bond_count, rows), graphs.bond_room)
    bonds = _taken(graphs.bonds, rows, own).astype(jnp.int32)
    numbers, there = near
    numbers = jnp.where(there[:, :, None], _rows(own.first, places.molecule)[:, None, None] + numbers, 0)
    start = jnp.where(own.there, _rows(places.first, own.molecule) + bonds[:, 0], 0)
    back = jnp.where(own.there, _rows(own.first, own.molecule) + bonds[:, 1], 0)
    kinds = (bonds[:, 2:] - 1 == np.arange(len(BOND_KINDS))).astype(jnp.float32)
    one = own.there[:, None]
    return BondGraph(
        atoms, kinds, count, places,
        leaving=Links(numbers[:, :, 0], there),
        coming=Links(numbers[:, :, 1], there),
        start=Links(start[:, None], one),
        end=Links(_rows(start, back)[:, None], one),
        back=Links(back[:, None], one),
    )  # fmt: skip


def _taken(table: Any, rows: Any, places: Places) -> Any:
    """What a table (n, s, ...) of molecules says of the atoms or bonds at some places (a, ...)."""
    import jax.numpy as jnp

    number = jnp.minimum(places.number, table.shape[1] - 1)
    return _rows(table, (_rows(rows, places.molecule), number))


def _hot(fields: Any, values: tuple[int, ...]) -> Any:
    """Fields (a, k) as ones and zeros, side by side: float32 (a, sum of values)."""
    field = np.repeat(np.arange(len(values)), values)
    value = np.concatenate([np.arange(count) for count in values])
    return (fields[:, field] == value).astype(np.float32)
