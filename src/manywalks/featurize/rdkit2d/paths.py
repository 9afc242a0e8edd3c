"""Chi and Kappa indices: sums over bonds and over the paths of two, three and four bonds.

L. H. Hall, L. B. Kier, Rev. Comput. Chem. 2 (1991) 367. As in RDKit a path may end at an atom that it has
passed: a ring of three or four bonds is a path that ends where it began, and one bond beside a ring of three
is one of four bonds.
"""

import numba
import numpy as np

LONGEST = 4


@numba.njit(cache=True, error_model="numpy")
def deltas(graph, outer_electrons):  # pragma: no cover
    """One over the root of each atom's valence, by principal quantum number (v) and plain (n): (2, n)."""
    n = len(graph.number)
    result = np.zeros((2, n))
    for i in range(n):
        number = graph.number[i]
        electrons = outer_electrons[number]
        valence = float(electrons - graph.hydrogens[i])
        for row in range(2):
            by_shell = row == 0 and number > 10
            delta = valence / (number - electrons - 1) if by_shell else valence
            if number == 1 or (number == 0 and row == 0):
                delta = 0.0 if row == 0 else valence
            if delta != 0.0:
                result[row, i] = 1.0 / np.sqrt(delta)
    return result


@numba.njit(cache=True, error_model="numpy")
def chi(graph, delta):  # pragma: no cover
    """Chi0 and Chi1 by degrees, then Chi0 to Chi4 of each row of `delta`; the paths of three bonds, too.

    Returns:
        Chi0, Chi1, Chi0v ... Chi4v, Chi0n ... Chi4n, number of paths of two and of three bonds: (14,).
    """
    n = len(graph.number)
    result = np.zeros(2 + 2 * (LONGEST + 1) + 2)
    path = np.empty(LONGEST + 1, np.int64)
    for i in range(n):
        degree = graph.starts[i + 1] - graph.starts[i]
        if degree:
            result[0] += 1.0 / np.sqrt(degree)
        result[12] += degree * (degree - 1) // 2
        for row in range(2):
            result[2 + 5 * row] += delta[row, i]
        for k in range(graph.starts[i], graph.starts[i + 1]):
            other = graph.neighbours[k]
            if other > i:
                degrees = degree * (graph.starts[other + 1] - graph.starts[other])
                result[1] += 1.0 / np.sqrt(degrees)
        path[0] = i
        _extend(graph, delta, path, result)
    return result


@numba.njit(cache=True, error_model="numpy")
def _extend(graph, delta, path, result):  # pragma: no cover
    """Add the paths that begin at path[0], each path from one of its ends only."""
    cursor = np.empty(LONGEST + 1, np.int64)
    depth = 0
    cursor[0] = graph.starts[path[0]]
    while depth >= 0:
        if depth == LONGEST or cursor[depth] == graph.starts[path[depth] + 1]:
            depth -= 1
            continue
        atom = graph.neighbours[cursor[depth]]
        cursor[depth] += 1
        at = 0
        while at <= depth and path[at] != atom:
            at += 1
        bonds = depth + 1
        path[bonds] = atom
        if at > depth:
            if atom > path[0]:
                _count(delta, path, bonds, bonds + 1, result)
            depth += 1
            cursor[depth] = graph.starts[atom]
        elif depth - at >= 2 and _is_first(path, at, depth):
            _count(delta, path, bonds, bonds + (at > 0), result)


@numba.njit(cache=True, error_model="numpy")
def _is_first(path, at, depth):  # pragma: no cover
    """Whether a ring that closes at path[at] is passed this way alone: from its least atom, lesser way."""
    if path[at + 1] > path[depth]:
        return False
    if at == 0:
        for k in range(1, depth + 1):
            if path[k] < path[0]:
                return False
    return True


@numba.njit(cache=True, error_model="numpy")
def _count(delta, path, bonds, atoms, result):  # pragma: no cover
    """Add one path of so many bonds, and atoms to multiply, to the sums."""
    for row in range(2):
        product = 1.0
        for k in range(atoms):
            product *= delta[row, path[k]]
        result[2 + 5 * row + bonds] += product
    if bonds == 3:
        result[13] += 1


@numba.njit(cache=True, error_model="numpy")
def kappas(atoms, alpha, paths_2, paths_3):  # pragma: no cover
    """Kappa2 and Kappa3 of so many heavy atoms; `alpha` is Hall and Kier's."""
    second = third = 0.0
    if (paths_2 + alpha) ** 2:
        second = (atoms + alpha - 1) * (atoms + alpha - 2) ** 2 / (paths_2 + alpha) ** 2
    if (paths_3 + alpha) ** 2:
        less = 1 if atoms % 2 else 2
        third = (atoms + alpha - less) * (atoms + alpha - 3) ** 2 / (paths_3 + alpha) ** 2
    return second, third
