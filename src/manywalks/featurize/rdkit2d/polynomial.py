"""Ipc: information content of the coefficients of the adjacency matrix's characteristic polynomial.

D. Bonchev, N. Trinajstic, J. Chem. Phys. 67 (1977) 4517; the coefficients by Le Verrier, Faddeev and Frame.
Beyond about 60 atoms these are mostly rounding error, in RDKit as well, so the additions are made in the
order in which a matrix product makes them.
"""

import numba
import numpy as np


@numba.njit(cache=True, error_model="numpy")
def ipc(graph):  # pragma: no cover
    """Ipc and AvgIpc."""
    n = len(graph.number)
    coefficients = np.zeros(n + 1)
    coefficients[0] = 1.0
    power = np.zeros((n, n))
    for i in range(n):
        for k in range(graph.starts[i], graph.starts[i + 1]):
            power[i, graph.neighbours[k]] = 1.0
    product = np.empty((n, n))
    for step in range(1, n + 1):
        coefficients[step] = 1.0 / step * _trace(power, 0, n)
        for i in range(n):
            power[i, i] -= coefficients[step]
        if step < n:
            product[:] = 0.0
            for i in range(n):
                for k in range(graph.starts[i], graph.starts[i + 1]):
                    other = graph.neighbours[k]
                    for j in range(n):
                        product[i, j] += power[other, j]
            power, product = product, power
    total = 0.0
    for i in range(n + 1):
        coefficients[i] = abs(coefficients[i])
        total += coefficients[i]
    entropy = information(coefficients)
    return total * entropy, entropy


@numba.njit(cache=True, error_model="numpy")
def information(amounts):  # pragma: no cover
    """Shannon's entropy of amounts (k,) of each kind, in bits."""
    total = 0.0
    for amount in amounts:
        total += amount
    if total == 0.0:
        return 0.0
    entropy = 0.0
    for amount in amounts:
        share = amount / total
        if share > 0.0:
            entropy -= share * np.log(share)
        elif share != share:
            entropy = np.nan
    return entropy / np.log(2.0)


@numba.njit(cache=True, error_model="numpy")
def _block(matrix, first, n):  # pragma: no cover
    """The sum of up to 128 numbers: eight sums side by side, then the rest."""
    if n < 8:
        total = 0.0
        for i in range(first, first + n):
            total += matrix[i, i]
        return total
    sums = np.empty(8)
    for k in range(8):
        sums[k] = matrix[first + k, first + k]
    whole = n - n % 8
    for start in range(8, whole, 8):
        for k in range(8):
            sums[k] += matrix[first + start + k, first + start + k]
    total = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
    for i in range(first + whole, first + n):
        total += matrix[i, i]
    return total


@numba.njit(cache=True, error_model="numpy")
def _trace(matrix, first, n):  # pragma: no cover
    """The sum of n numbers of a diagonal in NumPy's order: halves of whole eights, each by itself.

    A stack of what is left to add (0: add the last two sums) replaces recursion, which numba cannot keep.
    """
    left, sums = [(first, n)], [0.0]
    while left:
        first, n = left.pop()
        if n == 0:
            right = sums.pop()
            sums[-1] += right
        elif n <= 128:
            sums.append(_block(matrix, first, n))
        else:
            half = n // 2
            half -= half % 8
            left.append((first, 0))
            left.append((first + half, n - half))
            left.append((first, half))
    return sums[-1]
