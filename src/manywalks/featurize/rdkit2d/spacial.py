"""SPS: spacial score for each heavy atom; A. Krzyzanowski et al., J. Med. Chem. 66 (2023) 12739.

An atom counts by its hybridization, twice as a stereo centre or at a double bond with two sides, twice in a
ring that is not aromatic, and by the square of its neighbours. RDKit looks for centres and sides, which takes
longer than all the rest, only in molecules that may have some.
"""

import numba
import numpy as np
from rdkit import Chem
from rdkit.Chem import rdmolops

from manywalks.featurize.patterns.expression import DOUBLE, KINDS
from manywalks.featurize.patterns.graph import Graph

# by RDKit's number of a hybridization: sp 1, sp2 2, sp3 3, all others 4
_WEIGHTS = np.full(1 + max(map(int, Chem.HybridizationType.values)), 4, dtype=np.int64)
for _kind, _weight in (("SP", 1), ("SP2", 2), ("SP3", 3)):
    _WEIGHTS[int(getattr(Chem.HybridizationType, _kind))] = _weight
# RDKit gives no sides to a double bond in a smaller ring
LARGE_RING = 8


def spacial_score(mol: Chem.Mol, graph: Graph) -> float:
    """Of a molecule with heavy atoms."""
    return _score(graph, _WEIGHTS[graph.hybrid], _with_sides(mol, graph))


def _with_sides(mol: Chem.Mol, graph: Graph) -> np.ndarray:
    """Atoms that are stereo centres, given or not, or at a double bond with two sides: bool (n,)."""
    sides = np.zeros(len(graph.number), dtype=np.bool_)
    centres, double_bonds = _may_have(graph)
    if not centres and not double_bonds:
        return sides
    # what is found here is written into the molecule, where fingerprints would see it
    copy = Chem.Mol(mol)
    if double_bonds:
        rdmolops.FindPotentialStereoBonds(copy)
        for bond in copy.GetBonds():
            if bond.GetBondType() == Chem.BondType.DOUBLE and bond.GetStereo() != Chem.BondStereo.STEREONONE:
                sides[[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]] = True
    if centres:
        for site in Chem.FindPotentialStereo(copy):
            if site.type == Chem.StereoType.Atom_Tetrahedral:
                sides[site.centeredOn] = True
    return sides


@numba.njit(cache=True)
def _may_have(graph):  # pragma: no cover
    """Whether there may be stereo centres, and double bonds with two sides: False where there are none."""
    centres, double_bonds, large = False, False, False
    for size in graph.sizes:
        large |= size >= LARGE_RING
    for i in range(len(graph.number)):
        degree = graph.starts[i + 1] - graph.starts[i]
        centres |= _may_be_centre(graph, i, degree)
        for k in range(graph.starts[i], graph.starts[i + 1]):
            other = graph.neighbours[k]
            open_ended = degree > 1 and graph.starts[other + 1] - graph.starts[other] > 1
            if graph.bonds[k] == 1 << DOUBLE or (graph.bonds[k] == 1 << KINDS + DOUBLE and large):
                double_bonds |= open_ended
    return centres, double_bonds


@numba.njit(cache=True)
def _may_be_centre(graph, i, degree):  # pragma: no cover
    """Whether an atom may be a stereo centre.

    Most are ruled out: flat carbons, those with two hydrogens or two equal ends, amines that no ring holds.
    """
    if graph.number[i] in (15, 33) and degree > 1:
        return True
    # RDKit takes [SiH3]I for one
    plain = graph.number[i] == 6 or (graph.number[i] in (7, 8, 16) and graph.charge[i] == 0)
    if degree + graph.hydrogens[i] < 3 or (degree < 3 and plain):
        return False
    if graph.number[i] == 6:
        if degree + graph.hydrogens[i] != 4 or graph.hydrogens[i] > 1:
            return False
        for k in range(graph.starts[i], graph.starts[i + 1]):
            for other in range(graph.starts[i], k):
                if _equal_ends(graph, k, other):
                    return False
    return not (graph.number[i] == 7 and degree == 3 and graph.rings[i] == 0 and graph.charge[i] == 0)


@numba.njit(cache=True)
def _equal_ends(graph, k, other):  # pragma: no cover
    """Whether two neighbours are ends of the molecule that nothing tells apart."""
    one, two = graph.neighbours[k], graph.neighbours[other]
    same = graph.bonds[k] == graph.bonds[other] and graph.number[one] == graph.number[two]
    for atom in (one, two):
        same &= graph.starts[atom + 1] - graph.starts[atom] == 1
    same &= graph.hydrogens[one] == graph.hydrogens[two] and graph.charge[one] == graph.charge[two]
    return same and graph.isotope[one] == graph.isotope[two] and graph.radicals[one] == graph.radicals[two]


@numba.njit(cache=True)
def _score(graph, weights, sides):  # pragma: no cover
    """The score, of each atom's weight by hybridization and whether it has sides."""
    total, heavy = 0, 0
    for i in range(len(graph.number)):
        degree = graph.starts[i + 1] - graph.starts[i]
        own = weights[i] * degree * degree * (2 if sides[i] else 1)
        total += own * (2 if graph.rings[i] and not graph.aromatic[i] else 1)
        heavy += graph.number[i] > 1
    return total / heavy
