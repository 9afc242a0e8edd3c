"""What worker processes do for a service: all that RDKit does with a structure that a stranger sent.

Each text starts with a letter that says what is asked. A text that hangs or ends its process costs itself
alone (runtime/worker_pool.py).
"""

import json
from collections.abc import Callable
from typing import Any

from rdkit import Chem, rdBase

from manywalks.ensemble.explain import without_atom
from manywalks.featurize.molecule import Failure, featurize_molecule, read_blocks
from manywalks.predict import molecule_worker
from manywalks.report import drawing
from manywalks.runtime.worker_pool import WithBytes

MOLECULES, TOOLS = f"{__name__}:molecules", f"{__name__}:tools"
# features of a SMILES as it is; its drawing; what is left of it without each atom; its block; a substructure
FEATURES, DRAW, PARTS, MOL_BLOCK, MATCH = "f", "d", "w", "m", "q"
# larger molecules are drawn and explained on their owner's machine
MOST_ATOMS = 150


def molecules(given: dict[str, Any]) -> Callable[[str], Any]:
    """For a model's settings: molecules as `manywalks predict` takes them, or features alone."""
    predicted = molecule_worker.worker(given)
    blocks = read_blocks(given["blocks"])

    def one(text: str) -> Any:
        if text[0] != FEATURES:
            return predicted(text)
        found = featurize_molecule(text[1:], blocks)
        return found if isinstance(found, Failure) else WithBytes(None, found.to_bytes())

    return one


def tools(_: Any) -> Callable[[str], Any]:
    """What a page asks of structures; None where one cannot be read or is too large."""
    acts = {DRAW: drawn, PARTS: parts, MOL_BLOCK: mol_block, MATCH: matches}

    def one(text: str) -> Any:
        with rdBase.BlockLogs():
            return acts[text[0]](text[1:])

    return one


def drawn(smiles: str) -> str | None:
    """The molecule as a whole SVG element."""
    mol = _read(smiles)
    if mol is None or drawing.why_not():
        return None
    return drawing.framed(drawing.draw_mol(mol).inside, smiles)


def parts(smiles: str) -> list[str | None] | None:
    """What is left of a molecule without each of its atoms, in their order."""
    mol = _read(smiles)
    return None if mol is None else [without_atom(mol, index) for index in range(mol.GetNumAtoms())]


def mol_block(smiles: str) -> str | None:
    """The molecule as a block of an SDF, with coordinates."""
    from rdkit.Chem.rdDepictor import Compute2DCoords

    mol = _read(smiles)
    if mol is None:
        return None
    Compute2DCoords(mol)
    return Chem.MolToMolBlock(mol)


def matches(query: str) -> list[bool | None] | None:
    """Whether each of some molecules holds a substructure; None for a SMARTS that cannot be read."""
    asked = json.loads(query)
    pattern = Chem.MolFromSmarts(asked["smarts"])
    if pattern is None or pattern.GetNumAtoms() == 0:
        return None
    found: list[bool | None] = []
    for smiles in asked["smiles"]:
        mol = _read(smiles)
        found.append(None if mol is None else mol.HasSubstructMatch(pattern))
    return found


def _read(smiles: str) -> Chem.Mol | None:
    """A molecule of some atoms, not too many."""
    mol = Chem.MolFromSmiles(smiles)
    return mol if mol is not None and 0 < mol.GetNumAtoms() <= MOST_ATOMS else None
