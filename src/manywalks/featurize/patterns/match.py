"""The compiled matcher: which atoms a pattern begins at, whether it is there at all, and how often."""

import numba
import numpy as np

from manywalks.featurize.patterns.compile import AND, AROUND, NOT

LARGEST = 64  # atoms of a pattern
# RDKit's own limit of matches of one pattern, which its counts therefore never pass
MOST = 1000


@numba.njit(cache=True)
def _search(p, anchor, most, begins, found, work, host, code):  # pragma: no cover
    """Go through the matches of pattern p, those that begin at `anchor` alone unless it is -1.

    Args:
        most: matches after which the search ends.
        begins: gets 1 for each atom that a match begins at, uint8 (n,), and one match of each such atom is
            enough; of no atoms: gets nothing.
        found: gets each match's set of atoms as bits, uint64 (most, words); of no words: gets nothing.
        work: `_scratch` of the molecule.
        host: its table of atoms, and the starts, neighbours and bonds of its graph.
        code: the patterns' first, atoms and closures. Few arrays: each costs a call 10 ns.

    Returns:
        How many matches there were.
    """
    table, starts, neighbours, bonds = host
    first, size = code[0][p], code[0][p + 1] - code[0][p]
    n = len(table)
    chosen, cursor, used = work[0], work[1], work[2]
    depth, matches = 0, 0
    cursor[0] = max(anchor, 0)
    while depth >= 0:
        place = first + depth
        column, parent, mask = code[1][place, 0], code[1][place, 1], code[1][place, 2]
        if parent >= 0:
            base = starts[chosen[parent]]
            end = starts[chosen[parent] + 1] - base
        else:
            base, end = 0, (anchor + 1 if depth == 0 and anchor >= 0 else n)
        atom = -1
        while cursor[depth] < end and atom < 0:
            k = cursor[depth]
            cursor[depth] += 1
            candidate = neighbours[base + k] if parent >= 0 else k
            if used[candidate] or not table[candidate, column]:
                continue
            if parent >= 0 and not bonds[base + k] & mask:
                continue
            if _closes(place, candidate, chosen, host, code):
                atom = candidate
        if atom < 0:
            depth -= 1
            if depth >= 0:
                used[chosen[depth]] = 0
        elif depth == size - 1:
            chosen[depth] = atom
            if found.shape[1]:
                found[matches] = 0
                for k in range(size):
                    found[matches, chosen[k] >> 6] |= np.uint64(1) << np.uint64(chosen[k] & 63)
            matches += 1
            if len(begins) or matches == most:
                for k in range(depth):
                    used[chosen[k]] = 0
                depth = 0
            if len(begins):
                begins[chosen[0]] = 1
            elif matches == most:
                return matches
        else:
            chosen[depth] = atom
            used[atom] = 1
            depth += 1
            cursor[depth] = 0
    return matches


@numba.njit(cache=True)
def _scratch(table):  # pragma: no cover
    """Room for a search: the chosen atoms, where each place goes on, which atoms are used (0: not)."""
    return np.zeros((3, max(LARGEST, len(table))), np.int64)


@numba.njit(cache=True)
def _closes(place, candidate, chosen, host, code):  # pragma: no cover
    """Whether an atom has the bonds to earlier ones that a pattern's atom must have."""
    _, starts, neighbours, bonds = host
    _, atoms, closures = code
    for c in range(atoms[place, 3], atoms[place, 4]):
        other, mask = chosen[closures[c, 0]], closures[c, 1]
        there = False
        for k in range(starts[candidate], starts[candidate + 1]):
            there |= neighbours[k] == other and bonds[k] & mask != 0
        if not there:
            return False
    return True


@numba.njit(cache=True)
def _possible(p, present, code):  # pragma: no cover
    """Whether the molecule has an atom for each of a pattern's."""
    possible = True
    for place in range(code[0][p], code[0][p + 1]):
        possible &= present[code[1][place, 0]] != 0
    return possible


