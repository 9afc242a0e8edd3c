"""ChEMBL's standardization and parent with the same outcomes, faster.

Its functions make the same patterns anew for every molecule (the 240 salts and solvents of a molecule with
several parts take 2 of 4 ms); here they are made once, and asked only of what could match them.
"""

from collections import defaultdict
from functools import cache
from pathlib import Path

from chembl_structure_pipeline import standardizer as chembl
from chembl_structure_pipeline.exclude_flag import exclude_flag
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from manywalks.chemistry.settled import TARTRATE

# patterns by their numbers of atoms and bonds
Sized = dict[tuple[int, int], list[Chem.Mol]]
_OF_PARTS = (
    Chem.SanitizeFlags.SANITIZE_SYMMRINGS
    | Chem.SanitizeFlags.SANITIZE_FINDRADICALS
    | Chem.SanitizeFlags.SANITIZE_SETAROMATICITY
    | Chem.SanitizeFlags.SANITIZE_ADJUSTHS
)


def standard_mol(mol: Chem.Mol) -> Chem.Mol:
    """`standardize_mol` of the pipeline, of a molecule without coordinates."""
    if exclude_flag(mol, includeRDKitSanitization=False):
        return mol
    mol = chembl.update_mol_valences(mol)
    mol = chembl.remove_sgroups_from_mol(mol)
    mol = chembl.kekulize_mol(mol)
    mol = chembl.remove_hs_from_mol(mol)
    mol = chembl.normalize_mol(mol)
    mol = uncharged(mol)
    if mol.GetNumAtoms() >= TARTRATE:
        mol = chembl.flatten_tartrate_mol(mol)
    Chem.SanitizeMol(mol)
    return mol


def parent(mol: Chem.Mol, *, labels: bool) -> Chem.Mol:
    """Without isotope labels (unless `labels` stay), salts, solvents and charges."""
    if not labels:
        mol = chembl.get_isotope_parent_mol(mol)
    if len(Chem.GetMolFrags(mol)) > 1:
        return _of_parts(mol)
    # a molecule of one part loses nothing, whatever it is
    return uncharged(Chem.RemoveHs(mol, sanitize=False))


def uncharged(mol: Chem.Mol) -> Chem.Mol:
    """`uncharge_mol` of the pipeline."""
    result = _uncharger().uncharge(mol)
    result.UpdatePropertyCache(strict=False)
    return result


def _of_parts(mol: Chem.Mol) -> Chem.Mol:
    """`get_fragment_parent_mol` of the pipeline: parts that are neither solvent nor salt, uncharged."""
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    plain = [_plain(part) for part in parts]
    left = [k for k, part in enumerate(plain) if not _is_among(part, _known(chembl._solvents_file))]
    if not left:
        return uncharged(mol)
    kept = [k for k in left if not _is_among(plain[k], _known(chembl._salts_file))] or left
    if len(kept) > 1 and len({_written(parts[k]) for k in kept}) == 1:
        kept = kept[:1]
    found = _together([parts[k] for k in kept])
    if exclude_flag(found, includeRDKitSanitization=False):
        found = _together([parts[k] for k in left])
    return uncharged(found)


def _plain(part: Chem.Mol) -> Chem.Mol:
    """A part as salts and solvents are looked for in it."""
    part = Chem.RemoveHs(part, sanitize=False)
    part.UpdatePropertyCache(strict=False)
    Chem.SetAromaticity(part)
    return part


def _is_among(part: Chem.Mol, known: Sized) -> bool:
    """Whether a part is one of these as a whole."""
    return any(
        part.HasSubstructMatch(pattern) for pattern in known.get((part.GetNumAtoms(), part.GetNumBonds()), ())
    )


def _written(part: Chem.Mol) -> str:
    """An uncharged part as a SMILES that is equal for equal parts."""
    part = Chem.RemoveHs(uncharged(part), sanitize=False)
    part.ClearComputedProps()
    part.UpdatePropertyCache(strict=False)
    Chem.SanitizeMol(part, sanitizeOps=int(_OF_PARTS))
    return Chem.MolToSmiles(part)


def _together(parts: list[Chem.Mol]) -> Chem.Mol:
    """Parts as one molecule."""
    whole = parts[0]
    for part in parts[1:]:
        whole = Chem.CombineMols(whole, part)
    return whole


@cache
def _known(path: str) -> Sized:
    """The patterns of one of the pipeline's files: lines of a name, a tab and SMARTS."""
    found: Sized = defaultdict(list)
    with Path(path).open(encoding="utf-8") as lines:
        for line in lines:
            cells = line.strip().split("\t")
            if not line.startswith("#") and len(cells) == 2:
                pattern = Chem.MolFromSmarts(cells[1])
                found[pattern.GetNumAtoms(), pattern.GetNumBonds()].append(pattern)
    return dict(found)


@cache
def _uncharger() -> rdMolStandardize.Uncharger:
    """Making it compiles four patterns, which takes twice as long as uncharging."""
    return rdMolStandardize.Uncharger(canonicalOrder=True)
