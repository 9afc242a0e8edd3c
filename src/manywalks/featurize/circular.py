"""Morgan's circular fingerprints from a molecule's arrays, with RDKit's own numbers.

D. Rogers, M. Hahn, J. Chem. Inf. Model. 50 (2010) 742. Each atom has a number for what it is. Layer by layer
that is mixed with its neighbours' numbers, so that it stands for its surroundings; of several that reach the
same bonds one counts. One pass serves all radii and the densities of rdkit2d.
"""

from typing import NamedTuple

import numba
import numpy as np

from manywalks.featurize.patterns.graph import Graph
from manywalks.featurize.patterns.roles import roles
from manywalks.featurize.rdkit2d.distances import kind_of

MOST = 3  # layers
# RDKit's numbers of single, double, triple and aromatic bonds
_BOND = np.array([1, 2, 3, 12], dtype=np.int64)
_MASK = 0xFFFFFFFF


class Surroundings(NamedTuple):
    """Numbers of a molecule's different surroundings, int64 (k,), and the layer of each, ascending."""

    ids: np.ndarray
    layers: np.ndarray


# the last molecule's: descriptors and fingerprints ask for the same
_last: "tuple[Graph, Surroundings] | None" = None


def surroundings(graph: Graph) -> Surroundings | None:
    """By element, bonds, hydrogens, charge and ring.

    None of a molecule with isotopes, whose masses count, or with hydrogens that are atoms, which RDKit counts
    both as neighbours and as hydrogens.
    """
    global _last
    if _last is None or _last[0] is not graph:
        if graph.isotope.any() or (graph.number == 1).any():
            return None
        _last = graph, Surroundings(*_surroundings(graph, _of_elements(graph), MOST))
    return _last[1]


def of_roles(graph: Graph, radius: int) -> Surroundings:
    """By the role in binding of each atom: donor, acceptor, ring, halogen, base, acid."""
    return Surroundings(*_surroundings(graph, roles(graph).around, radius))


@numba.njit(cache=True)
def different(ids, layers):  # pragma: no cover
    """How many different surroundings there are up to each radius: int64 (MOST + 1,)."""
    result = np.zeros(MOST + 1, np.int64)
    order = np.argsort(ids)
    first = 0
    for k in range(1, len(ids) + 1):
        if k == len(ids) or ids[order[k]] != ids[order[first]]:
            result[layers[order[first:k]].min() :] += 1
            first = k
    return result


@numba.njit(cache=True)
def mixed(seed, value):  # pragma: no cover
    """A number of 32 bits with another one mixed in."""
    return seed ^ (((value & _MASK) + 0x9E3779B9 + (seed << 6) + (seed >> 2)) & _MASK)


@numba.njit(cache=True)
def _of_elements(graph):  # pragma: no cover
    """What each atom is: int64 (n,)."""
    result = np.empty(len(graph.number), np.int64)
    for i in range(len(result)):
        hydrogens = graph.hydrogens[i]
        number = mixed(0, graph.number[i])
        number = mixed(number, graph.starts[i + 1] - graph.starts[i] + hydrogens)
        number = mixed(number, hydrogens)
        number = mixed(number, graph.charge[i])
        number = mixed(number, 0)  # the difference of an isotope's mass
        result[i] = mixed(number, 1) if graph.rings[i] else number
    return result


@numba.njit(cache=True)
def _bond_places(graph):  # pragma: no cover
    """A number of its own for each bond, at both of its ends: int64 (2 b,)."""
    result = np.empty(len(graph.neighbours), np.int64)
    known = 0
    for i in range(len(graph.number)):
        for k in range(graph.starts[i], graph.starts[i + 1]):
            other = graph.neighbours[k]
            if other > i:
                result[k] = known
                known += 1
            else:
                for back in range(graph.starts[other], graph.starts[other + 1]):
                    if graph.neighbours[back] == i:
                        result[k] = result[back]
    return result


@numba.njit(cache=True)
def _same(rows, a, others, b):  # pragma: no cover
    """Whether two rows of bits are the same."""
    same = True
    for word in range(rows.shape[1]):
        same &= rows[a, word] == others[b, word]
    return same


@numba.njit(cache=True)
def _next_number(graph, atom, layer, numbers, sorted_keys):  # pragma: no cover
    """An atom's number with its neighbours' mixed in, these in ascending order of bond and number."""
    size = 0
    for k in range(graph.starts[atom], graph.starts[atom + 1]):
        key = _BOND[kind_of(graph.bonds[k])] << 32 | numbers[graph.neighbours[k]]
        place = size
        while place and sorted_keys[place - 1] > key:
            sorted_keys[place] = sorted_keys[place - 1]
            place -= 1
        sorted_keys[place] = key
        size += 1
    number = mixed(layer, numbers[atom])
    for key in sorted_keys[:size]:
        number = mixed(number, mixed(mixed(0, key >> 32), key))
    return number


@numba.njit(cache=True)
def _surroundings(graph, numbers, radius):  # pragma: no cover
    """The numbers of surroundings up to `radius`, and their layers."""
    n, words = len(graph.number), len(graph.neighbours) // 128 + 1
    ids, layers = np.empty((radius + 1) * n, np.int64), np.empty((radius + 1) * n, np.int64)
    ids[:n], layers[:n] = numbers, 0
    found = n
    places = _bond_places(graph)
    reach = np.zeros((n, words), np.uint64)
    seen, n_seen = np.zeros((radius * n, words), np.uint64), 0
    done = graph.starts[1:] == graph.starts[:-1]
    keys = np.empty(len(graph.neighbours) + 1, np.int64)
    for layer in range(radius):
        wider, following = reach.copy(), np.zeros(n, np.int64)
        for i in range(n):
            if done[i]:
                continue
            for k in range(graph.starts[i], graph.starts[i + 1]):
                wider[i, places[k] >> 6] |= np.uint64(1) << np.uint64(places[k] & 63)
                for word in range(words):
                    wider[i, word] |= reach[graph.neighbours[k], word]
            following[i] = _next_number(graph, i, layer, numbers, keys)
        before, ended = n_seen, done.copy()
        for i in range(n):
            if done[i]:
                continue
            for s in range(before):
                ended[i] |= _same(wider, i, seen, s)
            for other in range(n):
                # of those that reach the same bonds, the one of the lowest number counts
                if not ended[i] and not done[other] and other != i and _same(wider, i, wider, other):
                    ended[i] = (following[other], other) < (following[i], i)
            if not ended[i]:
                ids[found], layers[found] = following[i], layer + 1
                seen[n_seen] = wider[i]
                found += 1
                n_seen += 1
        done, numbers, reach = ended, following, wider
    return ids[:found].copy(), layers[:found].copy()


@numba.njit(cache=True)
def folded(ids, layers, radius, n_bits):  # pragma: no cover
    """Remainders by `n_bits` up to a radius, int32 ascending, and how often each is there, float32."""
    kept = np.empty(len(ids), np.int64)
    size = 0
    for k in range(len(ids)):
        if layers[k] <= radius:
            kept[size] = ids[k] % n_bits
            size += 1
    kept = np.sort(kept[:size])
    columns, counts = np.empty(size, np.int32), np.zeros(size, np.float32)
    last = -1
    for k in range(size):
        if k == 0 or kept[k] != kept[k - 1]:
            last += 1
            columns[last] = kept[k]
        counts[last] += 1
    return columns[: last + 1].copy(), counts[: last + 1].copy()
