"""ErG: pairs of pharmacophore points at distances in a reduced graph, with RDKit's own values.

N. Stiefl, I. A. Watson, K. Baumann, A. Zaliani, J. Chem. Inf. Model. 46 (2006) 208. Points are donors,
acceptors, cations, anions, ends of branches, and rings, each an atom of its own in the reduced graph, where
atoms that only close a ring are left out. A pair counts a little at the distances beside its own, too.

RDKit itself takes distances of the whole graph, or what lies behind them in memory, for those of the reduced
one, where the whole ones were asked for before and no atom is left out (cubane). Here they never are.
"""

import numba
import numpy as np
from rdkit import Chem

from manywalks.featurize.patterns.graph import Graph
from manywalks.featurize.patterns.roles import roles

SIZE = 315  # 21 pairs of kinds at distances 1 to 15
LARGEST = 1000  # atoms: RDKit's limit of matches of one pattern
_FARTHEST = 15  # bonds
_BESIDE = 0.3
_BRANCH, _FLAT, _KINDS = 4, 5, 6
_LARGE_RING = 8
_SP2 = int(Chem.HybridizationType.SP2)


def erg_counts(graph: Graph) -> tuple[np.ndarray, np.ndarray]:
    """Columns that are not zero, int32 ascending, and their float32 values."""
    return _erg(graph, roles(graph).points)


@numba.njit(cache=True)
def _erg(graph, points):  # pragma: no cover
    """The same, of the kinds of points that each atom is, as bits: int64 (n,)."""
    kinds = _kinds(graph, points)
    starts, neighbours = _reduced(graph, points, len(kinds))
    values = np.zeros(SIZE)
    away, queue = np.empty(len(kinds), np.int64), np.empty(len(kinds), np.int64)
    for i in range(len(kinds)):
        if not kinds[i]:
            continue
        _walk(i, starts, neighbours, away, queue)
        for j in range(i + 1, len(kinds)):
            if kinds[j] and away[j] > 0:
                _add(values, kinds[i], kinds[j], away[j])
    columns = np.flatnonzero(values)
    return columns.astype(np.int32), values[columns].astype(np.float32)


@numba.njit(cache=True)
def _kinds(graph, points):  # pragma: no cover
    """Kinds of each point of the reduced graph, atoms and then rings, as bits; 0 of an atom left out."""
    n = len(points)
    kinds = np.zeros(n + len(graph.sizes), np.int64)
    kinds[:n] = points
    first = 0
    for ring, size in enumerate(graph.sizes):
        aromatic, flat = 0, 0
        for atom in graph.members[first : first + size]:
            if graph.aromatic[atom]:
                aromatic += 1
            elif graph.hybrid[atom] == _SP2:
                flat += 1
        if size < _LARGE_RING:
            kinds[n + ring] = 1 << (_FLAT if aromatic >= 2 or flat >= size // 2 else _BRANCH)
        first += size
    return kinds


@numba.njit(cache=True)
def _reduced(graph, points, size):  # pragma: no cover
    """Neighbour lists of the reduced graph, whose rings are points bound to their atoms."""
    n = len(points)
    kept = np.ones(n, np.bool_)
    for i in range(n):
        degree = graph.starts[i + 1] - graph.starts[i]
        kept[i] = graph.rings[i] == 0 or degree != 2 or points[i] != 0
    most = len(graph.neighbours) // 2 + len(graph.members)
    ends = np.empty((most, 2), np.int64)
    found, first = 0, 0
    for i in range(n):
        for k in range(graph.starts[i], graph.starts[i + 1]):
            if graph.neighbours[k] > i and kept[i] and kept[graph.neighbours[k]]:
                ends[found] = i, graph.neighbours[k]
                found += 1
    for ring, length in enumerate(graph.sizes):
        for atom in graph.members[first : first + length]:
            if length < _LARGE_RING and kept[atom]:
                ends[found] = atom, n + ring
                found += 1
        first += length
    return _lists(ends[:found], size)


@numba.njit(cache=True)
def _lists(ends, size):  # pragma: no cover
    """Bonds (b, 2) as neighbour lists: starts, int64 (size + 1,), and all of them (2 b,)."""
    starts = np.zeros(size + 2, np.int64)
    for k in range(len(ends)):
        starts[ends[k, 0] + 2] += 1
        starts[ends[k, 1] + 2] += 1
    starts = np.cumsum(starts)
    neighbours = np.empty(2 * len(ends), np.int64)
    for k in range(len(ends)):
        for side in range(2):
            point = ends[k, side]
            neighbours[starts[point + 1]] = ends[k, 1 - side]
            starts[point + 1] += 1
    return starts[:-1], neighbours


@numba.njit(cache=True)
def _walk(start, starts, neighbours, away, queue):  # pragma: no cover
    """Bonds from a point to all others in `away`; -1 beyond the farthest."""
    away[:] = -1
    away[start] = 0
    queue[0] = start
    first, last = 0, 1
    while first < last and away[queue[first]] < _FARTHEST:
        point = queue[first]
        first += 1
        for k in range(starts[point], starts[point + 1]):
            if away[neighbours[k]] < 0:
                away[neighbours[k]] = away[point] + 1
                queue[last] = neighbours[k]
                last += 1


@numba.njit(cache=True)
def _add(values, some, others, bonds):  # pragma: no cover
    """Count two points of some kinds."""
    for one in range(_KINDS):
        for other in range(_KINDS):
            if some >> one & 1 and others >> other & 1:
                low, high = min(one, other), max(one, other)
                column = (low * _KINDS - low * (low + 1) // 2 + high) * _FARTHEST + bonds - 1
                values[column] += 1
                if bonds > 1:
                    values[column - 1] += _BESIDE
                if bonds < _FARTHEST:
                    values[column + 1] += _BESIDE
