"""One molecule: a SMILES as written -> its standard parent, or the reason why it has none.

ChEMBL's structure pipeline standardizes and takes the parent; what it leaves open (metals, mixtures,
labels, stereo, tautomers, size) is decided by params. The steps are repeated until nothing changes, so a
standardized SMILES is its own standard form. What they are sure to leave as it is (`settled`) is spared them.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from manywalks.chemistry.elements import SALT_METAL_SMARTS, SALT_METALS, elements, metals_of, without_ions
from manywalks.chemistry.parent import parent, standard_mol, uncharged
from manywalks.chemistry.settled import is_settled
from manywalks.chemistry.written import Refusal, bare, mirrored, parse_written, shown, unmarked
from manywalks.params.sections.curate import CurateParams

_LABEL = re.compile(r"\[\d")
_STEREO = re.compile(r"[@/\\]")
MAX_ROUNDS = 8


class Standardized(NamedTuple):
    """What became of one SMILES: the standard one, or None with a reason code and a sentence.

    `flags` says what was changed or is doubtful about a kept molecule, joined by ";".
    """

    smiles: str | None
    reason: str | None = None
    detail: str | None = None
    flags: str = ""


class Read(NamedTuple):
    """What became of one SMILES, and what RDKit reads in its standard form where that is known already."""

    standard: Standardized
    mol: Chem.Mol | None


def standardize_one(smiles: str, params: CurateParams) -> Standardized:
    """Standardize one SMILES in this process, without a time limit; RDKit's complaints stay silent."""
    return standardize_and_read(smiles, params).standard


def standardize_and_read(smiles: str, params: CurateParams) -> Read:
    """`standardize_one`, for whom goes on with the molecule."""
    with rdBase.BlockLogs():
        try:
            return _standardize(bare(smiles), params)
        except Refusal as refusal:
            return Read(Standardized(None, *refusal.args), None)
        # RDKit and the pipeline raise RuntimeError, ValueError and C++ exceptions of many kinds
        except Exception as error:
            said = f"{type(error).__name__}: {_first_line(error)}"
            return Read(Standardized(None, "failed", said), None)


def _standardize(smiles: str, params: CurateParams) -> Read:
    """The standard form of a stripped cell; a Refusal says why there is none."""
    if not smiles:
        raise Refusal("empty", "the cell is empty")
    flags: set[str] = set()
    mol = parse_written(smiles, flags, polymers=params.polymers == "keep")
    # written canonically first: the pipeline's outcome can depend on the order of the atoms
    current = Chem.MolToSmiles(mol)
    _judge_written(current, params, flags)
    n_parts = current.count(".")
    # a text that RDKit writes as it read it need not be read once more
    if not (current == smiles and _is_settled(current, mol, params)):
        current, mol = _settled(without_ions(current), params, flags)
    _judge(current, params, flags)
    if current.count(".") < n_parts:
        flags.add("parts removed")
    return Read(Standardized(current, flags=";".join(sorted(flags))), mol)


def _settled(current: str, params: CurateParams, flags: set[str]) -> tuple[str, Chem.Mol | None]:
    """Repeat the steps until they change nothing; of a cycle, take its smallest member."""
    seen = [current]
    for _ in range(MAX_ROUNDS):
        mol = Chem.MolFromSmiles(current)
        if mol is None:
            raise Refusal("failed", f"RDKit does not read {shown(current)}, which it wrote")
        if _is_settled(current, mol, params) and Chem.MolToSmiles(mol) == current:
            return current, mol
        current = _canonical(_steps(current, mol, params, flags), seen)
        if current in seen:
            return min(seen[seen.index(current) :]), None
        seen.append(current)
    raise Refusal("failed", f"still changing after {MAX_ROUNDS} rounds: {seen[-2]} and {seen[-1]}")


def _is_settled(smiles: str, mol: Chem.Mol, params: CurateParams) -> bool:
    """Whether neither the pipeline nor the policies will change a molecule; False where that is not sure."""
    if params.tautomers == "canonical" or (params.stereo == "drop" and _STEREO.search(smiles)):
        return False
    return is_settled(smiles, mol)


def _judge_written(smiles: str, params: CurateParams, flags: set[str]) -> None:
    """Policies about the structure as given, read off its SMILES: ten times faster than off its atoms."""
    if "*" in smiles and params.polymers == "reject":
        raise Refusal("polymer", "undefined atom (*) or attachment point")
    if _LABEL.search(smiles):
        if params.isotopes == "reject":
            raise Refusal("isotope", "isotopically labelled")
        flags.add("isotope" if params.isotopes == "keep" else "isotope removed")


