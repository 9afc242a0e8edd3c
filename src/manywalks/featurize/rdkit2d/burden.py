"""BCUT2D: the largest and the least eigenvalue of a Burden matrix with a property on its diagonal.

R. S. Pearlman, K. M. Smith, J. Chem. Inf. Comput. Sci. 39 (1999) 28: beside the diagonal one over the root of
the bond order, and a thousandth for atoms that are not bound.
"""

import numba
import numpy as np

from manywalks.featurize.rdkit2d.distances import kind_of

_BOND = 1 / np.sqrt(np.array([1.0, 2.0, 3.0, 1.5]))
NOT_BOUND = 0.001


@numba.njit(cache=True, error_model="numpy")
def bcut(graph, properties):  # pragma: no cover
    """Extreme eigenvalues for k properties (k, n) of atoms: (k, 2), the largest first."""
    n = len(graph.number)
    matrix = np.full((n, n), NOT_BOUND)
    for i in range(n):
        for k in range(graph.starts[i], graph.starts[i + 1]):
            matrix[i, graph.neighbours[k]] = _BOND[kind_of(graph.bonds[k])]
    result = np.empty((len(properties), 2))
    for row in range(len(properties)):
        copy = matrix.copy()
        for i in range(n):
            copy[i, i] = properties[row, i]
        diagonal, beside = _tridiagonal(copy)
        reach = np.abs(diagonal).max() + 2 * np.abs(beside).max() + 1e-6
        result[row, 0] = _eigenvalue(diagonal, beside, n - 1, reach)
        result[row, 1] = _eigenvalue(diagonal, beside, 0, reach)
    return result


@numba.njit(cache=True, error_model="numpy")
def _tridiagonal(matrix):  # pragma: no cover
    """Householder's reduction of a symmetric matrix, which it overwrites: the diagonal and the one beside."""
    n = len(matrix)
    diagonal, beside = np.empty(n), np.zeros(n)
    mirror, moved = np.empty(n), np.empty(n)
    for k in range(n - 2):
        length = 0.0
        for i in range(k + 1, n):
            length += matrix[k, i] * matrix[k, i]
        length = np.sqrt(length)
        if matrix[k, k + 1] > 0:
            length = -length
        beside[k] = length
        scale = length * length - length * matrix[k, k + 1]
        if scale == 0.0:
            continue
        for i in range(k + 1, n):
            mirror[i] = matrix[k, i]
        mirror[k + 1] -= length
        along = 0.0
        for i in range(k + 1, n):
            total = 0.0
            for j in range(k + 1, n):
                total += matrix[i, j] * mirror[j]
            moved[i] = total / scale
            along += mirror[i] * moved[i]
        for i in range(k + 1, n):
            moved[i] -= along / (2 * scale) * mirror[i]
        for i in range(k + 1, n):
            for j in range(k + 1, n):
                matrix[i, j] -= mirror[i] * moved[j] + moved[i] * mirror[j]
    for i in range(n):
        diagonal[i] = matrix[i, i]
    if n > 1:
        beside[n - 2] = matrix[n - 2, n - 1]
    return diagonal, beside


@numba.njit(cache=True, error_model="numpy")
def _eigenvalue(diagonal, beside, place, reach):  # pragma: no cover
    """The eigenvalue of that place in ascending order, by halving an interval that holds it."""
    low, high = -reach, reach
    while high - low > 1e-13 * reach:
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break
        below, pivot = 0, 1.0
        for i in range(len(diagonal)):
            coupling = beside[i - 1] * beside[i - 1] / pivot if i else 0.0
            pivot = diagonal[i] - middle - coupling
            if pivot == 0.0:
                pivot = 1e-300
            below += pivot < 0.0
        if below > place:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)
