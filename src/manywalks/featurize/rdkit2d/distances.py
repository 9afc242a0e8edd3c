"""Topological distances, plain and by bond order, and the E-state indices and J that follow from them."""

import numba
import numpy as np

from manywalks.featurize.patterns.expression import KINDS
from manywalks.featurize.patterns.graph import Graph

# what RDKit gives for atoms that no path connects
APART = 1e8
# one over the bond order of single, double, triple and aromatic bonds, times 6: whole numbers
_SIXTHS = np.array([6, 3, 2, 4], dtype=np.int64)
_FAR = 1 << 40
# the last molecule's: descriptors, atom pairs and ionization ask for the same
_last: "tuple[Graph, np.ndarray] | None" = None


def plain_distances(graph: Graph) -> np.ndarray:
    """Bonds between atoms, int64 (n, n); -1 where no path is."""
    global _last
    if _last is None or _last[0] is not graph:
        _last = graph, distances(graph)
    return _last[1]


@numba.njit(cache=True, error_model="numpy")
def kind_of(bond):  # pragma: no cover
    """Single, double, triple or aromatic (0 to 3) of a bond's bit."""
    kind = 0
    while not bond & (1 << kind | 1 << KINDS + kind):
        kind += 1
    return kind


@numba.njit(cache=True, error_model="numpy")
def distances(graph):  # pragma: no cover
    """Bonds between atoms, int64 (n, n); -1 where no path is."""
    n = len(graph.number)
    result = np.full((n, n), -1, np.int64)
    queue = np.empty(n, np.int64)
    for i in range(n):
        result[i, i] = 0
        queue[0] = i
        first, last = 0, 1
        while first < last:
            atom = queue[first]
            first += 1
            for k in range(graph.starts[atom], graph.starts[atom + 1]):
                other = graph.neighbours[k]
                if result[i, other] < 0:
                    result[i, other] = result[i, atom] + 1
                    queue[last] = other
                    last += 1
    return result


@numba.njit(cache=True, error_model="numpy")
def order_distances(graph):  # pragma: no cover
    """Least sums of 6 / bond order along a path, int64 (n, n), so that equal ones are equal; _FAR: none."""
    n = len(graph.number)
    result = np.full((n, n), _FAR, np.int64)
    for i in range(n):
        result[i, i] = 0
        for k in range(graph.starts[i], graph.starts[i + 1]):
            result[i, graph.neighbours[k]] = _SIXTHS[kind_of(graph.bonds[k])]
    for middle in range(n):
        for i in range(n):
            way = result[i, middle]
            if way < _FAR:
                for j in range(n):
                    result[i, j] = min(result[i, j], way + result[middle, j])
    return np.minimum(result, _FAR)


@numba.njit(cache=True, error_model="numpy")
def estate(graph, plain, outer_electrons):  # pragma: no cover
    """E-state index of each atom (n,): Hall, Mohney and Kier, J. Chem. Inf. Comput. Sci. 31 (1991) 76.

    Args:
        outer_electrons: valence electrons of the neutral atom by atomic number.
    """
    n = len(graph.number)
    intrinsic = np.zeros(n)
    for i in range(n):
        degree = graph.starts[i + 1] - graph.starts[i]
        if degree:
            period = _period(graph.number[i])
            electrons = outer_electrons[graph.number[i]] - graph.hydrogens[i]
            intrinsic[i] = (4.0 / (period * period) * electrons + 1) / degree
    change = np.zeros(n)
    for i in range(n):
        for j in range(i + 1, n):
            if plain[i, j] >= 0:
                away = plain[i, j] + 1.0
                pull = (intrinsic[i] - intrinsic[j]) / (away * away)
                change[i] += pull
                change[j] -= pull
    return intrinsic + change


@numba.njit(cache=True, error_model="numpy")
def _period(number):  # pragma: no cover
    """Row of the periodic table."""
    row = 1
    for last in (2, 10, 18, 36, 54, 86):
        row += number > last
    return row


@numba.njit(cache=True, error_model="numpy")
def balaban_j(graph, by_order):  # pragma: no cover
    """Balaban's J on distances by bond order: Chem. Phys. Lett. 89 (1982) 399."""
    n, n_bonds = len(graph.number), len(graph.neighbours) // 2
    sums = np.zeros(n)
    for i in range(n):
        for j in range(n):
            sums[i] += APART if by_order[i, j] >= _FAR else by_order[i, j] / 6.0
    total = 0.0
    for i in range(n):
        for k in range(graph.starts[i], graph.starts[i + 1]):
            if graph.neighbours[k] > i:
                total += 1.0 / np.sqrt(sums[i] * sums[graph.neighbours[k]])
    cycles = n_bonds - n + 1
    return n_bonds / (cycles + 1.0) * total if cycles + 1 else 0.0
