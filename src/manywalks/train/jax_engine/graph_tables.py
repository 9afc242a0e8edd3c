"""Graphs of many molecules as tables of small whole numbers, which the device keeps.

Each molecule has a row of as many places as the largest one has atoms. Inside a program the atoms of a batch
lie one behind another, without the empty places (packed_graph.py). So a program has to be told how much room
a batch takes at most: a number that is known before it runs.
"""

from typing import Any, NamedTuple

import numpy as np

from manywalks.graph_layout import ATOM_FIELDS, RELATION_OF_KIND, GraphLayout

# A batch of molecules drawn at random has more atoms than by so many standard deviations in fewer than one
# of a million cases; then a program with more room is compiled.
DEVIATIONS = 6.0
# rooms are multiples of it, so that the tiles of a product are full
TILE = 64


class Graphs(NamedTuple):
    """n molecules of at most s atoms, with at most d bonds at an atom.

    The last three are for states of bonds alone.

    Attributes:
        count: int32 (n,), atoms.
        fields: uint8 (n, s, 8), of each atom, as in `ATOM_FIELDS`.
        near: for each neighbour of an atom, uint8 (n, s, d, 3): its place in the molecule, the kind of the
            bond from 1 on, the relation. For states of bonds (n, s, d, 2): numbers of the bond that leads
            there and of the one that leads back. What is not there has the largest number of the type.
        room: int32 (a,), 0 to a - 1, where a batch has at most a atoms; only its size matters.
        bond_count: int32 (n,), directed bonds.
        bonds: (n, e, 3) of each: place of its first atom, number of its reverse, kind from 1 on.
        bond_room: as `room`.
    """

    count: Any
    fields: Any
    near: Any
    room: Any
    bond_count: Any = None
    bonds: Any = None
    bond_room: Any = None

    @property
    def row_bytes(self) -> int:
        """Memory that one molecule takes."""
        parts = [self.count, self.fields, self.near, *([] if self.bonds is None else [self.bonds])]
        return sum(part.dtype.itemsize * int(np.prod(part.shape[1:])) for part in parts)

    def take(self, rows: np.ndarray) -> "Graphs":
        """Those of some rows."""
        taken = self._replace(count=self.count[rows], fields=self.fields[rows], near=self.near[rows])
        if self.bonds is None:
            return taken
        return taken._replace(bond_count=self.bond_count[rows], bonds=self.bonds[rows])


class _Bonds(NamedTuple):
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
    """
    n = len(columns)
    whole = columns.astype(np.uint8)
    fields = whole[:, 1 : layout.first_bond].reshape(n, len(ATOM_FIELDS), layout.max_atoms)
    count = (fields[:, 0] > 0).sum(axis=1).astype(np.int32)
    most = max(1, int(count.max(initial=0)))
    fields = np.ascontiguousarray(fields.swapaxes(1, 2)[:, :most])
    bonds = _directed(whole[:, layout.first_bond :].reshape(n, 3, layout.max_bonds), most)
    near = np.stack([bonds.end, bonds.kind, np.array(RELATION_OF_KIND)[bonds.kind]], axis=1)
    shape, room = (n, most), np.zeros(0, np.int32)
    at = bonds.molecule, bonds.start, bonds.number
    if not of_bonds:
        return Graphs(count, fields, _table(shape, at, near), room)
    bond_count = np.bincount(bonds.molecule, minlength=n).astype(np.int32)
    first = (np.cumsum(bond_count) - bond_count)[bonds.molecule]
    there = np.arange(len(first)) - first
    back = bonds.reverse - first
    own = _table((n,), (bonds.molecule, there), np.stack([bonds.start, back, bonds.kind], axis=1))
    near = _table(shape, at, np.stack([there, back], axis=1))
    return Graphs(count, fields, near, room, bond_count, own, room)


def _directed(bonds: np.ndarray, most: int) -> _Bonds:
    """Bonds (n, 3, slots) of molecules with at most `most` atoms, each there and back."""
    molecule, slot = np.nonzero(bonds[:, 2])
    one, other, kind = (bonds[molecule, part, slot].astype(np.int64) for part in range(3))
    molecule, kind = np.tile(molecule, 2), np.tile(kind, 2)
    start, end = np.concatenate([one, other]), np.concatenate([other, one])
    atom = molecule * most + start
    order = np.argsort(atom, kind="stable")
    now = np.empty_like(order)
    now[order] = np.arange(len(order))
    atom = atom[order]
    reverse = now[(order + len(slot)) % max(1, len(order))]
    number = np.arange(len(atom)) - np.searchsorted(atom, atom)
    return _Bonds(molecule[order], start[order], end[order], kind[order], number, reverse)


def _table(shape: tuple[int, ...], at: tuple[np.ndarray, ...], values: np.ndarray) -> np.ndarray:
    """Values (e, k) at places with one more axis than `shape`, as the smallest type that holds them."""
    largest = int(values.max(initial=0))
    kind = np.uint8 if largest < np.iinfo(np.uint8).max else np.uint16
    size = (*shape, int(at[-1].max(initial=0)) + 1, values.shape[1])
    table = np.full(size, np.iinfo(kind).max, kind)
    table[at] = values
    return table


class Rooms:
    """How much room programs have for the atoms or bonds of a batch. It seldom changes: each is compiled.

    Args:
        count: atoms, or bonds, of all molecules (n,).
    """

    def __init__(self, count: np.ndarray) -> None:
        self._count = count
        self._rooms: dict[int, np.ndarray] = {}

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Room for each of the batches `rows` (..., b): int32 (a,), 0 to a - 1."""
        size = rows.shape[-1]
        needed = int(self._count[rows].sum(axis=-1).max(initial=1))
        if size not in self._rooms:
            self._rooms[size] = _room(max(self._usual(size), needed))
        if len(self._rooms[size]) < needed:
            self._rooms[size] = _room(needed * 21 // 20)
        return self._rooms[size]

    def _usual(self, size: int) -> int:
        """What practically no batch of that size exceeds."""
        drawn = size * self._count.mean() + DEVIATIONS * np.sqrt(size) * self._count.std()
        return int(min(drawn, size * self._count.max()))


def _room(rows: int) -> np.ndarray:
    """Whole tiles for so many rows."""
    return np.arange(-(-rows // TILE) * TILE, dtype=np.int32)
