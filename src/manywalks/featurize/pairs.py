"""Atom pairs and topological torsions from a molecule's arrays, with RDKit's own numbers.

R. E. Carhart, D. H. Smith, R. Venkataraghavan, J. Chem. Inf. Comput. Sci. 25 (1985) 64; R. Nilakantan et
al., 27 (1987) 82. Each atom has a code of its element, its pi electrons and its neighbours. A pair is two
codes and the bonds between them, a torsion four codes along a path. What they are mixed into is folded and
counted.
"""

import numba
import numpy as np
from rdkit import Chem

from manywalks.featurize.circular import mixed
from manywalks.featurize.patterns.graph import Graph
from manywalks.featurize.rdkit2d.distances import plain_distances

FARTHEST = 30  # bonds of a pair
# places of elements in an atom's code; all others have the last
_PLACES = np.full(119, 15, dtype=np.int64)
_PLACES[[5, 6, 7, 8, 9, 14, 15, 16, 17, 33, 34, 35, 51, 52, 53]] = np.arange(15)
_SP3 = int(Chem.HybridizationType.SP3)
_MASK = 0xFFFFFFFF
_CODES = 511


def pair_counts(graph: Graph, n_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns that are not zero, int32 ascending, and float32 counts of atom pairs."""
    return _pairs(graph, plain_distances(graph), n_bits)


@numba.njit(cache=True)
def torsion_counts(graph, n_bits):  # pragma: no cover
    """The same of torsions: paths of four atoms, and rings of three, without hydrogens that are atoms."""
    counts = np.zeros(n_bits, np.float32)
    codes = _codes(graph)
    for b in range(len(codes)):
        for k in range(graph.starts[b], graph.starts[b + 1]):
            c = graph.neighbours[k]
            if c < b or graph.number[b] == 1 or graph.number[c] == 1:
                continue
            for p in range(graph.starts[b], graph.starts[b + 1]):
                for q in range(graph.starts[c], graph.starts[c + 1]):
                    a, d = graph.neighbours[p], graph.neighbours[q]
                    if a == c or d == b or graph.number[a] == 1 or graph.number[d] == 1:
                        continue
                    # a ring of three counts once, from its first atom
                    if a != d or a < b:
                        counts[_torsion(codes[a], codes[b], codes[c], codes[d]) % n_bits] += 1
    return _sparse(counts)


@numba.njit(cache=True)
def _pairs(graph, plain, n_bits):  # pragma: no cover
    """Pairs of a molecule whose distances are known."""
    counts = np.zeros(n_bits, np.float32)
    codes = _codes(graph) % _CODES
    for i in range(len(codes)):
        for j in range(i):
            if 0 < plain[i, j] <= FARTHEST:
                low, high = min(codes[i], codes[j]), max(codes[i], codes[j])
                counts[mixed(mixed(mixed(0, low), plain[i, j]), high) % n_bits] += 1
    return _sparse(counts)


@numba.njit(cache=True)
def _codes(graph):  # pragma: no cover
    """The code of each atom: int64 (n,)."""
    result = np.empty(len(graph.number), np.int64)
    for i in range(len(result)):
        degree = graph.starts[i + 1] - graph.starts[i]
        electrons = 1
        if not graph.aromatic[i]:
            electrons = graph.valence[i] - graph.hydrogens[i] - degree
            if graph.hybrid[i] == _SP3:
                electrons = 0
        result[i] = degree % 7 | electrons % 3 << 3 | _PLACES[graph.number[i]] << 5
    return result


@numba.njit(cache=True)
def _torsion(a, b, c, d):  # pragma: no cover
    """The number of a path, the same from either end."""
    # the path's own bonds are no branches
    first, second = ((a - 2) & _MASK) % _CODES + 1, ((b - 2) & _MASK) % _CODES
    third, last = ((c - 2) & _MASK) % _CODES, ((d - 2) & _MASK) % _CODES + 1
    if (first, second) > (last, third):
        first, second, third, last = last, third, second, first
    return mixed(mixed(mixed(mixed(0, first), second), third), last)


@numba.njit(cache=True)
def _sparse(counts):  # pragma: no cover
    """Columns that are not zero, int32, and their values."""
    columns = np.empty(len(counts), np.int32)
    size = 0
    for column in range(len(counts)):
        if counts[column]:
            columns[size] = column
            size += 1
    return columns[:size].copy(), counts[columns[:size]]