def _steps(smiles: str, mol: Chem.Mol, params: CurateParams, flags: set[str]) -> Chem.Mol:
    """One round: metals off their acids, ChEMBL's standardization and parent, the policies, the tautomer."""
    if SALT_METALS & set(elements(smiles)) and mol.HasSubstructMatch(_salt_metal()):
        mol = _disconnector().Disconnect(mol)
    whole = standard_mol(mol)
    mol = parent(whole, labels=params.isotopes == "keep")
    if "C" in elements(smiles) and "C" not in elements(Chem.MolToSmiles(mol)):
        # ethanol is a solvent to the pipeline: of its hydrochloride or sodium salt no carbon would stay
        mol = uncharged(whole)
    if len(Chem.GetMolFrags(mol)) > 1:
        mol = _one_part(mol, params, flags)
    if params.stereo == "drop":
        Chem.RemoveStereochemistry(mol)
    if params.tautomers == "canonical":
        mol = _tautomer(Chem.MolFromSmiles(Chem.MolToSmiles(mol)), params.max_tautomers, flags)
    return mol


def _one_part(mol: Chem.Mol, params: CurateParams, flags: set[str]) -> Chem.Mol:
    """Of several parts, those that policy keeps: carbon first, then by the mixtures policy."""
    if not metals_of(Chem.MolToSmiles(mol)) <= SALT_METALS:
        return (
            mol  # copper or mercury acts itself: its salt is not its acid, and a complex is all its ligands
        )
    parts = {Chem.MolToSmiles(part): part for part in Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)}
    organic = [name for name in parts if "C" in elements(name)]
    if not organic:
        return mol
    if len(organic) == 2 and Chem.CanonSmiles(organic[1]) == mirrored(organic[0]):
        flags.add("racemate")  # both enantiomers side by side
        return unmarked(parts[organic[0]])
    if len(organic) > 1 and params.mixtures == "reject":
        raise Refusal(
            "mixture", f"{len(organic)} different organic parts: {shown(' and '.join(sorted(organic)))}"
        )
    if len(organic) > 1 and params.mixtures == "keep":
        return mol
    if len(organic) > 1:
        flags.add("largest part")
    return parts[max(organic, key=lambda name: (parts[name].GetNumHeavyAtoms(), name))]


def _tautomer(mol: Chem.Mol, limit: int, flags: set[str]) -> Chem.Mol:
    """RDKit's canonical tautomer, or the molecule as it is where there are more than `limit`."""
    outcome = _enumerator(limit).Enumerate(mol)
    if outcome.status != rdMolStandardize.TautomerEnumeratorStatus.Completed:
        flags.add("tautomers over limit")
        return mol
    return _enumerator(limit).PickCanonical(outcome)


def _judge(smiles: str, params: CurateParams, flags: set[str]) -> None:
    """Policies about the standardized molecule as a whole."""
    atoms = elements(smiles)
    if params.inorganics == "reject" and "C" not in atoms:
        raise Refusal("inorganic", f"no carbon in {shown(smiles)}")
    if metals := metals_of(smiles):
        if params.metals == "reject":
            raise Refusal("metal", f"{', '.join(sorted(metals))} stays in the structure")
        flags.add("metal")
    if (n := len(atoms) - atoms.count("H")) > params.max_atoms:
        raise Refusal("too_large", f"{n} heavy atoms, more than {params.max_atoms}")
    if params.stereo in ("flag", "reject"):
        potential = Chem.FindPotentialStereo(Chem.MolFromSmiles(smiles))
        if n := sum(site.specified == Chem.StereoSpecified.Unspecified for site in potential):
            if params.stereo == "reject":
                raise Refusal("stereo", f"{n} unspecified stereo centres or double bonds")
            flags.add("unspecified stereo")


def _canonical(mol: Chem.Mol, seen: list[str]) -> str:
    """The SMILES of a round's outcome, as RDKit writes it having read it back, unless it is one of `seen`."""
    written = Chem.MolToSmiles(mol)
    if written in seen:
        return written
    again = Chem.MolFromSmiles(written)
    if again is None or again.GetNumAtoms() == 0:
        raise Refusal("failed", f"standardizes to {shown(written)}, which RDKit does not read")
    return Chem.MolToSmiles(again)


def _first_line(error: Exception) -> str:
    """What an exception says, on one short line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return shown(lines[0]) if lines else "no message"


@lru_cache(maxsize=1)
def _salt_metal() -> Chem.Mol:
    return Chem.MolFromSmarts(f"{SALT_METAL_SMARTS}~[!#6]")


@lru_cache(maxsize=1)
def _disconnector() -> rdMolStandardize.MetalDisconnector:
    """Cuts the bonds of the salt-forming metals alone: a platinum complex is not a salt."""
    options = rdMolStandardize.MetalDisconnectorOptions()
    disconnector = rdMolStandardize.MetalDisconnector(options)
    disconnector.SetMetalNof(Chem.MolFromSmarts(f"{SALT_METAL_SMARTS}~[N,O,F]"))
    disconnector.SetMetalNon(Chem.MolFromSmarts(f"{SALT_METAL_SMARTS}~[S,Cl,Br,I]"))
    return disconnector


@lru_cache(maxsize=4)
def _enumerator(limit: int) -> rdMolStandardize.TautomerEnumerator:
    """A tautomer enumerator that keeps stereo marks and stops at `limit` tautomers."""
    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetMaxTautomers(limit)
    enumerator.SetMaxTransforms(5 * limit)
    enumerator.SetRemoveSp3Stereo(False)
    enumerator.SetRemoveBondStereo(False)
    return enumerator
