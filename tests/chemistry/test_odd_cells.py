"""SMILES cells as files have them: one molecule or a reason, never another molecule."""

import pytest

from manywalks.chemistry.standardize import standardize_one
from manywalks.params.sections.curate import CurateParams

CXSMILES = [
    ("CCO |$_AV:a;b;c$|", "CCO"),
    ("CCO |$a;b;c$|", "CCO"),
    ("CCO |(1.2,3,;4,5,;6,7,)|", "CCO"),
    ("CCO |atomProp:0.note.hello:1.p.q|", "CCO"),
    ("CCO |atomProp:0.molAtomMapNumber.3|", "CCO"),
    ("CCO |lp:2:2|", "CCO"),
    ("CCO |SgD:0,1,2:name:x::::|", "CCO"),
    ("CCO |Sg:gen:0,1,2::|", "CCO"),
    ("CCO.O |f:0.1|", "CCO"),
    ("CCO ||", "CCO"),
    ("CCO\t|$a;b;c$|", "CCO"),
    ("CCO |", "unparsable"),
    ("CCO|$a$|", "unparsable"),
    ("CCO |H:0.1|", "unparsable"),
    ("CCO |Sg:|", "unparsable"),
    ("CCO |$a;b;c$| ethanol", "unparsable"),
    ("CCO ethanol", "unparsable"),
    ("CCO\tethanol", "unparsable"),
    ("CCO\nCCN", "unparsable"),
    ("CCO;CCN", "unparsable"),
    ("CCO,CCN", "unparsable"),
    ("CCO>>CC=O", "unparsable"),
    ("CCO.CCN>>CCNCC", "unparsable"),
]
LABELS = [
    ("[CH3:1][OH:2]", "CO"),
    ("[CH3:900][OH:1]", "CO"),
    ("[13CH3:7]O", "CO"),
    ("[CH3:1][C@H:2]([NH2:3])[C:4](=[O:5])[OH:6]", "C[C@H](N)C(=O)O"),
    ("[cH:1]1[cH:2][cH:3][cH:4][cH:5][cH:6]1", "c1ccccc1"),
    ("[CH3:1][OH:2].[Na+:3].[Cl-:4]", "CO"),
    ("C[*:1]", "polymer"),
    ("CCO |c:0,1|", "CCO"),
    ("C[C@H](O)F |a:1|", "C[C@H](O)F"),
    ("C[C@H](O)F |wU:1.0|", "C[C@H](O)F"),
]
STEREO = [
    ("C[C@H](O)F |&1:1|", "CC(O)F", "racemate"),
    ("C[C@H](O)F |&7:1|", "CC(O)F", "racemate"),
    ("C[C@H](O)F |&1:1,r|", "CC(O)F", "racemate"),
    ("C[C@H](O)F |o1:1|", "CC(O)F", "unknown enantiomer"),
    ("C[C@H](O)[C@@H](F)Cl |&1:1,3|", "CC(O)C(F)Cl", "racemate"),
    ("C[C@H](O)[C@@H](F)Cl |&1:1,&2:3|", "CC(O)C(F)Cl", "racemate"),
    ("C[C@H](O)[C@@H](F)Cl |a:1,&1:3|", "C[C@H](O)C(F)Cl", "racemate"),
    ("C[C@H](O)[C@@H](F)Cl |o1:1,o2:3|", "CC(O)C(F)Cl", "unknown enantiomer"),
    ("C[C@H](O)F |w:1.0|", "CC(O)F", ""),
    ("C[C@H](O)F |w:1.1|", "CC(O)F", ""),
    ("C/C=C/C |w:1.1|", "CC=CC", ""),
    ("C/C=C/C |ctu:1|", "CC=CC", ""),
    ("CC=CC |t:1|", "C/C=C/C", ""),
    ("CC=CC |c:1|", "C/C=C\\C", ""),
    ("C[C@H](O)F.C[C@@H](O)F", "CC(O)F", "parts removed;racemate"),
    ("C[C@H](O)F.C[C@@H](O)F.[Na+].[Cl-]", "CC(O)F", "parts removed;racemate"),
    ("C[C@H](N)C(=O)[O-].C[C@@H](N)C(=O)O.[Na+]", "CC(N)C(=O)O", "parts removed;racemate"),
    ("C[C@H](O)F.C[C@H](O)F", "C[C@H](O)F", "parts removed"),
    # meso: its own mirror image
    ("C[C@H](F)C[C@@H](C)F.C[C@@H](F)C[C@H](C)F", "C[C@H](F)C[C@@H](C)F", "parts removed"),
    ("C[C@@H]1CC[C@H](C)CC1.C[C@H]1CC[C@H](C)CC1", "mixture", ""),
    ("C/C=C/C.C/C=C\\C", "mixture", ""),
]
NO_MOLECULE = [
    ("CCO |Sg:n:0,1:n:ht|", "polymer"),
    ("CCO |Sg:mon:0,1,2::|", "polymer"),
    ("CCO |Sg:any:0,1::|", "polymer"),
    ("CCO |Sg:alt:0,1::|", "polymer"),
    ("C*C |$;R1;$|", "polymer"),
    ("C*C |$;A_p;$|", "polymer"),
    ("C*C |$;Pol_p;$|", "polymer"),
    ("*CC |$_AP1;;$|", "polymer"),
    ("*CC |$Ph;;$|", "polymer"),
    ("C*C |$;Q_e;$|", "query"),
    ("CCO |$Q_e;;$|", "query"),
    ("CCO |rb:0:2|", "query"),
    ("OCC |u:0|", "query"),
    ("CCO |LN:1:1.3|", "query"),
    ("CCCC |Z:0|", "query"),
    ("CC~O", "query"),
    ("[#6]C", "query"),
    ("[C,N]C", "unparsable"),
    ("[!C]C", "unparsable"),
    ("[$(CO)]C", "unparsable"),
    ("C=,#C", "unparsable"),
    ("C@C", "unparsable"),
]
TEXTS = [
    # RDKit drops letters that it does not know at either end: a Cyrillic С would cost a carbon
    ("\u0421CO", "unparsable"), ("CC\u0421", "unparsable"), ("C\u0421O", "unparsable"), ("\u039fCC",
    "unparsable"), ("\u00e9CCO", "unparsable"), ("\u2026CCO", "unparsable"), ("CCO\u2026", "unparsable"),
    ("\uff23CO", "unparsable"), ("\x01CC", "unparsable"), ("CC\x7fO", "unparsable"), ("CC\u2010C",
    "unparsable"), ("C\u00adC", "unparsable"), ("\ufeffCCO", "CCO"), ("CCO\u200b", "CCO"), ("\u200b CCO ",
    "CCO"), ("CCO\u00a0", "CCO"), ("CCO\x00", "CCO"), ("NA", "empty"), ("n/a", "empty"), ("None", "empty"),
    ("-", "empty"), ("#N/A", "empty"), ("?", "empty"), ("not tested", "empty"), ("\ufeff", "empty"),
    ("\u00a0", "empty"), ("'CCO'", "unparsable"), ("ethanol", "unparsable"), ("InChI=1S/CH4/h1H4",
    "unparsable"), ("LFQSCWFLJHTTHZ-UHFFFAOYSA-N", "unparsable"),
]  # fmt: skip
SALTS = [
    # the pipeline takes ethanol, methanol and acetone for solvents of the other part
    ("CCO.Cl", "CCO"),
    ("C[O-].[Na+]", "CO"),
    ("CC[O-].[K+]", "CCO"),
    ("[Na]OC", "CO"),
    ("CC(C)=O.Cl", "CC(C)=O"),
    ("CCN.Cl", "CCN"),
    ("CN.CCO", "CN"),
    ("O=[N+]([O-])[O-].C[NH3+]", "CN"),
    ("[Na+].[Cl-].O", "inorganic"),
]


def outcome(cell: str) -> str:
    """The standardized molecule, or the reason why there is none."""
    found = standardize_one(cell, CurateParams())
    assert (found.smiles is None) == bool(found.reason and found.detail)
    return found.smiles or str(found.reason)


@pytest.mark.parametrize(("cell", "expected"), [*CXSMILES, *LABELS, *NO_MOLECULE, *TEXTS, *SALTS])
def test_a_cell_is_one_molecule_or_none(cell: str, expected: str) -> None:
    assert outcome(cell) == expected


@pytest.mark.parametrize(("cell", "expected", "flags"), STEREO)
def test_what_is_drawn_is_what_is_measured(cell: str, expected: str, flags: str) -> None:
    assert outcome(cell) == expected
    assert standardize_one(cell, CurateParams()).flags == flags


def test_the_reason_shows_the_letter() -> None:
    detail = standardize_one("\u0421CO", CurateParams()).detail
    assert detail is not None and "'\u0421' (U+0421) cannot be part of a SMILES" in detail
