"""BCUT2D: the largest and the least eigenvalue of a Burden matrix with a property on its diagonal.

R. S. Pearlman, K. M. Smith, J. Chem. Inf. Comput. Sci. 39 (1999) 28: beside the diagonal one over the root of
the bond order, and a thousandth for atoms that are not bound.
"""

import numba
import numpy as np

from manywalks.featurize.rdkit2d.distances import kind_of

_BOND = 1 / np.sqrt(np.array([1.0, 2.0, 3.0, 1.5]))
NOT_BOUND = 0.001
# properties, and as many matrices
LANES = 4


@numba.njit(cache=True, error_model="numpy")
def bcut(graph, properties):  # pragma: no cover
    """Extreme eigenvalues for four properties (4, n) of atoms: (4, 2), the largest first.

    The four matrices lie side by side, number by number: the same steps for all of them at once.
    """
    n = len(graph.number)
    matrices = np.full((n, n, LANES), NOT_BOUND)
    for i in range(n):
        for k in range(graph.starts[i], graph.starts[i + 1]):
            matrices[i, graph.neighbours[k]] = _BOND[kind_of(graph.bonds[k])]
        for lane in range(LANES):
            matrices[i, i, lane] = properties[lane, i]
    diagonal, beside = _tridiagonal(matrices)
    return _extremes(diagonal, beside)


@numba.njit(cache=True, error_model="numpy")
def _tridiagonal(matrices):  # pragma: no cover
    """Householder's reduction of symmetric matrices, of which it reads and overwrites the lower halves.

    Returns the diagonals and what is beside them.
    """
    n = len(matrices)
    diagonal, beside = np.empty((n, LANES)), np.zeros((n, LANES))
    mirror, moved = np.empty((n, LANES)), np.empty((n, LANES))
    scale, along, total = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    for k in range(n - 2):
        total[:] = 0.0
        for i in range(k + 1, n):
            for lane in range(LANES):
                total[lane] += matrices[i, k, lane] * matrices[i, k, lane]
                mirror[i, lane] = matrices[i, k, lane]
        for lane in range(LANES):
            length = np.sqrt(total[lane])
            if mirror[k + 1, lane] > 0:
                length = -length
            beside[k, lane] = length
            # 0 of a row of zeros, which then moves nothing
            scale[lane] = length * length - length * mirror[k + 1, lane]
            if scale[lane] == 0.0:
                scale[lane] = 1.0
            mirror[k + 1, lane] -= length
        _product(matrices, mirror, k + 1, moved)
        along[:] = 0.0
        for i in range(k + 1, n):
            for lane in range(LANES):
                moved[i, lane] /= scale[lane]
                along[lane] += mirror[i, lane] * moved[i, lane]
        for i in range(k + 1, n):
            for lane in range(LANES):
                moved[i, lane] -= along[lane] / (2 * scale[lane]) * mirror[i, lane]
        for i in range(k + 1, n):
            for j in range(k + 1, i + 1):
                for lane in range(LANES):
                    matrices[i, j, lane] -= (
                        mirror[i, lane] * moved[j, lane] + moved[i, lane] * mirror[j, lane]
                    )
    for i in range(n):
        diagonal[i] = matrices[i, i]
    if n > 1:
        beside[n - 2] = matrices[n - 1, n - 2]
    return diagonal, beside


@numba.njit(cache=True, error_model="numpy")
def _product(matrices, vectors, start, result):  # pragma: no cover
    """Matrices, of whose rows and columns those from `start` on count, times vectors (n, 4)."""
    total = np.empty(LANES)
    for i in range(start, len(matrices)):
        total[:] = 0.0
        for j in range(start, i):
            for lane in range(LANES):
                total[lane] += matrices[i, j, lane] * vectors[j, lane]
                result[j, lane] += matrices[i, j, lane] * vectors[i, lane]
        for lane in range(LANES):
            result[i, lane] = total[lane] + matrices[i, i, lane] * vectors[i, lane]


@numba.njit(cache=True, error_model="numpy")
def _extremes(diagonal, beside):  # pragma: no cover
    """Largest and least eigenvalues (4, 2), all of them at once by halving intervals that hold them."""
    n = len(diagonal)
    low, high, done = np.empty(2 * LANES), np.empty(2 * LANES), np.zeros(2 * LANES, np.bool_)
    reach, middle = np.empty(2 * LANES), np.empty(2 * LANES)
    pivot, below = np.empty(2 * LANES), np.empty(2 * LANES)
    for lane in range(2 * LANES):
        # the first four are the largest ones
        one = lane % LANES
        reach[lane] = np.abs(diagonal[:, one]).max() + 2 * np.abs(beside[:, one]).max() + 1e-6
        low[lane], high[lane] = -reach[lane], reach[lane]
    squares = beside * beside
    while True:
        left = 0
        for lane in range(2 * LANES):
            middle[lane] = 0.5 * (low[lane] + high[lane])
            done[lane] |= not high[lane] - low[lane] > 1e-13 * reach[lane]
            done[lane] |= middle[lane] <= low[lane] or middle[lane] >= high[lane]
            left += not done[lane]
        if left == 0:
            break
        pivot[:] = 1.0
        below[:] = 0.0
        for i in range(n):
            for lane in range(2 * LANES):
                coupling = squares[i - 1, lane % LANES] / pivot[lane] if i else 0.0
                value = diagonal[i, lane % LANES] - middle[lane] - coupling
                pivot[lane] = 1e-300 if value == 0.0 else value
                below[lane] += 1.0 if pivot[lane] < 0.0 else 0.0
        for lane in range(2 * LANES):
            place = n - 1 if lane < LANES else 0
            if not done[lane]:
                if below[lane] > place:
                    high[lane] = middle[lane]
                else:
                    low[lane] = middle[lane]
    result = np.empty((LANES, 2))
    for lane in range(2 * LANES):
        result[lane % LANES, lane // LANES] = 0.5 * (low[lane] + high[lane])
    return result
