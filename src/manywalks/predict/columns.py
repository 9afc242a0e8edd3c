"""What a record of a table to be scored is, and which columns of the table hold it."""

from typing import Literal, NamedTuple

import pandas as pd

from manywalks.data.guess.companions import find_id
from manywalks.data.guess.guess import find_smiles
from manywalks.tables.names import hint, listed
from manywalks.tables.raw import Raw, RawTable
from manywalks.tables.text_table import SDF_TITLE

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
    """Which columns: those that the user names, those of the model's training table, those to keep.

    `sheet` is that of an Excel workbook (default: the first).
    """

    smiles: str | None = None
    id: str | None = None
    keep: tuple[str, ...] = ()
    trained_smiles: str | None = None
    trained_id: str | None = None
    sheet: str | None = None


class NoTable(ValueError):
    """A file that holds no molecules."""


class Picked(NamedTuple):
    """The columns of one file; `smiles` is None where records have molecule blocks."""

    smiles: str | None
    id: str | None
    keep: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """Those that are read, each once."""
        return list(dict.fromkeys(filter(None, (self.smiles, self.id, *self.keep))))

    def sentence(self) -> str:
        """Which columns are taken, in words."""
        structures = (
            "structures from molecule blocks" if self.smiles is None else f"SMILES from {self.smiles!r}"
        )
        return f"{structures}, ids from {self.id!r}" if self.id else f"{structures}, row numbers as ids"

    def record(self, raw: Raw) -> Record:
        """A record from its cells by column."""
        name = raw.cells.get(self.id, "") if self.id else ""
        kept = tuple(raw.cells.get(column, "") for column in self.keep)
        if self.smiles is None:
            return Record(name, "block", raw.block or "", kept, raw.fault)
        return Record(name, "smiles", raw.cells.get(self.smiles, ""), kept, raw.fault)


def pick(table: RawTable, want: Want) -> Picked:
    """Which columns hold SMILES, identifier and what is to be kept."""
    columns = table.columns
    asked = [("--id", want.id), *(("--keep", name) for name in want.keep)]
    for option, column in asked if table.is_sdf else [("--smiles", want.smiles), *asked]:
        if column is not None and column not in columns:
            what = "no record has a field" if table.is_sdf else "no column"
            raise ValueError(f"{table.name}: {what} {column!r}; {hint(column, columns)} (change {option})")
    smiles = None if table.is_sdf else _smiles_column(table, want)
    return Picked(smiles, want.id or _id_column(table, want, smiles), want.keep)


def _smiles_column(table: RawTable, want: Want) -> str:
    """The column that is named, that of the training table, or the one found by name or content."""
    for column in (want.smiles, want.trained_smiles):
        if column in table.columns:
            return str(column)
    head = [record.cells for record in table.head if not record.fault]
    try:
        return find_smiles(pd.DataFrame(head, columns=pd.Index(table.columns), dtype="str"), table.name)
    except ValueError:
        raise NoTable(
            f"{table.name}: no column holds SMILES; it has {listed(table.columns)}; name it with --smiles"
        ) from None


def _id_column(table: RawTable, want: Want, smiles: str | None) -> str | None:
    """The training table's, an SDF's first lines if they say something, a usual name, or one by its cells."""
    if want.trained_id in table.columns:
        return want.trained_id
    if table.is_sdf and any(record.cells[SDF_TITLE] for record in table.head):
        return SDF_TITLE
    # an SDF has a column of first lines even where these are empty
    columns = [name for name in table.columns if not (table.is_sdf and name == SDF_TITLE)]
    lower = {name.lower(): name for name in reversed(columns)}
    if usual := next((lower[name] for name in ID_NAMES if name in lower), None):
        return usual
    head = [record for record in table.head if not record.fault]
    molecules = pd.Series([one.block or one.cells.get(smiles or "", "") for one in head], dtype="str")
    others = [name for name in columns if name != smiles]
    cells = pd.DataFrame({c: pd.Series([one.cells.get(c, "") for one in head], dtype="str") for c in others})
    return find_id(cells, others, molecules) if head else None
