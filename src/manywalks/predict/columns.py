"""What a record of a table to be scored is, and which columns of the table hold it."""

from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
from rdkit import Chem, rdBase

from manywalks.data.guess import SMILES_NAMES, find_smiles

ID_NAMES = ("id", "name", "mol_id", "compound_id", "molecule_id")
Kind = Literal["smiles", "block"]


class Record(NamedTuple):
    """One record: name, molecule as SMILES or SDF block, cells to carry along, and its fault or ""."""

    id: str
    kind: Kind
    text: str
    kept: tuple[str, ...] = ()
    fault: str = ""


class Want(NamedTuple):
    """Which columns: those that the user names, those of the model's training table, those to keep."""

    smiles: str | None = None
    id: str | None = None
    keep: tuple[str, ...] = ()
    trained_smiles: str | None = None
    trained_id: str | None = None


class NoTable(ValueError):
    """A file that holds no molecules."""


class Picked(NamedTuple):
    """The columns of one file."""

    smiles: str
    id: str | None
    keep: tuple[str, ...]

    def record(self, cells: dict[str, str], fault: str = "") -> Record:
        """A record from its cells by column."""
        name = cells.get(self.id, "") if self.id else ""
        kept = tuple(cells.get(column, "") for column in self.keep)
        return Record(name, "smiles", cells.get(self.smiles, ""), kept, fault)


def pick(columns: list[str], head: pd.DataFrame, want: Want, path: Path) -> Picked:
    """Which columns hold SMILES, identifier and what is to be kept; `head` holds the first records."""
    for option, column in (
        ("--smiles", want.smiles),
        ("--id", want.id),
        *(("--keep", name) for name in want.keep),
    ):
        if column is not None and column not in columns:
            raise ValueError(f"{path}: no column {column!r} (columns: {', '.join(columns)}); change {option}")
    lower = {name.lower(): name for name in reversed(columns)}
    named = next((lower[name] for name in SMILES_NAMES if name in lower), None)
    trained = want.trained_smiles if want.trained_smiles in columns else None
    smiles = want.smiles or trained or named or _smiles_by_content(head, path)
    known = want.trained_id if want.trained_id in columns else None
    found = next((lower[name] for name in ID_NAMES if name in lower), None)
    return Picked(smiles, want.id or known or found, want.keep)


def _smiles_by_content(head: pd.DataFrame, path: Path) -> str:
    """The column whose cells are molecules; a file without a line of names would lose its first molecule."""
    try:
        found = find_smiles(head, str(path))
    except ValueError:
        columns = ", ".join(map(repr, head.columns))
        found = next((name for name in head.columns if _is_molecule(name, atoms=3)), None)
        if found is None:
            raise NoTable(
                f"{path}: no column holds SMILES (columns: {columns}); name it with --smiles"
            ) from None
    if _is_molecule(found):
        raise ValueError(
            f"{path}: its first line, {found!r}, is a molecule; put a line of column names above"
        )
    return found


def _is_molecule(text: str, *, atoms: int = 2) -> bool:
    """Whether a column's name is a SMILES of so many atoms; C, N or I, and CO or NO, are names as well."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(text)
    return molecule is not None and molecule.GetNumAtoms() >= atoms
