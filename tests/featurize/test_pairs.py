"""Atom pairs, torsions and ErG from arrays against RDKit's code: the same columns and values."""

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from manywalks.featurize.fingerprints import SparseRow, _from_arrays, fingerprint
from manywalks.featurize.patterns.graph import graph_of
from manywalks.params.sections.model import FeatureBlock

ODD = (
    "C1CC1",  # a ring of three is a torsion
    "C1CC2CC12",
    "C12C3C4C1C5C4C3C25",  # cubane
    "CC1(C)C(C)(C)C1(C)C",
    "FC(F)(F)C(I)(Br)[Se]C",
    "C[Si](C)(C)[N-]S(=O)(=O)C",
    "[Na+].[O-]S(=O)(=O)c1ccc(/N=N/c2ccccc2)cc1",
    "O=C1CCCCCCC1",  # a ring that is no point of the reduced graph
    "N" + "C" * 40 + "O",
    "[2H]C([2H])(N)C1CC1",
    "[He]",
    "*c1ccccc1",
    "CC(=O)N[C@@H](Cc1c[nH]c2ccccc12)C(=O)N(C)C(C)CSC",
    "C1CC2(C1)CCC1(CC2)OCCO1",
    "C[P+](c1ccccc1)(c1ccccc1)C#N",
    "CS(C)(=O)=NC(=S)N=[N+]=[N-]",
)


def read(smiles: str) -> Chem.Mol:
    """A molecule, its arrays read."""
    mol = Chem.MolFromSmiles(smiles)
    assert graph_of(mol) is not None, smiles
    return mol


@pytest.mark.parametrize("block", [
    {"kind": "erg"},
    {"kind": "atom_pair_count", "n_bits": 2048},
    {"kind": "atom_pair_count", "n_bits": 300},
    {"kind": "torsion_count", "n_bits": 2048},
    {"kind": "torsion_count", "n_bits": 64},
], ids=lambda block: "-".join(map(str, block.values())))  # fmt: skip
def test_columns_and_values_are_rdkits(block: dict[str, str | int], demo_table: pd.DataFrame) -> None:
    asked = FeatureBlock.model_validate(block)
    for smiles in (*ODD, *demo_table["smiles"][::4]):
        ours, theirs = _from_arrays(read(smiles), asked), fingerprint(Chem.MolFromSmiles(smiles), asked)
        assert ours is not None
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=smiles)
            assert one.dtype == other.dtype


@pytest.mark.parametrize(
    "smiles", ["C12C3C4C1C5C4C3C25", "CN(C)C[C-]12C3=C4C5=C1[Fe++]23456789[C-]%10C6=C7C8=C9%10"]
)
def test_erg_does_not_depend_on_what_was_asked_before(smiles: str) -> None:
    """RDKit's own gives other values where the distance matrix of such molecules is known."""
    block = FeatureBlock.model_validate({"kind": "erg"})
    mol = Chem.MolFromSmiles(smiles)
    graph_of(mol)
    Chem.GetDistanceMatrix(mol)
    expected: SparseRow = fingerprint(Chem.MolFromSmiles(smiles), block)
    np.testing.assert_array_equal(fingerprint(mol, block).values, expected.values)
