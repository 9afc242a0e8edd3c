"""Circular fingerprints from arrays against RDKit's generators: the same columns and counts."""

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from manywalks.featurize.circular import MOST, different, surroundings
from manywalks.featurize.fingerprints import SparseRow, _from_arrays, fingerprint
from manywalks.featurize.patterns.graph import graph_of
from manywalks.params.sections.model import FeatureBlock

KINDS = ("morgan_count", "morgan_feature_count")
DRUGS = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C2CCC1CC(C2)OC(=O)C(CO)c1ccccc1",
    "O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O",
    "C[N+](C)(C)CCO.[Cl-]",
    "NC(=N)NCCC[C@H](N)C(=O)O",
    "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O",
    "OP(=O)(O)OP(=O)(O)O",
    "[Na+].[O-]S(=O)(=O)c1ccc(/N=N/c2ccccc2)cc1",
    "C1CC2(C1)CCC1(CC2)OCCO1",
    "C" * 90,
    "[He]",
    "C1" + "C" * 30 + "1",
)


def by_rdkit(mol: Chem.Mol, block: FeatureBlock) -> SparseRow:
    """A copy's arrays have not been read."""
    return fingerprint(Chem.Mol(mol), block)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("radius", "n_bits"), [(0, 64), (1, 4096), (2, 1024), (3, 100)])
def test_columns_and_counts_are_rdkits(kind: str, radius: int, n_bits: int, demo_table: pd.DataFrame) -> None:
    block = FeatureBlock.model_validate({"kind": kind, "radius": radius, "n_bits": n_bits})
    for smiles in (*DRUGS, *demo_table["smiles"][::4]):
        mol = Chem.MolFromSmiles(smiles)
        assert graph_of(mol) is not None, smiles
        ours, theirs = _from_arrays(mol, block), by_rdkit(mol, block)
        assert ours is not None, smiles
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=smiles)
            assert one.dtype == other.dtype


def test_densities_count_different_surroundings() -> None:
    graph = graph_of(Chem.MolFromSmiles("CCO"))
    assert graph is not None
    found = surroundings(graph)
    assert found is not None
    # CH3, CH2 and OH; one bond around each end and both around the middle
    assert different(*found).tolist() == [3, 6, 6, 6]


@pytest.mark.parametrize("smiles", ["[13CH4]", "[2H]C", "[Ir@OH1](Cl)(P)(P)(P)([H])[H]"])
def test_isotopes_and_hydrogens_that_are_atoms_go_to_rdkit(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    graph = graph_of(mol)
    assert graph is not None
    assert surroundings(graph) is None
    block = FeatureBlock.model_validate({"kind": "morgan_count"})
    assert _from_arrays(mol, block) is None
    np.testing.assert_array_equal(fingerprint(mol, block).columns, by_rdkit(mol, block).columns)


def test_a_larger_radius_than_was_made_goes_to_rdkit() -> None:
    mol = Chem.MolFromSmiles("CCCCCCCCO")
    assert graph_of(mol) is not None
    block = FeatureBlock.model_validate({"kind": "morgan_count", "radius": MOST + 1})
    assert _from_arrays(mol, block) is None
    np.testing.assert_array_equal(fingerprint(mol, block).columns, by_rdkit(mol, block).columns)
