"""Labute's approximate surface area by atom, and its sums over bins of a property (the VSA descriptors).

P. Labute, J. Mol. Graph. Model. 18 (2000) 464.
"""

import numba
import numpy as np

from manywalks.featurize.rdkit2d.distances import kind_of

# by how many angstrom a double, triple or aromatic bond is shorter than the sum of the radii
_SHORTER = np.array([0.0, 0.2, 0.3, 0.1])


@numba.njit(cache=True, error_model="numpy")
def areas(graph, radii):  # pragma: no cover
    """Each atom's area in square angstrom (n,), and that of hydrogens, of which each atom is given one.

    Args:
        radii: bond radii in angstrom by atomic number.
    """
    n = len(graph.number)
    covered = np.zeros(n)
    of_hydrogens = 0.0
    for i in range(n):
        own = radii[graph.number[i]]
        for k in range(graph.starts[i], graph.starts[i + 1]):
            other = radii[graph.number[graph.neighbours[k]]]
            length = _length(own, other, _SHORTER[kind_of(graph.bonds[k])])
            covered[i] += other * other - (own - length) ** 2 / length
        length = _length(own, radii[1], 0.0)
        covered[i] += radii[1] * radii[1] - (own - length) ** 2 / length
        of_hydrogens += own * own - (radii[1] - length) ** 2 / length
        covered[i] = 4 * np.pi * own * own - np.pi * own * covered[i]
    return covered, 4 * np.pi * radii[1] ** 2 - np.pi * radii[1] * of_hydrogens


@numba.njit(cache=True, error_model="numpy")
def _length(one, other, shorter):  # pragma: no cover
    """Of a bond between atoms of these radii."""
    return min(max(abs(one - other), one + other - shorter), one + other)


@numba.njit(cache=True, error_model="numpy")
def binned(values, bins, amounts):  # pragma: no cover
    """Sums of amounts (n,) of atoms whose values (n,) are between neighbouring bins: (bins + 1,)."""
    result = np.zeros(len(bins) + 1)
    for i in range(len(values)):
        place = 0
        while place < len(bins) and values[i] >= bins[place]:
            place += 1
        result[place] += amounts[i]
    return result
