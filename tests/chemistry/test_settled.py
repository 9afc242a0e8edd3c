"""Leaving early, and the faster parent: the outcomes are those of ChEMBL's own functions."""

import pytest
from chembl_structure_pipeline import standardizer as chembl
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from benchmarks.standardizing import POLICIES, the_whole_way
from manywalks.chemistry.parent import parent, standard_mol
from manywalks.chemistry.settled import is_settled
from manywalks.chemistry.standardize import Standardized, standardize_one
from manywalks.params.sections.curate import CurateParams
from tests.support.molecules import DRUGS, written_twice

ODD = [
    "CS(C)=O", "C[S+](C)[O-]", "O=[SH]C", "CSC(=O)S(=O)C", "CC(O)=NC", "CC(O)=N", "OC1=NCCC1", "C[N+]#N",
    "N#[N+][O-]", "[O-][N+](=O)c1ccccc1", "C[N+](C)(C)[O-]", "O[n+]1ccccc1", "C[N+]([O-])([O-])C", "CC[O-]",
    "c1cc[nH+]cc1", "[nH]1cccc1", "C[C@](F)(Cl)Br", "C[C@H](N)C(=O)O", "C/C=C/C", "C/C=C\\C(=O)O", "[Cl]",
    "Cl", "C", "[CH3]", "[2H]C", "[H][H]", "[13CH4]", "OC(=O)[C@H](O)[C@@H](O)C(=O)O", "CB(O)O", "N->B",
    "BBBBBBBB", "C[Si](C)(C)C", "C[Se]C", "CP(=O)(O)O", "CP(C)(C)=C", "[Na]OC", "CC([O-])=O.[Na+]",
    "CN.OC(=O)C(F)(F)F", "CN.CN.Cl", "O.O", "Cl.Cl", "OC(=O)C=CC(O)=O", "CCO.CC(=O)O", "CN(C)C=O.CCCC",
    "C1=CC=C2C(=C1)C=CC=C2", "c1ccc(-c2ccccc2)cc1", "O=c1cc[nH]cc1", "CS(C)(=O)=O", "CS(N)(=O)=O", "S=C(N)N",
]  # fmt: skip
SALTS = [
    "Cl",
    "[Na+]",
    "[Cl-]",
    "O",
    "CC(=O)O",
    "OC(=O)C(F)(F)F",
    "CS(=O)(=O)O",
    "OC(=O)/C=C/C(=O)O",
    "[NH4+]",
]


@pytest.fixture(scope="module")
def demo(demo_table) -> list[str]:
    """400 molecules of the demo's table."""
    smiles = demo_table["smiles"]
    return smiles.iloc[:: len(smiles) // 400].tolist()


def the_slow_way(smiles: str, params: CurateParams) -> Standardized:
    with the_whole_way():
        return standardize_one(smiles, params)


@pytest.mark.parametrize("policy", POLICIES)
def test_molecules_that_leave_early_are_what_the_whole_way_makes_of_them(policy, demo):
    params = CurateParams.model_validate(POLICIES[policy])
    texts = [*ODD, *DRUGS, *(demo if policy == "defaults" else demo[::4])]
    assert [standardize_one(text, params) for text in texts] == [the_slow_way(text, params) for text in texts]


@given(written_twice(), st.sampled_from(sorted(POLICIES)))
@settings(deadline=None)
def test_that_holds_however_a_molecule_is_written(pair, policy):
    params = CurateParams.model_validate(POLICIES[policy])
    assert standardize_one(pair[1], params) == the_slow_way(pair[1], params)


@given(st.lists(st.sampled_from([*SALTS, *DRUGS]), min_size=1, max_size=4))
@settings(deadline=None)
def test_the_parent_of_several_parts_is_the_pipelines(parts):
    mol = Chem.MolFromSmiles(".".join(parts))
    with rdBase.BlockLogs():
        ours = parent(standard_mol(mol), labels=False)
        theirs = chembl.get_parent_mol(chembl.standardize_mol(mol))[0]
    assert Chem.MolToSmiles(ours) == Chem.MolToSmiles(theirs)


@pytest.mark.parametrize(
    "smiles", ["CS(C)=O", "O=[SH]C", "CN=C(C)O", "C[N+]#N", "CC[O-]", "CO.O", "[2H]C", "N->B"]
)
def test_what_a_step_could_act_on_goes_the_whole_way(smiles):
    mol = Chem.MolFromSmiles(smiles)
    assert not is_settled(Chem.MolToSmiles(mol), mol)


def test_most_molecules_leave_early(demo):
    mols = [Chem.MolFromSmiles(smiles) for smiles in demo]
    early = sum(is_settled(Chem.MolToSmiles(mol), mol) for mol in mols)
    assert early > 0.8 * len(demo)
