"""A molecule's atoms and bonds as arrays, read from RDKit once for all that works on them."""

from typing import NamedTuple

import numba
import numpy as np
from rdkit import Chem

from manywalks.featurize.patterns.expression import DOUBLE, KINDS, TRIPLE

# what a SMARTS atom can ask for, in the columns of `atom_fields`
FIELDS = (
    "number", "aromatic", "charge", "hydrogens", "degree", "connections", "valence",
    "rings", "ring", "isotope",
)  # fmt: skip
# of each atom, in the order of `Graph`
_ASKED = (
    Chem.Atom.GetAtomicNum,
    Chem.Atom.GetIsAromatic,
    Chem.Atom.GetFormalCharge,
    Chem.Atom.GetTotalNumHs,
    Chem.Atom.GetTotalValence,
    Chem.Atom.GetIsotope,
    Chem.Atom.GetNumRadicalElectrons,
    Chem.Atom.GetHybridization,
)
_DATIVE = Chem.MolFromSmarts("*->*")
# RDKit's orders of single, double, triple and aromatic bonds, doubled
_KIND_OF_ORDER = np.array([-1, -1, 0, 3, 1, -1, 2], dtype=np.int64)


class Graph(NamedTuple):
    """n atoms, b bonds.

    Attributes:
        number, aromatic, charge, hydrogens, valence, isotope, radicals, hybrid: int64 (n,); hydrogens are
            those that are no atoms of their own, `hybrid` is RDKit's number of a hybridization.
        starts: neighbours of atom i are `neighbours[starts[i] : starts[i + 1]]`, int64 (n + 1,).
        neighbours, bonds: int64 (2 b,), ascending per atom; a bond is a bit as in `expression.bond_mask`.
        rings, ring: how many of RDKit's rings an atom is in, and the size of the smallest; int64 (n,).
        members, sizes: the atoms of all rings after each other, and how many each ring has.
    """

    number: np.ndarray
    aromatic: np.ndarray
    charge: np.ndarray
    hydrogens: np.ndarray
    valence: np.ndarray
    isotope: np.ndarray
    radicals: np.ndarray
    hybrid: np.ndarray
    starts: np.ndarray
    neighbours: np.ndarray
    bonds: np.ndarray
    rings: np.ndarray
    ring: np.ndarray
    members: np.ndarray
    sizes: np.ndarray


# the last molecule and its arrays: several blocks ask for the same one after each other
_last: "tuple[Chem.Mol | None, Graph | None]" = (None, None)


def graph_of(mol: Chem.Mol, atoms: list[Chem.Atom] | None = None) -> Graph | None:
    """The arrays of a sanitized molecule; None where a bond is not single, double, triple or aromatic.

    A molecule must not be changed between two calls with it.
    """
    global _last
    known, graph = _last
    if known is not mol:
        graph = _read(mol, atoms)
        _last = mol, graph
    return graph


def graph_known(mol: Chem.Mol) -> Graph | None:
    """The arrays of a molecule if they were the last that were read, or None."""
    known, graph = _last
    return graph if known is mol else None


def _read(mol: Chem.Mol, atoms: list[Chem.Atom] | None) -> Graph | None:
    """The arrays, anew."""
    # making an atom's Python object takes longer than asking it: once for all properties
    atoms = list(mol.GetAtoms()) if atoms is None else atoms
    order = Chem.GetAdjacencyMatrix(mol, useBO=True)
    if not len(atoms) or mol.HasSubstructMatch(_DATIVE):
        return None
    read = np.array([list(map(ask, atoms)) for ask in _ASKED], dtype=np.int64)
    rings = mol.GetRingInfo().AtomRings()
    members = np.array([atom for ring in rings for atom in ring], dtype=np.int64)
    sizes = np.array([len(ring) for ring in rings], dtype=np.int64)
    starts, neighbours, bonds, of, smallest = _connected(order, read[1], members, sizes, _KIND_OF_ORDER)
    if len(neighbours) != 2 * mol.GetNumBonds():
        return None
    connected = (starts, neighbours, bonds, of, smallest, members, sizes)
    return Graph._make((*read, *connected))