@numba.njit(cache=True)
def fill(table, graph, patterns):  # pragma: no cover
    """Fill in the columns that ask for surroundings; which columns any atom has, uint8 (n_columns,)."""
    n, width = table.shape
    present = np.zeros(width, np.uint8)
    for i in range(n):
        for column in range(width):
            present[column] |= table[i, column]
    host = (table, graph.starts, graph.neighbours, graph.bonds)
    code = (patterns.first, patterns.atoms, patterns.closures)
    nothing, work = np.empty((1, 0), np.uint64), _scratch(table)
    stack, begins = np.empty(64, np.uint8), np.empty(n, np.uint8)
    for s in range(len(patterns.steps)):
        kind, column, first, last = patterns.steps[s]
        if kind == AROUND:
            if _possible(first, present, code):
                begins[:] = 0
                present[column] = _search(first, -1, 1, begins, nothing, work, host, code) > 0
                table[:, column] = begins
            continue
        for i in range(n):
            table[i, column] = _logic(table[i], patterns.program[first:last], stack)
            present[column] |= table[i, column]
    return present


@numba.njit(cache=True)
def _logic(row, program, stack):  # pragma: no cover
    """The value of a postfix program over the columns of an atom."""
    top = -1
    for word in program:
        if word >= 0:
            top += 1
            stack[top] = row[word]
        elif word == NOT:
            stack[top] = 1 - stack[top]
        else:
            top -= 1
            stack[top] = stack[top] & stack[top + 1] if word == AND else stack[top] | stack[top + 1]
    return stack[0]


@numba.njit(cache=True)
def _given(table, graph, patterns):  # pragma: no cover
    """What every search is given: nowhere to note beginnings, room to work, the molecule, the patterns."""
    host = (table, graph.starts, graph.neighbours, graph.bonds)
    code = (patterns.first, patterns.atoms, patterns.closures)
    return np.empty(0, np.uint8), _scratch(table), host, code


@numba.njit(cache=True)
def holds(which, table, present, graph, patterns):  # pragma: no cover
    """Whether each of some patterns is in the molecule: uint8 (k,)."""
    result = np.zeros(len(which), np.uint8)
    nowhere, work, host, code = _given(table, graph, patterns)
    nothing = np.empty((1, 0), np.uint64)
    for k in range(len(which)):
        if _possible(which[k], present, code):
            result[k] = _search(which[k], -1, 1, nowhere, nothing, work, host, code)
    return result


@numba.njit(cache=True)
def counts(which, table, present, graph, patterns):  # pragma: no cover
    """How many different sets of atoms match each of some patterns: int64 (k,); -1 beyond MOST matches."""
    result = np.zeros(len(which), np.int64)
    nowhere, work, host, code = _given(table, graph, patterns)
    found = np.empty((MOST, (len(table) + 63) // 64), np.uint64)
    for k in range(len(which)):
        if _possible(which[k], present, code):
            matches = _search(which[k], -1, MOST, nowhere, found, work, host, code)
            result[k] = -1 if matches == MOST else _different(found, matches)
    return result


@numba.njit(cache=True)
def counts_at(which, atoms, table, present, graph, patterns):  # pragma: no cover
    """How many different sets of atoms match patterns that begin at each of some atoms: int64 (k, atoms)."""
    result = np.zeros((len(which), len(atoms)), np.int64)
    nowhere, work, host, code = _given(table, graph, patterns)
    found = np.empty((MOST, (len(table) + 63) // 64), np.uint64)
    for k in range(len(which)):
        if _possible(which[k], present, code):
            for j in range(len(atoms)):
                matches = _search(which[k], atoms[j], MOST, nowhere, found, work, host, code)
                result[k, j] = _different(found, matches)
    return result


@numba.njit(cache=True)
def _different(found, matches):  # pragma: no cover
    """How many of some bit sets are different."""
    different = 0
    for a in range(matches):
        new = True
        for b in range(a):
            same = True
            for word in range(found.shape[1]):
                same &= found[a, word] == found[b, word]
            if same:
                new = False
                break
        different += new
    return different


@numba.njit(cache=True)
def labels(which, table, present, graph, patterns):  # pragma: no cover
    """The first of some patterns that begins at each atom: its place in `which`, int64 (n,); -1: none."""
    n = len(table)
    result = np.full(n, -1, np.int64)
    nothing, work = np.empty((1, 0), np.uint64), _scratch(table)
    host = (table, graph.starts, graph.neighbours, graph.bonds)
    code = (patterns.first, patterns.atoms, patterns.closures)
    begins = np.empty(n, np.uint8)
    for k in range(len(which)):
        if _possible(which[k], present, code):
            begins[:] = 0
            if _search(which[k], -1, 1, begins, nothing, work, host, code):
                for i in range(n):
                    if begins[i] and result[i] < 0:
                        result[i] = k
    return result
