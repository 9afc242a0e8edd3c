"""The compiled matcher: which atoms a pattern begins at, whether it is there at all, and how often.

Sets of atoms are bits, 64 a word: what may come next in a match is an AND of a few words, whatever the number
of atoms.
"""

from typing import NamedTuple

import numba
import numpy as np

from manywalks.featurize.patterns.compile import AND, AROUND, NOT

LARGEST = 64  # atoms of a pattern
# RDKit's own limit of matches of one pattern, which its counts therefore never pass
MOST = 1000
_ONE, _NONE = np.uint64(1), np.uint64(0)
# a power of two by this number has its exponent's place in the highest six bits
_DE_BRUIJN, _HIGHEST = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_EXPONENT = np.empty(64, np.int64)
_EXPONENT[[(((1 << k) * int(_DE_BRUIJN)) & (2**64 - 1)) >> 58 for k in range(64)]] = np.arange(64)


class Host(NamedTuple):
    """A molecule of n atoms as searches take it.

    Attributes:
        columns: the atoms that have what each column asks for, uint64 (n_columns, words).
        bound: the atoms that each one is bound to by the bonds of each mask, uint64 (masks, n, words).
    """

    columns: np.ndarray
    bound: np.ndarray


@numba.njit(cache=True)
def host_of(table, graph, patterns):  # pragma: no cover
    """A molecule with all columns filled in, of a table (n, n_columns) in which those of single atoms are."""
    n, width = table.shape
    columns = np.zeros((width, (n + 63) >> 6), np.uint64)
    bound = np.zeros((len(patterns.masks), n, columns.shape[1]), np.uint64)
    for i in range(n):
        word, shift = i >> 6, np.uint64(i & 63)
        for column in range(width):
            columns[column, word] |= np.uint64(table[i, column]) << shift
        for k in range(graph.starts[i], graph.starts[i + 1]):
            other = graph.neighbours[k]
            for mask in range(len(patterns.masks)):
                if graph.bonds[k] & patterns.masks[mask]:
                    bound[mask, i, other >> 6] |= _ONE << np.uint64(other & 63)
    host = Host(columns, bound)
    _surroundings(host, patterns)
    return host


@numba.njit(cache=True)
def _surroundings(host, patterns):  # pragma: no cover
    """Fill in the columns that ask for surroundings."""
    columns = host.columns
    everything, work = _everything(host), _scratch(host)
    code = (patterns.first, patterns.atoms, patterns.closures)
    nothing, stack = np.empty((1, 0), np.uint64), np.empty(64, np.uint64)
    for s in range(len(patterns.steps)):
        kind, column, first, last = patterns.steps[s]
        if kind == AROUND:
            if _possible(first, host, code):
                _search(first, 1, everything, columns[column], nothing, work, host, code)
            continue
        for word in range(len(everything)):
            top = -1
            for k in range(first, last):
                operator = patterns.program[k]
                if operator >= 0:
                    top += 1
                    stack[top] = columns[operator, word]
                elif operator == NOT:
                    stack[top] ^= everything[word]
                else:
                    top -= 1
                    above = stack[top + 1]
                    stack[top] = stack[top] & above if operator == AND else stack[top] | above
            columns[column, word] = stack[0]


@numba.njit(cache=True)
def _everything(host):  # pragma: no cover
    """All atoms."""
    n, words = host.bound.shape[1:]
    result = np.zeros(words, np.uint64)
    for i in range(n):
        result[i >> 6] |= _ONE << np.uint64(i & 63)
    return result


@numba.njit(cache=True)
def _scratch(host):  # pragma: no cover
    """Room for a search: chosen atoms, those that are left to try at each place, those in use."""
    words = host.columns.shape[1]
    return np.empty(LARGEST, np.int64), np.empty((LARGEST, words), np.uint64), np.empty(words, np.uint64)


@numba.njit(cache=True)
def _possible(p, host, code):  # pragma: no cover
    """Whether the molecule has an atom for each of a pattern's."""
    for place in range(code[0][p], code[0][p + 1]):
        column, any_atom = code[1][place, 0], _NONE
        for word in range(host.columns.shape[1]):
            any_atom |= host.columns[column, word]
        if any_atom == _NONE:
            return False
    return True


@numba.njit(cache=True)
def _taken(left, row):  # pragma: no cover
    """Take the first atom out of a row of sets; -1: there is none."""
    for word in range(left.shape[1]):
        bits = left[row, word]
        if bits:
            bit = bits & (~bits + _ONE)
            left[row, word] = bits ^ bit
            return (word << 6) + _EXPONENT[(bit * _DE_BRUIJN) >> _HIGHEST]
    return -1


