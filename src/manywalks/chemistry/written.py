"""A structure as somebody wrote it -> a molecule without the marks that are no chemistry, or why not.

A SMILES cell is one SMILES, perhaps with a ChemAxon extension (CCO |...|). Labels (atom maps, names,
notes, coordinates) are dropped. What changes the meaning counts: racemates, repeat units, query atoms and
bonds.
"""

import re

from rdkit import Chem

from manywalks.chemistry.missing import MISSING

# marks that nobody sees: a byte order mark, spaces of no width, soft hyphens
INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad\x00"
# substance groups that are repeat units; data (DAT), abbreviations (SUP) and the like say nothing of them
REPEAT_UNITS = frozenset({"SRU", "MON", "COP", "CRO", "GRA", "MOD", "MER", "ANY"})
# what a cell holds instead of a structure that no SMILES can write: a bracket is no start of a SMILES
_NO_STRUCTURE = re.compile(r"\((query|polymer|unparsable): (.*)\)", re.DOTALL)
_EXTENDED = re.compile(r"(\S*)\s+(\|.*\|)", re.DOTALL)
_UNDEFINED_BONDS = frozenset(
    {
        Chem.BondType.UNSPECIFIED,
        Chem.BondType.ZERO,
        Chem.BondType.HYDROGEN,
        Chem.BondType.IONIC,
        Chem.BondType.OTHER,
    }
)
_AND, _OR = Chem.StereoGroupType.STEREO_AND, Chem.StereoGroupType.STEREO_OR


class Refusal(Exception):
    """A policy or a fault ends the standardization: (reason code, detail)."""


def parse_written(smiles: str, flags: set[str], *, polymers: bool) -> Chem.Mol:
    """RDKit's molecule of a stripped cell, labels and marks of racemates taken off; a Refusal says why not.

    Args:
        flags: gets "racemate" or "unknown enantiomer" where the drawing says so.
        polymers: whether repeat units are let through.
    """
    if stated := _NO_STRUCTURE.fullmatch(smiles):
        raise Refusal(stated[1], stated[2])
    mol = Chem.MolFromSmiles(_one_smiles(smiles))
    if mol is None:
        raise Refusal("unparsable", f"{shown(smiles)}: {_parse_fault(smiles)}")
    if mol.GetNumAtoms() == 0:
        raise Refusal("empty", "the structure has no atoms")
    extended = "|" in smiles  # only an extension has substance groups, attachment points, stereo groups
    if extended and not polymers and (fault := polymer_fault(mol)):
        raise Refusal("polymer", fault)
    if "[#" in smiles:  # RDKit reads [#6] as a carbon without hydrogens
        raise Refusal("query", "an atom by its number alone ([#6])")
    if (extended or "~" in smiles) and (fault := query_fault(mol)):
        raise Refusal("query", fault)
    if ":" in smiles:
        _take_off_labels(mol)
    return _racemates_unmarked(mol, flags) if extended else mol


def query_fault(mol: Chem.Mol) -> str:
    """What makes a drawing a query or a drawing of several molecules; "" of one molecule."""
    if any(atom.HasQuery() and not _is_dummy(atom) for atom in mol.GetAtoms()):
        return "an atom list or another query atom"
    if mol.HasProp("_molLinkNodes"):
        return "a link node: a part that may be repeated"
    for bond in mol.GetBonds():
        if bond.HasProp("_MolFileBondEndPts"):
            return "a bond with several possible ends"
        if bond.HasQuery() or bond.GetBondType() in _UNDEFINED_BONDS:
            return "a bond of no definite order"
    return ""


def _is_dummy(atom: Chem.Atom) -> bool:
    """Whether an atom is * or an R group, which the policy on polymers judges."""
    return bool(atom.HasProp("dummyLabel")) or atom.GetSmarts() == "*"


def polymer_fault(mol: Chem.Mol) -> str:
    """Which mark makes a drawing a polymer or a fragment; "" without one."""
    if any(group_type(group) in REPEAT_UNITS for group in Chem.GetMolSubstanceGroups(mol)):
        return "repeat units in brackets"
    if any(atom.HasProp("molAttchpt") for atom in mol.GetAtoms()):
        return "undefined atom (*) or attachment point"
    return ""


def group_type(group: Chem.SubstanceGroup) -> str:
    """The type of a substance group: SRU, DAT ..."""
    return group.GetProp("TYPE") if group.HasProp("TYPE") else ""


def mirrored(smiles: str) -> str:
    """The canonical SMILES of the mirror image."""
    mol = Chem.MolFromSmiles(smiles)
    for atom in mol.GetAtoms():
        atom.InvertChirality()
    return Chem.CanonSmiles(Chem.MolToSmiles(mol))


def unmarked(mol: Chem.Mol) -> Chem.Mol:
    """The molecule with no centre specified; double bonds keep their marks."""
    for atom in mol.GetAtoms():
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return mol


def bare(cell: str) -> str:
    """A cell without blanks and invisible marks at its ends; "" where it says that it has no structure."""
    text = cell.strip().strip(INVISIBLE).strip()
    return "" if text.lower() in MISSING else text


def shown(text: str) -> str:
    """At most 120 characters of a text."""
    return text if len(text) <= 120 else text[:117] + "..."


def _one_smiles(cell: str) -> str:
    """The SMILES of a cell with its extension; anything else behind a blank is refused.

    RDKit takes it for the molecule's name: of two molecules in one cell the first would stay. And RDKit drops
    other letters at either end without a word, so a Cyrillic \u0421 would cost a carbon.
    """
    smiles = cell.split(maxsplit=1)[0]
    if odd := next((mark for mark in smiles if not "!" <= mark <= "~"), ""):
        named = f"{odd!r} (U+{ord(odd):04X}) cannot be part of a SMILES"
        raise Refusal("unparsable", f"{shown(cell)!r}: {named}")
    if smiles == cell:
        return cell
    if extended := _EXTENDED.fullmatch(cell):
        return f"{extended[1]} {extended[2]}"
    raise Refusal("unparsable", f"{shown(cell)!r}: what follows the first blank is no part of the SMILES")


def _take_off_labels(mol: Chem.Mol) -> None:
    """Atom maps; the other labels go when the molecule is written."""
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)


def _racemates_unmarked(mol: Chem.Mol, flags: set[str]) -> Chem.Mol:
    """Centres of a racemate, or of an enantiomer that nobody knows, lose the marks they are drawn with."""
    for group in mol.GetStereoGroups():
        if group.GetGroupType() not in (_AND, _OR):
            continue
        flags.add("racemate" if group.GetGroupType() == _AND else "unknown enantiomer")
        for atom in group.GetAtoms():
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return mol


def _parse_fault(smiles: str) -> str:
    """Why RDKit does not read a SMILES: its first problem with the chemistry, or the syntax."""
    mol = Chem.MolFromSmiles(smiles, sanitize=False)
    if mol is None:
        return "is not valid SMILES"
    problems = Chem.DetectChemistryProblems(mol)
    return problems[0].Message() if problems else "cannot be sanitized"
