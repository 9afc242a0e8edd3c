"""Structures as short text, from which the page writes an SDF without knowing any chemistry."""

from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor

# a V2000 connection table has three digits for a number of atoms or bonds
MOST_ATOMS = 999


def short_block(smiles: str) -> str:
    """A V2000 connection table in about a fifth of its length; empty where there is none.

    Four parts, split by "/": atoms as symbol, x and y in hundredths of an Angstrom, "C-150,75"; bonds as
    begin, end, order and stereo, "1,2,2,0"; each separated by spaces; the chiral flag; lines of properties
    (charges, isotopes), split by "|".
    """
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        if mol is None or not 0 < mol.GetNumAtoms() <= MOST_ATOMS or mol.GetNumBonds() > MOST_ATOMS:
            return ""
        rdDepictor.Compute2DCoords(mol)
        lines = Chem.MolToV2KMolBlock(mol).splitlines()
    atoms, bonds = int(lines[3][:3]), int(lines[3][3:6])
    first, last = 4 + atoms, 4 + atoms + bonds
    return "/".join(
        (
            " ".join(_atom(line) for line in lines[4:first]),
            " ".join(_bond(line) for line in lines[first:last]),
            lines[3][12:15].strip(),
            "|".join(line for line in lines[last:] if line != "M  END"),
        )
    )


def _atom(line: str) -> str:
    """An atom's line: symbol and place."""
    x, y = (round(100 * float(part)) for part in (line[:10], line[10:20]))
    return f"{line[31:34].strip()}{x},{y}"


def _bond(line: str) -> str:
    """A bond's line: two atoms, order, stereo."""
    return ",".join(str(int(line[start : start + 3] or 0)) for start in (0, 3, 6, 9))
