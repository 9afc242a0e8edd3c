"""Graphs of many molecules as tables of small whole numbers, which the device keeps.

Each molecule has a row of as many places as the largest one has atoms. Inside a program the atoms of a batch
lie one behind another, without the empty places (packed.py), in as many rows as there is room (rooms.py).
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from manywalks.graph_layout import ATOM_FIELDS, BOND_KINDS, RELATION_OF_KIND, RELATIONS, GraphLayout

# which pair of a relation an atom has that has none: atoms are 255 at most
NONE = 255


class Pairs(NamedTuple):
    """For states of atoms: the pairs of an atom and a relation by which something arrives at it.

    An atom has 1.25 of the five on average, so products for pairs are a fifth of those for all relations.

    Attributes:
        count: uint8 (n, relations), how many a molecule has.
        atom: uint8 (n, p), the places of their atoms, relation after relation.
        number: uint8 (n, s, relations), which one of the relation's pairs an atom has.
        rooms: of each relation's pairs, as `Graphs.room`.
    """

    count: Any
    atom: Any
    number: Any
    rooms: tuple[Any, ...]


class Bonds(NamedTuple):
    """For states of directed bonds; those that begin at one atom lie one behind another.

    Attributes:
        count: int32 (n,), how many a molecule has.
        each: (n, e, 3), place of its first atom, number of its reverse, kind from 1 on.
        room: as `Graphs.room`.
    """

    count: Any
    each: Any
    room: Any


class Graphs(NamedTuple):
    """n molecules of at most s atoms, with at most d bonds at an atom.

    What is not there has the largest number of the table's type.

    Attributes:
        count: int32 (n,), atoms.
        fields: uint8 (n, s, 8), of each atom, as in `ATOM_FIELDS`.
        near: for each neighbour of an atom, uint8 (n, s, d, 3): its place in the molecule, the kind of the
            bond from 1 on, the relation. For states of bonds (n, s, d, 2): numbers of the bond that leads
            there and of the one that leads back.
        more: what states of atoms or of bonds need.
        room: int32 (a,), 0 to a - 1, where a batch has at most a atoms; only its size matters.
    """

    count: Any
    fields: Any
    near: Any
    more: Any
    room: Any

    @property
    def row_bytes(self) -> int:
        """Memory that one molecule takes."""
        parts = [*self[:3], *self.more[:-1]]
        return sum(part.dtype.itemsize * int(np.prod(part.shape[1:])) for part in parts)

    def take(self, rows: np.ndarray) -> "Graphs":
        """Those of some rows."""
        count, fields, near = (part[rows] for part in self[:3])
        more = type(self.more)(*(part[rows] for part in self.more[:-1]), self.more[-1])
        return Graphs(count, fields, near, more, self.room)

    def as_wide(self, before: "Graphs | None") -> "Graphs":
        """The same in tables at least as wide as those of other molecules: programs know one width."""
        if before is None:
            return self
        wide = [_widened(*each) for each in zip(self[:3], before[:3], strict=True)]
        more = [_widened(*each) for each in zip(self.more[:-1], before.more[:-1], strict=True)]
        count, fields, near = wide
        return Graphs(count, fields, near, type(self.more)(*more, self.more[-1]), self.room)


class _Directed(NamedTuple):
    """Directed bonds of n molecules, ordered by molecule and first atom; each (e,).

    Attributes:
        molecule, start, end, kind: of each, kinds from 1 on.
        number: among those that begin at the same atom.
        reverse: where its reverse is.
    """

    molecule: np.ndarray
    start: np.ndarray
    end: np.ndarray
    kind: np.ndarray
    number: np.ndarray
    reverse: np.ndarray


def graph_tables(columns: np.ndarray, layout: GraphLayout, *, of_bonds: bool) -> Graphs:
    """The block's columns (n, layout.width) -> tables, without room.

    Args:
        columns: of the block.
        layout: of the columns.
        of_bonds: whether bonds have states of their own.

    Raises:
        ValueError: the columns are not of this layout.
    """
    n = len(columns)
    if columns.shape[1:] != (layout.width,):
        raise ValueError(
            f"graphs: {columns.shape[1]} feature columns, but a graph of {layout.max_atoms} atoms has "
            f"{layout.width}; give features and network the same max_atoms"
        )
    whole = columns.astype(np.uint8)
    fields = whole[:, 1 : layout.first_bond].reshape(n, len(ATOM_FIELDS), layout.max_atoms)
    count = (fields[:, 0] > 0).sum(axis=1).astype(np.int32)
    most = max(1, int(count.max(initial=0)))
    fields = np.ascontiguousarray(fields.swapaxes(1, 2)[:, :most])
    drawn = whole[:, layout.first_bond :].reshape(n, 3, layout.max_bonds)
    _check_bonds(drawn, count, layout)
    bonds = _directed(drawn, most)
    near, more = (_of_bonds if of_bonds else _of_atoms)(bonds, (n, most))
    return Graphs(count, fields, near, more, np.zeros(0, np.int32))


def _check_bonds(bonds: np.ndarray, atoms: np.ndarray, layout: GraphLayout) -> None:
    """Refuse (ValueError) bonds (n, 3, slots) of kinds or atoms that are not there; atoms are counts (n,).

    Columns for another number of slots look so: what are an atom's fields there is read as bonds.
    """
    there = bonds[:, 2] > 0
    far = bonds[:, :2].max(axis=1) >= atoms[:, None]
    wrong = np.flatnonzero((there & (far | (bonds[:, 2] > len(BOND_KINDS)))).any(axis=1))
    if wrong.size:
        raise ValueError(
            f"graphs: molecule {wrong[0]} has bonds to atoms that it lacks; the columns are not those of "
            f"{layout.max_atoms} atoms; give features and network the same max_atoms"
        )


def _directed(bonds: np.ndarray, most: int) -> _Directed:
    """Bonds (n, 3, slots) of molecules with at most `most` atoms, each there and back."""
    molecule, slot = np.nonzero(bonds[:, 2])
    one, other, kind = (bonds[molecule, part, slot].astype(np.int32) for part in range(3))
    molecule, kind = np.tile(molecule.astype(np.int32), 2), np.tile(kind, 2)
    start, end = np.concatenate([one, other]), np.concatenate([other, one])
    size = len(start)
    # rows of a sparse matrix are the atoms: that is sooner sorted than numbers of any size
    places = molecule.astype(np.int64) * most + start, np.arange(size, dtype=np.int32)
    grouped = sparse.csr_matrix((np.ones(size, np.int8), places), shape=(len(bonds) * most, size))
    order = grouped.indices
    now = np.empty_like(order)
    now[order] = places[1]
    reverse = now[(order + len(slot)) % max(1, size)]
    number = places[1] - np.repeat(grouped.indptr[:-1], np.diff(grouped.indptr))
    return _Directed(molecule[order], start[order], end[order], kind[order], number, reverse)


def _of_atoms(bonds: _Directed, shape: tuple[int, int]) -> tuple[np.ndarray, Pairs]:
    """`Graphs.near` and `more` of n molecules with at most s atoms: shape (n, s)."""
    relation = np.array(RELATION_OF_KIND)[bonds.kind]
    at = bonds.molecule, bonds.start, bonds.number
    near = _table(shape, at, np.stack([bonds.end, bonds.kind, relation], axis=1))
    there = np.zeros((shape[0], len(RELATIONS), shape[1]), bool)
    there[bonds.molecule, relation, bonds.start] = True
    count = there.sum(axis=2)
    molecule, own, atom = np.nonzero(there)
    first = np.cumsum(count.sum(axis=1)) - count.sum(axis=1)
    begin = first[:, None] + np.cumsum(count, axis=1) - count
    place, which = np.arange(len(molecule)), (molecule, own)
    atoms = _table((shape[0],), (molecule, place - first[molecule]), atom[:, None])[:, :, 0]
    number = np.full((*shape, len(RELATIONS)), NONE, np.uint8)
    number[molecule, atom, own] = place - begin[which]
    return near, Pairs(count.astype(np.uint8), atoms, number, ())


def _of_bonds(bonds: _Directed, shape: tuple[int, int]) -> tuple[np.ndarray, Bonds]:
    """`Graphs.near` and `more` of n molecules with at most s atoms: shape (n, s)."""
    count = np.bincount(bonds.molecule, minlength=shape[0]).astype(np.int32)
    first = (np.cumsum(count) - count)[bonds.molecule]
    there, back = np.arange(len(first)) - first, bonds.reverse - first
    each = np.stack([bonds.start, back, bonds.kind], axis=1)
    at = bonds.molecule, bonds.start, bonds.number
    near = _table(shape, at, np.stack([there, back], axis=1))
    return near, Bonds(count, _table(shape[:1], (bonds.molecule, there), each), np.zeros(0, np.int32))


def _widened(table: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A table (n, ...) whose further axes are as long as another's, if they are shorter."""
    missing = [(0, max(0, b - a)) for a, b in zip(table.shape[1:], other.shape[1:], strict=True)]
    return np.pad(table, [(0, 0), *missing], constant_values=np.iinfo(table.dtype).max)


def _table(shape: tuple[int, ...], at: tuple[np.ndarray, ...], values: np.ndarray) -> np.ndarray:
    """Values (e, k) at places with one more axis than `shape`, as the smallest type that holds them."""
    largest = int(values.max(initial=0))
    kind = np.uint8 if largest < np.iinfo(np.uint8).max else np.uint16
    size = (*shape, int(at[-1].max(initial=0)) + 1, values.shape[1])
    table = np.full(size, np.iinfo(kind).max, kind)
    table[at] = values
    return table
