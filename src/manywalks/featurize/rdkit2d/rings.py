"""Numbers of rings by kind, and of those that QED counts as aromatic."""

import numba
import numpy as np

from manywalks.featurize.patterns.expression import AROMATIC, KINDS, SINGLE

NAMES = (
    "RingCount", "NumHeterocycles",
    "NumAromaticRings", "NumAromaticHeterocycles", "NumAromaticCarbocycles",
    "NumAliphaticRings", "NumAliphaticHeterocycles", "NumAliphaticCarbocycles",
    "NumSaturatedRings", "NumSaturatedHeterocycles", "NumSaturatedCarbocycles",
)  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def ring_counts(graph):  # pragma: no cover
    """How many rings there are of the kinds NAMES: (11,)."""
    result = np.zeros(11)
    first = 0
    for size in graph.sizes:
        hetero = False
        aromatic, single = 0, 0
        for k in range(size):
            atom, following = graph.members[first + k], graph.members[first + (k + 1) % size]
            hetero |= graph.number[atom] != 6
            for j in range(graph.starts[atom], graph.starts[atom + 1]):
                if graph.neighbours[j] == following:
                    aromatic += graph.bonds[j] == 1 << KINDS + AROMATIC
                    single += graph.bonds[j] == 1 << KINDS + SINGLE
        first += size
        result[0] += 1
        result[1] += hetero
        for kind, is_kind in enumerate((aromatic == size, aromatic < size, single == size)):
            if is_kind:
                result[2 + 3 * kind] += 1
                result[3 + 3 * kind if hetero else 4 + 3 * kind] += 1
    return result


@numba.njit(cache=True, error_model="numpy")
def cycles_without(graph, out):  # pragma: no cover
    """Independent rings of what is left without the atoms `out`, uint8 (n,)."""
    n = len(graph.number)
    root = np.arange(n)
    atoms, bonds, parts = 0, 0, 0
    for i in range(n):
        if out[i]:
            continue
        atoms += 1
        for k in range(graph.starts[i], graph.starts[i + 1]):
            other = graph.neighbours[k]
            if other < i or out[other]:
                continue
            bonds += 1
            one, two = i, other
            while root[one] != one:
                one = root[one]
            while root[two] != two:
                two = root[two]
            root[two] = one
    for i in range(n):
        parts += not out[i] and root[i] == i
    return bonds - atoms + parts


@numba.njit(cache=True, error_model="numpy")
def overlaps(graph):  # pragma: no cover
    """Whether any two rings share exactly one atom, and whether any two share three or more."""
    n_rings = len(graph.sizes)
    inside = np.zeros((n_rings, len(graph.number)), np.uint8)
    first = 0
    for ring in range(n_rings):
        for k in range(first, first + graph.sizes[ring]):
            inside[ring, graph.members[k]] = 1
        first += graph.sizes[ring]
    one, several = False, False
    for ring in range(n_rings):
        first = 0
        for other in range(ring):
            shared = 0
            for k in range(first, first + graph.sizes[other]):
                shared += inside[ring, graph.members[k]]
            first += graph.sizes[other]
            one |= shared == 1
            several |= shared >= 3
    return one, several
