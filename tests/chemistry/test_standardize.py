"""One molecule: the standard form, the policies, the fixed point; and many in worker processes."""

import time

import pytest
from chembl_structure_pipeline import standardizer
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from manywalks.chemistry.elements import elements
from manywalks.chemistry.standardize import standardize_one
from manywalks.chemistry.standardize_many import standardize_smiles
from manywalks.data.records import REASONS
from manywalks.params.sections.curate import CurateParams
from tests.support.molecules import DRUGS, written_twice


def curate(**policies) -> CurateParams:
    return CurateParams.model_validate(policies)


DEFAULT = curate()


@pytest.mark.parametrize(
    ("written", "standard"),
    [
        ("N(=O)(=O)c1ccccc1", "O=[N+]([O-])c1ccccc1"),
        ("CC(=O)[O-].[Na+]", "CC(=O)O"),
        ("CC(=O)O[Na]", "CC(=O)O"),
        ("CC(=O)O[Zn]OC(C)=O", "CC(=O)O"),
        ("CC(=O)O[Mg]OC(C)=O.O", "CC(=O)O"),
        ("C[NH3+].[Cl-]", "CN"),
        ("Cl.CN1CCC(CC1)c1ccccc1", "CN1CCC(c2ccccc2)CC1"),
        ("CCO.O", "CCO"),
        ("CN1CC2CC(C1)CN(C)C2.F[P-](F)(F)(F)(F)F", "CN1CC2CC(C1)CN(C)C2"),
        ("CCCC[N+]1(C)CCCC1.N#CN=C=[N-]", "CCCC[N+]1(C)CCCC1"),
        ("CC.CC", "CC"),
        ("[2H]C([2H])([2H])O", "CO"),
        ("C[N+](C)(C)C.[I-]", "C[N+](C)(C)C"),
        (" CCO ", "CCO"),
        ("CCO |(0,0,;1,0,;2,0,)|", "CCO"),
        ("CCO |$first;;$,SgD:1:PKA:4.1::::|", "CCO"),
        ("[CH3:1][CH2:2][OH:3]", "CCO"),
        ("[H:1]OCC", "CCO"),
        ("C[C@H](N)C(=O)O |a:1|", "C[C@H](N)C(=O)O"),
    ],
)
def test_standard_forms(written, standard):
    assert standardize_one(written, DEFAULT).smiles == standard


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"), ("  ", "empty"), ("C1CC", "unparsable"), ("c1cccc1", "unparsable"),
        ("CCOx", "unparsable"), ("C(C)(C)(C)(C)C", "unparsable"), ("*CC*", "polymer"),
        ("CC |Sg:n:0::ht|", "polymer"),
        ("CCO ethanol", "unparsable"), ("CCN(CC) CCNC", "unparsable"), ("CC\nCO", "unparsable"),
        ("CC |$a;$| CO", "unparsable"), ("C~C", "query"), ("[#6]C", "query"), ("CC |s:0:1|", "query"),
        ("CCC |LN:1:1.3|", "query"), ("C1CCCCC1.FC |m:7:0.1|", "query"),
        ("C[Hg]C", "metal"), ("[NH3][Pt](Cl)(Cl)[NH3]", "inorganic"), ("CC[Mg]Br", "metal"),
        ("[Cu+2].[O-]C(C)=O.[O-]C(C)=O", "metal"), ("[Na+].[Cl-]", "inorganic"), ("O", "inorganic"),
        ("[H][H]", "inorganic"), ("CCCCN.CCCCO", "mixture"), ("C" * 151, "too_large"),
    ],
)  # fmt: skip
def test_rejections(written, reason):
    outcome = standardize_one(written, DEFAULT)
    assert (outcome.smiles, outcome.reason) == (None, reason)
    assert outcome.reason in REASONS
    assert outcome.detail


@pytest.mark.parametrize(
    ("policy", "written", "standard", "flags"),
    [
        ({"mixtures": "largest"}, "CCCCN.CCCCCO.Cl", "CCCCCO", "largest part;parts removed"),
        ({"mixtures": "keep"}, "CCCCN.CCCCO", "CCCCN.CCCCO", ""),
        ({"metals": "keep"}, "C[Hg]C", "[CH3][Hg][CH3]", "metal"),
        ({"inorganics": "keep"}, "O", "O", ""),
        ({"polymers": "keep"}, "*CC", "*CC", ""),
        ({"isotopes": "keep"}, "[13CH3]O", "[13CH3]O", "isotope"),
        ({"stereo": "drop"}, "C[C@H](N)C(=O)O", "CC(N)C(=O)O", ""),
        ({"stereo": "flag"}, "CC(N)C(=O)O", "CC(N)C(=O)O", "unspecified stereo"),
        ({"stereo": "flag"}, "C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O", ""),
        ({"tautomers": "canonical"}, "CC(O)=CC(C)=O", "CC(=O)CC(C)=O", ""),
        (
            {"tautomers": "canonical", "max_tautomers": 1},
            "CC(O)=CC(C)=O",
            "CC(=O)C=C(C)O",
            "tautomers over limit",
        ),
        ({"max_atoms": 200}, "C" * 151, "C" * 151, ""),
    ],
)
def test_policies(policy, written, standard, flags):
    outcome = standardize_one(written, curate(**policy))
    assert (outcome.smiles, outcome.flags) == (standard, flags)


