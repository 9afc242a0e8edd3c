"""Molecule blocks: what their marks mean, and why one cannot be read."""

import pytest
from rdkit import Chem, rdBase

from manywalks.chemistry.sdf import block_smiles
from manywalks.chemistry.standardize import standardize_one
from manywalks.params.sections.curate import CurateParams

BLOCK = Chem.MolToMolBlock(Chem.MolFromSmiles("CCN"))


def outcome(block: str):
    with rdBase.BlockLogs():
        return standardize_one(block_smiles(block), CurateParams())


@pytest.mark.parametrize("write", [Chem.MolToMolBlock, Chem.MolToV3KMolBlock])
@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O"),
        ("C[C@H](N)C(=O)O |a:1|", "C[C@H](N)C(=O)O"),
        ("C[C@H](N)C(=O)O |&1:1|", "CC(N)C(=O)O"),
        ("C[C@H](N)C(=O)O |o1:1|", "CC(N)C(=O)O"),
        ("CCO |SgD:1:PKA:4.1::::|", "CCO"),
        ("[CH3:1][CH2:2]O", "CCO"),
        ("*CC* |$;;;$,Sg:n:1,2::ht|", "polymer"),
        ("CC~C", "query"),
    ],
)
def test_a_block_says_what_its_smiles_says(write, smiles: str, expected: str) -> None:
    found = outcome(write(Chem.MolFromSmiles(smiles)))
    assert expected in (found.smiles, found.reason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("M  ALS   3  2 F N   O   ", "query"),
        ("M  SUB  1   3   2", "query"),
        ("M  APO  1   3   1", "polymer"),
        ("", None),
    ],
)
def test_query_and_attachment_marks_of_a_block_are_seen(line: str, reason: str | None) -> None:
    assert outcome(BLOCK.replace("M  END", f"{line}\nM  END")).reason == reason


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (" N   0", " A   0", "query"),
        (" N   0", " *   0", "polymer"),
        (" N   0", " R#  0", "polymer"),
        ("  2  3  1  0", "  2  3  8  0", "query"),
    ],
)
def test_undefined_atoms_and_bonds_of_a_block_are_rejected(old: str, new: str, reason: str) -> None:
    assert outcome(BLOCK.replace(old, new)).reason == reason


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("", "it is empty"),
        (BLOCK.replace("M  END", ""), "no line M  END"),
        ("first\n" + BLOCK, "line 4 is no counts line"),
        (BLOCK.replace("  3  2  0", "  9  2  0"), "5 of the 11 lines of atoms and bonds"),
        (BLOCK.replace(" N   0", " Du  0"), "an atom 'Du', which is no element"),
    ],
)
def test_a_block_that_cannot_be_read_says_why(block: str, said: str) -> None:
    found = outcome(block)
    assert found.reason == "unparsable"
    assert said in (found.detail or "")
