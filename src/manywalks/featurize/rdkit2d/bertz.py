"""BertzCT: complexity of bonding and of elements; S. H. Bertz, J. Am. Chem. Soc. 103 (1981) 3599.

Atoms are alike whose 100 shortest distances by bond order are the same. A connection is a pair of bonds at an
atom, or within a multiple bond; each kind is counted by the classes of its atoms.
"""

import numba
import numpy as np

from manywalks.featurize.rdkit2d.distances import kind_of
from manywalks.featurize.rdkit2d.polynomial import information

SHORTEST = 100
_ORDER = np.array([1.0, 2.0, 3.0, 1.5])


@numba.njit(cache=True, error_model="numpy")
def bertz_ct(graph, by_order):  # pragma: no cover
    """The index of a molecule; `by_order` as `order_distances` gives it."""
    n = len(graph.number)
    if n < 2:
        return 0.0
    alike = _classes(by_order)
    most = 0
    for i in range(n):
        degree = graph.starts[i + 1] - graph.starts[i]
        most += degree + degree * (degree - 1) // 2
    keys, amounts, used = np.empty(most, np.int64), np.empty(most), 0
    for i in range(n):
        for k in range(graph.starts[i], graph.starts[i + 1]):
            one, order = graph.neighbours[k], _ORDER[kind_of(graph.bonds[k])]
            if order > 1.0 and one > i:
                low, high = min(alike[i], alike[one]), max(alike[i], alike[one])
                keys[used] = low * n + high
                amounts[used] = order * (order - 1.0) / 2.0
                used += 1
            for m in range(k + 1, graph.starts[i + 1]):
                other = graph.neighbours[m]
                low, high = min(alike[one], alike[other]), max(alike[one], alike[other])
                keys[used] = ((alike[i] + 1) * n + low) * n + high
                amounts[used] = order * _ORDER[kind_of(graph.bonds[m])]
                used += 1
    connections = _added(keys[:used], amounts[:used]) if used else np.ones(1)
    total = connections.sum()
    of_elements = information(np.bincount(graph.number).astype(np.float64))
    return n * of_elements + total * (information(connections) + np.log(total) / np.log(2.0))


@numba.njit(cache=True, error_model="numpy")
def _classes(by_order):  # pragma: no cover
    """A number for each atom that is equal for those with equal shortest distances: int64 (n,)."""
    n = len(by_order)
    width = min(n, SHORTEST)
    rows = np.empty((n, n), np.int64)
    alike = np.empty(n, np.int64)
    found = 0
    for i in range(n):
        rows[i] = by_order[i]
        rows[i].sort()
        alike[i] = -1
        for j in range(i):
            # most rows differ at the far end
            k = width - 1 if alike[i] < 0 else -2
            while k >= 0 and rows[i, k] == rows[j, k]:
                k -= 1
            if k == -1:
                alike[i] = alike[j]
        if alike[i] < 0:
            alike[i] = found
            found += 1
    return alike


@numba.njit(cache=True, error_model="numpy")
def _added(keys, amounts):  # pragma: no cover
    """The amounts of equal keys added up."""
    order = np.argsort(keys)
    sums = np.zeros(len(keys))
    kinds = 0
    for place in range(len(order)):
        if place and keys[order[place]] != keys[order[place - 1]]:
            kinds += 1
        sums[kinds] += amounts[order[place]]
    return sums[: kinds + 1]