ALANINE = "C[C@H](N)C(=O)O"
MIRRORED = "C[C@@H](N)C(=O)O"


@pytest.mark.parametrize(
    ("written", "flags"),
    [
        (f"{ALANINE} |&1:1|", "racemate"),
        (f"{MIRRORED}\n|&1:1|", "racemate"),
        (f"{ALANINE} |o1:1|", "unknown enantiomer"),
        (f"{ALANINE}.{MIRRORED}", "parts removed;racemate"),
        (f"{ALANINE}.{MIRRORED}.Cl", "parts removed;racemate"),
    ],
)
def test_a_racemate_is_no_enantiomer_however_it_is_drawn(written, flags):
    outcome = standardize_one(written, DEFAULT)
    assert (outcome.smiles, outcome.flags) == ("CC(N)C(=O)O", flags)
    assert standardize_one(written, curate(stereo="reject")).reason == "stereo"


def test_diastereomers_side_by_side_are_a_mixture():
    written = "C[C@H](F)[C@@H](Cl)C.C[C@@H](F)[C@@H](Cl)C"
    assert standardize_one(written, DEFAULT).reason == "mixture"


@pytest.mark.parametrize(
    ("policy", "written", "reason"),
    [({"isotopes": "reject"}, "[13CH3]O", "isotope"), ({"stereo": "reject"}, "CC(F)Cl", "stereo")],
)
def test_policies_that_reject(policy, written, reason):
    assert standardize_one(written, curate(**policy)).reason == reason


@given(written_twice())
def test_the_way_it_is_written_does_not_matter(pair):
    one, other = pair
    assert standardize_one(one, DEFAULT) == standardize_one(other, DEFAULT) or (
        standardize_one(one, DEFAULT).smiles is None and standardize_one(other, DEFAULT).smiles is None
    )


@given(st.sampled_from(DRUGS), st.sampled_from(["keep", "canonical"]), st.sampled_from(["keep", "drop"]))
@settings(deadline=None)
def test_a_standard_form_is_its_own(smiles, tautomers, stereo):
    policy = curate(tautomers=tautomers, stereo=stereo)
    once = standardize_one(smiles, policy).smiles
    if once is not None:
        assert standardize_one(once, policy).smiles == once


@given(st.text(alphabet="CNOcn()[]=#+-123.@H*/\\ ", max_size=25))
@settings(deadline=None)
def test_any_text_gets_an_outcome(text):
    outcome = standardize_one(text, DEFAULT)
    assert (outcome.smiles is None) == (outcome.reason is not None)
    assert outcome.reason is None or outcome.reason in REASONS


@given(st.sampled_from(DRUGS))
def test_the_short_way_for_one_part_is_the_pipelines_way(smiles):
    """Where ChEMBL's own calls settle at once, ours end at the same parent."""
    mol = Chem.MolFromSmiles(smiles)
    parent = standardizer.get_parent_mol(standardizer.standardize_mol(mol))[0]
    expected = Chem.CanonSmiles(Chem.MolToSmiles(parent))
    ours = standardize_one(smiles, curate(metals="keep", mixtures="keep", inorganics="keep", polymers="keep"))
    again = standardizer.get_parent_mol(standardizer.standardize_mol(Chem.MolFromSmiles(expected)))[0]
    if Chem.CanonSmiles(Chem.MolToSmiles(again)) == expected and "." not in expected and "O[" not in smiles:
        assert ours.smiles == expected


def test_elements_are_read_off_smiles():
    for smiles in [
        *DRUGS,
        "[Sc+3]",
        "[nH]1cccc1",
        "[se]1cccc1",
        "ClCBr",
        "[13CH4]",
        "[Co]",
        "CO",
        "[Cn]",
        "[CH3-]",
    ]:
        atoms = sorted(atom.GetSymbol() for atom in Chem.MolFromSmiles(smiles).GetAtoms())
        assert sorted(elements(Chem.MolToSmiles(Chem.MolFromSmiles(smiles)))) == atoms


def test_workers_give_what_this_process_gives():
    many = [*DRUGS, "", "C1CC"] * 20 + [f"C{'C' * (n % 30)}O{'C' * (n // 30)}" for n in range(600)]
    seen = []
    found = standardize_smiles(many, DEFAULT, cores=2, progress=lambda done, n: seen.append((done, n)))
    assert found == [standardize_one(smiles, DEFAULT) for smiles in many]
    assert seen[-1] == (len(set(many)), len(set(many)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_molecule_over_the_time_limit_is_rejected():
    """A chain of guanidines has more tautomers than a moment suffices for; the others go on."""
    slow = "N=C(N)" + "NC(=N)" * 12 + "N"
    policy = curate(tautomers="canonical", max_tautomers=100_000, time_limit=0.5)
    start = time.monotonic()
    found = standardize_smiles(["CCO", slow, "CC(=O)O"], policy, cores=1)
    assert [one.reason for one in found] == [None, "timeout", None]
    assert time.monotonic() - start < 30


def test_rdkit_is_silent(capfd):
    standardize_one("c1cccc1", DEFAULT)
    standardize_one("N(=O)(=O)c1ccccc1", DEFAULT)
    assert capfd.readouterr() == ("", "")
