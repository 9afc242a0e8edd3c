"""The block `graph`: a molecule's atoms and bonds as columns, for networks that take them as a graph."""

from typing import Any

import numpy as np
from rdkit import Chem

from manywalks.graph_layout import (
    ATOM_FIELDS,
    BOND_FIELDS,
    BOND_KINDS,
    ELEMENTS,
    GraphLayout,
)

_ELEMENT = {symbol: number for number, symbol in enumerate(ELEMENTS, start=1)}
_CHARGE = {0: 0, 1: 1, 2: 2, -1: 3, -2: 4}
_HYBRIDS = Chem.HybridizationType
_HYBRIDIZATION = {_HYBRIDS.SP: 1, _HYBRIDS.SP2: 2, _HYBRIDS.SP3: 3, _HYBRIDS.SP3D: 4, _HYBRIDS.SP3D2: 4}
_KIND = {kind: number for number, kind in enumerate(BOND_KINDS, start=1)}
_ORDERS = {
    Chem.BondType.SINGLE: "single",
    Chem.BondType.DOUBLE: "double",
    Chem.BondType.TRIPLE: "triple",
    Chem.BondType.AROMATIC: "aromatic",
}
_STEREO = {
    Chem.BondStereo.STEREOE: "E",
    Chem.BondStereo.STEREOTRANS: "E",
    Chem.BondStereo.STEREOZ: "Z",
    Chem.BondStereo.STEREOCIS: "Z",
}


def graph_columns(mol: Chem.Mol, layout: GraphLayout) -> np.ndarray:
    """The block's columns of one molecule: float32 (layout.width,), whole numbers from 0 to 255.

    A molecule with more atoms or bonds than there are slots has a 1 in `larger` and 0 everywhere else.
    """
    row = np.zeros(layout.width, np.float32)
    if mol.GetNumAtoms() > layout.max_atoms or mol.GetNumBonds() > layout.max_bonds:
        row[0] = 1
        return row
    atoms = row[1 : layout.first_bond].reshape(len(ATOM_FIELDS), layout.max_atoms)
    atoms[:, : mol.GetNumAtoms()] = _atoms(mol)
    bonds = row[layout.first_bond :].reshape(len(BOND_FIELDS), layout.max_bonds)
    for slot, bond in enumerate(mol.GetBonds()):
        bonds[:, slot] = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), _KIND[_kind(bond)]
    return row


def _atoms(mol: Chem.Mol) -> np.ndarray:
    """Fields of all atoms, (fields, atoms)."""
    rings = mol.GetRingInfo()
    return np.array([_fields(atom, rings) for atom in mol.GetAtoms()], np.float32).T


def _fields(atom: Chem.Atom, rings: Any) -> tuple[int, ...]:
    """An atom's fields, in the order of ATOM_FIELDS."""
    most = ATOM_FIELDS
    smallest = rings.MinAtomRingSize(atom.GetIdx())
    # R and S, since what RDKit calls clockwise depends on the order in which atoms are written
    code = atom.GetProp("_CIPCode") if atom.HasProp("_CIPCode") else ""
    return (
        _ELEMENT.get(atom.GetSymbol(), most["element"] - 1),
        min(atom.GetTotalDegree(), most["degree"] - 1),
        _CHARGE.get(atom.GetFormalCharge(), most["charge"] - 1),
        min(atom.GetTotalNumHs(), most["hydrogens"] - 1),
        _HYBRIDIZATION.get(atom.GetHybridization(), 0),
        int(atom.GetIsAromatic()),
        min(smallest - 2, most["ring"] - 1) if smallest else 0,
        {"R": 1, "S": 2}.get(code, 0),
    )


def _kind(bond: Chem.Bond) -> str:
    """One of BOND_KINDS."""
    order = _ORDERS.get(bond.GetBondType(), "other")
    if order == "single" and bond.IsInRing():
        return "ring"
    return _STEREO.get(bond.GetStereo(), order) if order == "double" else order
