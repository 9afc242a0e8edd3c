"""SPS: spacial score for each heavy atom; A. Krzyzanowski et al., J. Med. Chem. 66 (2023) 12739.

An atom counts by its hybridization, twice as a stereo centre or at a double bond with two sides, twice in a
ring that is not aromatic, and by the square of its neighbours.
"""

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdmolops

from manywalks.featurize.patterns.expression import DOUBLE, KINDS
from manywalks.featurize.patterns.graph import Graph

_HYBRID = {Chem.HybridizationType.SP: 1, Chem.HybridizationType.SP2: 2, Chem.HybridizationType.SP3: 3}
OTHER_HYBRID = 4
_DOUBLE = 1 << DOUBLE | 1 << KINDS + DOUBLE


def spacial_score(mol: Chem.Mol, graph: Graph, atoms: list[Chem.Atom]) -> float:
    """Of a molecule with heavy atoms."""
    hybrid = np.array([_HYBRID.get(atom.GetHybridization(), OTHER_HYBRID) for atom in atoms])
    degree = np.diff(graph.starts)
    in_plain_ring = (graph.rings > 0) & (graph.aromatic == 0)
    sides = _with_sides(mol, graph, degree)
    score = (hybrid * np.where(sides, 2, 1) * np.where(in_plain_ring, 2, 1) * degree**2).sum()
    return float(score) / int((graph.number > 1).sum())


def _with_sides(mol: Chem.Mol, graph: Graph, degree: np.ndarray) -> np.ndarray:
    """Atoms that are stereo centres, given or not, or at a double bond with two sides: bool (n,)."""
    sides = np.zeros(len(degree), dtype=bool)
    # what is found here is written into the molecule, where fingerprints would see it
    copy = Chem.Mol(mol)
    owner = np.repeat(np.arange(len(degree)), degree)
    double = (graph.bonds & _DOUBLE) > 0
    if (double & (degree[owner] > 1) & (degree[graph.neighbours] > 1)).any():
        rdmolops.FindPotentialStereoBonds(copy)
        for bond in copy.GetBonds():
            if bond.GetBondType() == Chem.BondType.DOUBLE and bond.GetStereo() != Chem.BondStereo.STEREONONE:
                sides[[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]] = True
    for site in Chem.FindPotentialStereo(copy):
        if site.type == Chem.StereoType.Atom_Tetrahedral:
            sides[site.centeredOn] = True
    return sides
