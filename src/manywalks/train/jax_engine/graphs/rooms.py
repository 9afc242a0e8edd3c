"""How many rows the atoms of a batch take at most: a program has to know before it runs."""

import numpy as np

from manywalks.train.jax_engine.graphs.tables import Bonds, Graphs, Pairs

# A batch of molecules drawn at random has more atoms than by so many standard deviations in fewer than one
# of a million cases; then a program with more room is compiled.
DEVIATIONS = 6.0
# rooms are multiples of it, so that the tiles of a product are full
TILE = 64


class Room:
    """Of something that molecules have: atoms, bonds. It seldom changes: programs are compiled for each size.

    Args:
        count: how many each molecule has (n,).
    """

    def __init__(self, count: np.ndarray) -> None:
        self._count = count.astype(np.int64)
        self.held: dict[int, np.ndarray] = {}

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Room for each of the batches `rows` (..., b): int32 (a,), 0 to a - 1."""
        size = rows.shape[-1]
        needed = int(self._count[rows].sum(axis=-1).max(initial=0))
        if size not in self.held:
            self.held[size] = _room(max(self._usual(size), needed))
        if len(self.held[size]) < needed:
            self.held[size] = _room(needed * 21 // 20)
        return self.held[size]

    def _usual(self, size: int) -> int:
        """What practically no batch of that size exceeds."""
        drawn = size * self._count.mean() + DEVIATIONS * np.sqrt(size) * self._count.std()
        return int(min(drawn, size * self._count.max(initial=0)))


def _room(rows: int) -> np.ndarray:
    """Whole tiles for so many rows."""
    return np.arange(-(-rows // TILE) * TILE, dtype=np.int32)


class Rooms:
    """All rooms of a program.

    Args:
        graphs: of all molecules.
    """

    def __init__(self, graphs: Graphs) -> None:
        self.atoms = Room(np.maximum(graphs.count, 1))
        counts = graphs.more.count.reshape(len(graphs.count), -1)
        self.more = [Room(count) for count in counts.T]

    def of(self, graphs: Graphs, rows: np.ndarray) -> Graphs:
        """The graphs with room for each of the batches `rows` (..., b)."""
        more: list[np.ndarray] = [room.of(rows) for room in self.more]
        held: Pairs | Bonds = graphs.more
        if isinstance(held, Bonds):
            return graphs._replace(room=self.atoms.of(rows), more=held._replace(room=more[0]))
        return graphs._replace(room=self.atoms.of(rows), more=held._replace(rooms=tuple(more)))
