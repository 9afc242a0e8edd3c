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
        held: by the size of batches, room that there is already.
        least: rows that there are at any rate.
    """

    def __init__(self, count: np.ndarray, held: dict[int, np.ndarray] | None = None, least: int = 1) -> None:
        self._count, self._least = count.astype(np.int64), least
        self.held = held or {}

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Room for each of the batches `rows` (..., b): int32 (a,), 0 to a - 1."""
        size = rows.shape[-1]
        needed = int(self._count[rows].sum(axis=-1).max(initial=self._least))
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
        before: of other molecules; programs for them shall do for these too.

    Attributes:
        smallest: the molecule with the fewest atoms, which fills up batches.
    """

    def __init__(self, graphs: Graphs, before: "Rooms | None" = None) -> None:
        counts = [graphs.count, *graphs.more.count.reshape(len(graphs.count), -1).T]
        held = [room.held for room in (before.atoms, *before.more)] if before else [None] * len(counts)
        self.smallest = int(counts[0].argmin())
        # a relation that no molecule has is left out, and takes none
        least = 0 if isinstance(graphs.more, Pairs) else 1
        self.atoms = Room(counts[0], held[0])
        self.more = [Room(count, own, least) for count, own in zip(counts[1:], held[1:], strict=True)]

    def of(self, graphs: Graphs, rows: np.ndarray) -> Graphs:
        """The graphs with room for each of the batches `rows` (..., b)."""
        more: list[np.ndarray] = [room.of(rows) for room in self.more]
        held: Pairs | Bonds = graphs.more
        if isinstance(held, Bonds):
            return graphs._replace(room=self.atoms.of(rows), more=held._replace(room=more[0]))
        return graphs._replace(room=self.atoms.of(rows), more=held._replace(rooms=tuple(more)))
