"""The block `graph`: its columns against RDKit's own atoms and bonds."""

import numpy as np
import pytest
from rdkit import Chem

from manywalks.featurize.featurize import featurize, featurize_each
from manywalks.featurize.molecular_graph import graph_columns
from manywalks.graph_layout import ATOM_FIELDS, BOND_KINDS, ELEMENTS, LARGER, GraphLayout, larger
from manywalks.params.sections.model import FeatureBlock

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "C/C=C/C#N", "C/C=C\\C#N",
    "C[N+](C)(C)CC([O-])=O", "O=S(=O)(c1ccccc1)N1CCC1", "C1CC2CC1CC2", "F[Si](F)(F)F", "OB(O)c1ccc(Cl)cc1",
    "C[Se]C", "BrC1CCCCCCC1", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "[Zn+2]", "C",
]  # fmt: skip
LAYOUT = GraphLayout(24)


def graph(**settings: object) -> FeatureBlock:
    return FeatureBlock.model_validate({"kind": "graph", "max_atoms": 24, **settings})


def column(values: np.ndarray, name: str) -> int:
    return int(values[LAYOUT.names.index(f"graph:{name}")])


@pytest.mark.parametrize("smiles", MOLECULES)
def test_atoms_are_rdkits(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    found = graph_columns(mol, LAYOUT)
    for atom in mol.GetAtoms():
        slot = atom.GetIdx()
        symbol = atom.GetSymbol()
        wanted = ELEMENTS.index(symbol) + 1 if symbol in ELEMENTS else len(ELEMENTS) + 1
        assert column(found, f"element_{slot}") == wanted
        assert column(found, f"degree_{slot}") == atom.GetDegree() + atom.GetTotalNumHs()
        assert column(found, f"hydrogens_{slot}") == atom.GetTotalNumHs()
        assert column(found, f"aromatic_{slot}") == atom.GetIsAromatic()
        sizes = [n for n in range(3, 30) if atom.IsInRingSize(n)]
        assert column(found, f"ring_{slot}") == (min(min(sizes), 9) - 2 if sizes else 0)
        charge = {0: 0, 1: 1, 2: 2, -1: 3, -2: 4}[atom.GetFormalCharge()]
        assert column(found, f"charge_{slot}") == charge
        hybrids = ["other", "SP", "SP2", "SP3", "SP3D"]
        named = str(atom.GetHybridization())
        assert hybrids[column(found, f"hybridization_{slot}")] == (named if named in hybrids else "other")
    empty = [column(found, f"element_{slot}") for slot in range(mol.GetNumAtoms(), 24)]
    assert not any(empty)


@pytest.mark.parametrize("smiles", MOLECULES)
def test_bonds_are_rdkits(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    found = graph_columns(mol, LAYOUT)
    bonds = {}
    for slot in range(LAYOUT.max_bonds):
        one, other, kind = (column(found, f"bond_{field}_{slot}") for field in ("from", "to", "kind"))
        if kind:
            bonds[one, other] = BOND_KINDS[kind - 1]
    wanted = {}
    for bond in mol.GetBonds():
        kind = str(bond.GetBondType()).lower()
        if kind == "single" and bond.IsInRing():
            kind = "ring"
        if kind == "double":
            kind = {"STEREOE": "E", "STEREOZ": "Z"}.get(str(bond.GetStereo()), kind)
        wanted[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()] = kind
    assert bonds == wanted


def test_a_dative_bond_is_another_kind() -> None:
    found = graph_columns(Chem.MolFromSmiles("CN->B"), LAYOUT)
    assert BOND_KINDS[column(found, "bond_kind_1") - 1] == "other"


def test_mirror_images_differ_in_chirality_alone() -> None:
    one, other = (
        graph_columns(Chem.MolFromSmiles(s), LAYOUT) for s in ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O")
    )
    names = [LAYOUT.names[k] for k in np.flatnonzero(one != other)]
    assert names == ["graph:chirality_1"]


def test_columns_are_bytes_that_fit_their_fields() -> None:
    found = featurize(MOLECULES, [graph()])
    assert found.names == LAYOUT.names
    values = found.dense
    assert (values == values.astype(np.uint8)).all()
    for field, count in ATOM_FIELDS.items():
        own = [k for k, name in enumerate(found.names) if name.startswith(f"graph:{field}_")]
        assert values[:, own].max() < count


def test_a_larger_molecule_has_the_flag_and_nothing_else() -> None:
    found = featurize(["C" * 24, "C" * 25], [graph()])
    np.testing.assert_array_equal(larger(found), [False, True])
    assert found.dense[1].sum() == found.dense[1, found.names.index(LARGER)] == 1


def test_more_bonds_than_slots_count_as_larger() -> None:
    cubane_pair = "C12C3C4C1C5C2C3C45"
    mol = Chem.MolFromSmiles(f"{cubane_pair}.{cubane_pair}.{cubane_pair}")
    assert mol.GetNumAtoms() == 24 < mol.GetNumBonds()
    assert graph_columns(mol, LAYOUT)[0] == 1


def test_a_larger_molecule_is_refused_where_no_other_family_takes_it() -> None:
    found = featurize_each(["C" * 24, "C" * 25], [graph(larger="reject")])
    assert list(found.failures) == [1]
    assert "25 atoms" in found.failures[1].detail
    assert "max_atoms: 24" in found.failures[1].detail


def test_the_graph_comes_last_whatever_the_order_of_blocks() -> None:
    blocks = [graph(), FeatureBlock(kind="physchem"), FeatureBlock(kind="erg")]
    found = featurize(["CCO"], blocks)
    assert found.names[-LAYOUT.width :] == LAYOUT.names
    assert found.without("graph").names == found.names[: -LAYOUT.width]
    np.testing.assert_array_equal(found.dense[0, -LAYOUT.width :], featurize(["CCO"], [graph()]).dense[0])
