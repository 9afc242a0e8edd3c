"""Descriptors against RDKit's own functions, and the pattern matcher against RDKit's."""

import numpy as np
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem import QED

from manywalks.featurize.descriptors import PHYSCHEM, descriptor_functions, descriptors, finite
from manywalks.featurize.patterns.compile import PatternSet
from manywalks.featurize.patterns.expression import bond_mask
from manywalks.featurize.patterns.graph import graph_of
from manywalks.featurize.patterns.match import counts, counts_at, holds, host_of, labels
from manywalks.featurize.rdkit2d.columns import value, values_of
from manywalks.featurize.rdkit2d.matched import fragment_patterns

ODD = [
    "C", "[Na+].[Cl-]", "[He]", "N#N", "O", "[OH3+]", "[SiH3]I", "[2H]C([2H])Cl", "C[Si](C)(C)C",
    "F[P-](F)(F)(F)(F)F", "[NH4+].[NH4+].[O-]S(=O)(=O)[O-]", "Cl[Pt](Cl)(N)N", "CCCC(=O)O[Hg]c1ccccc1",
    "[AlH3].[U]", "[Mn+2].[O-]C([O-])=O", "[K][As]([K])[K]", "C1CC1", "C1CCC1", "CC1CC1", "CC1(CO1)C",
    "C12C3C4C1C5C2C3C45", "C1CC2(CC1)CCC2", "C=C=C", "C#CC#C", "[CH3]", "[CH2]", "[O-][n+]1ccccc1",
    "c1ccc2c(c1)[nH]c1ccccc12", "C1=CC=C2C=CC=CC2=C1", "c1ccccc1-c1ccccc1", "N->[Cu]", "[NH3]->[Pt](Cl)Cl",
    "*c1ccccc1", "[*:1]CC", "C[C@H](N)C(=O)O", "C/C=C/C", "C/C=C\\C(=O)O", "CC=CC", "O=C1NC(=O)c2ccccc21",
    "COc1ccc(N2CCN(C(=O)C(=O)Nc3ccccc3C)CC2)cc1", "C1CCCCCCCCCCCCCCC1", "CC(C)(C)c1ccc(O)cc1",
    "N[C@@H](CCCNC(=N)N)C(=O)N1CCC[C@H]1C(=O)O", "O.[Br-].[Br-].C1C[N+]2=C(C=CC=C2)C2=[N+]1C=CC=C2",
    "F.F.F.F", "C[Si](C)(C)c1ccc([N+](=O)[O-])ccc#cc2c1C(=O)c1ccccc1-2", "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "[13CH4]", "[15NH3]", "S(=O)(=O)=O", "FC(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)C(F)(F)F",
    "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC", "CC#CC1=NNC(O)=N1",
    "O=C(Cn1[nH]c(=O)c2ccccc2c1=O)NCc1cccnc1", "[O-][Cl+3]([O-])([O-])[O-].[K+]", "C[N+](C)(C)CC([O-])=O",
    "OB(O)c1ccccc1", "O[As]=O", "CP(=O)(O)OC", "CS(=O)c1ccccc1", "C1NC1C", "CC(C)=NO", "C/C=N/N=C/C",
    "O=C1CCC(=CC)CC1", "C1CC2CCC1N2", "C1CC2CCCC(C1)C2", "C1CC12CC2",
]  # fmt: skip


@pytest.fixture(scope="module")
def demo(demo_table) -> list[str]:
    """300 molecules of the demo's table."""
    smiles = demo_table["smiles"]
    return smiles.iloc[:: len(smiles) // 300].tolist()


@pytest.mark.parametrize("source", ["odd", "demo"])
def test_all_columns_equal_rdkits_functions(source, demo):
    names = tuple(descriptor_functions())
    with rdBase.BlockLogs():
        for smiles in ODD if source == "odd" else demo:
            one, other = Chem.MolFromSmiles(smiles), Chem.MolFromSmiles(smiles)
            if one is None:
                continue
            found = descriptors([one], names)[0]
            slow = finite(
                np.array([[value(function, other) for function in descriptor_functions().values()]])
            )[0]
            np.testing.assert_allclose(found, slow, rtol=1e-6, atol=1e-6, err_msg=smiles)


def test_most_columns_are_made_here():
    known = values_of(Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O"))
    assert set(descriptor_functions()) <= set(known)


@pytest.mark.parametrize(
    "smiles", ["N->[Cu]", "[2H]C", "C[Si](C)(C)c1ccc([N+](=O)[O-])ccc#cc2c1C(=O)c1ccccc1-2"]
)
def test_molecules_that_the_arrays_do_not_hold_go_to_rdkit(smiles):
    assert values_of(Chem.MolFromSmiles(smiles)) == {}


def test_some_columns_are_the_same_as_among_all(demo):
    mols = [Chem.MolFromSmiles(smiles) for smiles in demo[:20]]
    names = tuple(descriptor_functions())
    few = descriptors(mols, PHYSCHEM)
    np.testing.assert_array_equal(few, descriptors(mols, names)[:, [names.index(name) for name in PHYSCHEM]])


def test_what_was_seen_before_does_not_matter(demo):
    smiles = demo[:30]
    names = tuple(descriptor_functions())
    first = descriptors([Chem.MolFromSmiles(text) for text in smiles], names)
    again = descriptors([Chem.MolFromSmiles(text) for text in smiles[::-1]], names)[::-1]
    np.testing.assert_array_equal(first, again)


def test_patterns_are_found_where_rdkit_finds_them(demo):
    smarts = [*fragment_patterns().values(), *QED.StructuralAlertSmarts]
    with rdBase.BlockLogs():
        mols = [Chem.MolFromSmiles(text) for text in (*ODD, *demo[:100])]
    known = PatternSet(smarts)
    which, queries = known.places(smarts), [Chem.MolFromSmarts(text) for text in smarts]
    for mol in mols:
        graph = graph_of(mol) if mol is not None else None
        if mol is None or graph is None:
            continue
        host = host_of(known.table(graph), graph, known.patterns)
        found = counts(which, host, known.patterns)
        slow = np.array([len(mol.GetSubstructMatches(query)) for query in queries])
        np.testing.assert_array_equal(found[found >= 0], slow[found >= 0], Chem.MolToSmiles(mol))
        np.testing.assert_array_equal(holds(which, host, known.patterns) > 0, slow > 0)


def test_patterns_begin_where_rdkit_says():
    smarts = ["[OH]C=O", "[OH]", "N", "[$(C=O)]"]
    known = PatternSet(smarts)
    which = known.places(smarts)
    mol = Chem.MolFromSmiles("NCC(O)C(=O)O")
    graph = graph_of(mol)
    assert graph is not None
    host = host_of(known.table(graph), graph, known.patterns)
    assert labels(which, host, known.patterns).tolist() == [2, -1, -1, 1, 3, -1, 0]
    assert counts_at(which, np.array([3, 6]), host, known.patterns).tolist() == [
        [0, 1], [1, 1], [0, 0], [0, 0],
    ]  # fmt: skip


def test_a_bond_is_read_as_its_own_logic_says():
    assert bond_mask("~") == 0b11111111
    assert bond_mask("=&!@") == 0b00000010
    assert bond_mask("-,=;@") == 0b00110000
    assert bond_mask("") == bond_mask("-,:")


@pytest.mark.parametrize("smarts", ["[x3]", "[Q]", "C->N"])
def test_a_smarts_that_is_not_known_is_refused(smarts):
    with pytest.raises(ValueError, match=r"not known|does not read"), rdBase.BlockLogs():
        PatternSet([smarts])