@numba.njit(cache=True)
def _connected(order, aromatic, members, sizes, kind_of_order):  # pragma: no cover
    """Neighbour lists of a matrix of bond orders (n, n), and the rings of each atom.

    An order that is not known leaves the lists empty, which the number of bonds then shows; so does a double
    or triple bond of two aromatic atoms, which RDKit may call aromatic and of this order at once.
    """
    n = len(order)
    starts = np.zeros(n + 1, np.int64)
    neighbours = np.empty(n * n if n < 8 else 8 * n, np.int64)
    bonds = np.empty(len(neighbours), np.int64)
    total = 0
    for i in range(n):
        for j in range(n):
            if order[i, j] != 0.0:
                twice = int(2 * order[i, j])
                kind = kind_of_order[twice] if 0 <= twice < len(kind_of_order) else -1
                both = kind in (DOUBLE, TRIPLE) and aromatic[i] and aromatic[j]
                if kind < 0 or both or total == len(neighbours):
                    return starts, neighbours[:0], bonds[:0], starts, starts
                neighbours[total] = j
                bonds[total] = 1 << kind
                total += 1
        starts[i + 1] = total
    rings = np.zeros(n, np.int64)
    smallest = np.zeros(n, np.int64)
    first = 0
    for size in sizes:
        for k in range(size):
            atom, following = members[first + k], members[first + (k + 1) % size]
            rings[atom] += 1
            if smallest[atom] == 0 or size < smallest[atom]:
                smallest[atom] = size
            _mark(starts, neighbours, bonds, atom, following)
            _mark(starts, neighbours, bonds, following, atom)
        first += size
    return starts, neighbours[:total].copy(), bonds[:total].copy(), rings, smallest


@numba.njit(cache=True)
def _mark(starts, neighbours, bonds, atom, other):  # pragma: no cover
    """Say of a bond that it is in a ring."""
    for k in range(starts[atom], starts[atom + 1]):
        if neighbours[k] == other and bonds[k] < 1 << KINDS:
            bonds[k] <<= KINDS


@numba.njit(cache=True)
def atom_fields(graph):  # pragma: no cover
    """The properties that SMARTS asks for, int64 (n, 10), and a number (n,) that is equal for equal rows.

    SMARTS counts as hydrogens those that are atoms of their own, too.
    """
    n = len(graph.number)
    fields = np.empty((n, 10), np.int64)
    code = np.empty(n, np.int64)
    for i in range(n):
        degree = graph.starts[i + 1] - graph.starts[i]
        hydrogens = graph.hydrogens[i]
        for k in range(graph.starts[i], graph.starts[i + 1]):
            hydrogens += graph.number[graph.neighbours[k]] == 1
        fields[i, 0] = graph.number[i]
        fields[i, 1] = graph.aromatic[i]
        fields[i, 2] = graph.charge[i]
        fields[i, 3] = hydrogens
        fields[i, 4] = degree
        fields[i, 5] = degree + graph.hydrogens[i]
        fields[i, 6] = graph.valence[i]
        fields[i, 7] = graph.rings[i]
        fields[i, 8] = graph.ring[i]
        fields[i, 9] = graph.isotope[i]
        packed = np.int64(0)
        for k in range(10):
            # charges are shifted to be positive; a factor over each field's range keeps rows apart
            packed = packed * WIDTHS[k] + min(max(fields[i, k] + 8 * (k == 2), 0), WIDTHS[k] - 1)
        code[i] = packed
    return fields, code


# numbers that each of FIELDS can take; beyond, atoms count as having the largest (no pattern asks for it)
WIDTHS = (128, 2, 24, 12, 16, 24, 24, 16, 128, 400)