@numba.njit(cache=True)
def _search(p, most, start, begins, found, work, host, code):  # pragma: no cover
    """Go through the matches of pattern p that begin at the atoms `start`, uint64 (words,).

    Args:
        most: matches after which the search ends.
        begins: gets each atom that a match begins at, uint64 (words,), and one match of each such atom is
            enough, whatever their number; of no words: gets nothing.
        found: gets each match's set of atoms, uint64 (most, words); of no words: gets nothing.
        work: `_scratch` of the molecule.
        code: the patterns' first, atoms and closures. Few arrays: each costs a call 10 ns.

    Returns:
        How many matches there were.
    """
    chosen, left, used = work
    columns, bound = host
    _, atoms, closures = code
    first, size = code[0][p], code[0][p + 1] - code[0][p]
    for word in range(len(used)):
        used[word] = _NONE
        left[0, word] = start[word] & columns[atoms[first, 0], word]
    depth, matches = 0, 0
    while depth >= 0:
        atom = _taken(left, depth)
        if atom < 0:
            depth -= 1
            if depth >= 0:
                used[chosen[depth] >> 6] ^= _ONE << np.uint64(chosen[depth] & 63)
            continue
        chosen[depth] = atom
        if depth < size - 1:
            used[atom >> 6] |= _ONE << np.uint64(atom & 63)
            depth += 1
            place = first + depth
            # bound as it must be, not used before
            for word in range(len(used)):
                candidates = columns[atoms[place, 0], word] & ~used[word]
                if atoms[place, 1] >= 0:
                    candidates &= bound[atoms[place, 2], chosen[atoms[place, 1]], word]
                for c in range(atoms[place, 3], atoms[place, 4]):
                    candidates &= bound[closures[c, 1], chosen[closures[c, 0]], word]
                left[depth, word] = candidates
            continue
        if found.shape[1]:
            for word in range(len(used)):
                found[matches, word] = used[word]
            found[matches, atom >> 6] |= _ONE << np.uint64(atom & 63)
        matches += 1
        if len(begins):
            begins[chosen[0] >> 6] |= _ONE << np.uint64(chosen[0] & 63)
            depth = 0
            for word in range(len(used)):
                used[word] = _NONE
        elif matches == most:
            break
    return matches


@numba.njit(cache=True)
def _given(host, patterns):  # pragma: no cover
    """What every search is given: all atoms to begin at, nowhere to note beginnings, room, the patterns."""
    code = (patterns.first, patterns.atoms, patterns.closures)
    return _everything(host), np.empty(0, np.uint64), _scratch(host), code


@numba.njit(cache=True)
def holds(which, host, patterns):  # pragma: no cover
    """Whether each of some patterns is in the molecule: uint8 (k,)."""
    result = np.zeros(len(which), np.uint8)
    everything, nowhere, work, code = _given(host, patterns)
    nothing = np.empty((1, 0), np.uint64)
    for k in range(len(which)):
        if _possible(which[k], host, code):
            result[k] = _search(which[k], 1, everything, nowhere, nothing, work, host, code)
    return result


@numba.njit(cache=True)
def counts(which, host, patterns):  # pragma: no cover
    """How many different sets of atoms match each of some patterns: int64 (k,); -1 beyond MOST matches."""
    result = np.zeros(len(which), np.int64)
    everything, nowhere, work, code = _given(host, patterns)
    found = np.empty((MOST, len(everything)), np.uint64)
    for k in range(len(which)):
        if _possible(which[k], host, code):
            matches = _search(which[k], MOST, everything, nowhere, found, work, host, code)
            result[k] = -1 if matches == MOST else _different(found, matches)
    return result


@numba.njit(cache=True)
def counts_at(which, atoms, host, patterns):  # pragma: no cover
    """How many different sets of atoms match patterns that begin at each of some atoms: int64 (k, atoms)."""
    result = np.zeros((len(which), len(atoms)), np.int64)
    start, nowhere, work, code = _given(host, patterns)
    found = np.empty((MOST, len(start)), np.uint64)
    for k in range(len(which)):
        if _possible(which[k], host, code):
            for j in range(len(atoms)):
                start[:] = _NONE
                start[atoms[j] >> 6] = _ONE << np.uint64(atoms[j] & 63)
                matches = _search(which[k], MOST, start, nowhere, found, work, host, code)
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
def labels(which, host, patterns):  # pragma: no cover
    """The first of some patterns that begins at each atom: its place in `which`, int64 (n,); -1: none."""
    result = np.full(host.bound.shape[1], -1, np.int64)
    left, _, work, code = _given(host, patterns)
    nothing, begins = np.empty((1, 0), np.uint64), np.empty((1, len(left)), np.uint64)
    for k in range(len(which)):
        if _possible(which[k], host, code):
            begins[:] = _NONE
            _search(which[k], 1, left, begins[0], nothing, work, host, code)
            for word in range(len(left)):
                left[word] &= ~begins[0, word]
            atom = _taken(begins, 0)
            while atom >= 0:
                result[atom] = k
                atom = _taken(begins, 0)
    return result
