"""Whole tables as frames of text, read by `reader`."""

from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rdkit import rdBase

from manywalks.chemistry.sdf import block_smiles
from manywalks.tables.raw import Raw, RawTable
from manywalks.tables.reader import Format, open_table
from manywalks.tables.text_table import SDF_SMILES

# records read at a time: 50,000 of 48 columns are 200 MB before any is left out
CHUNK = 10_000


class Whole(NamedTuple):
    """A table of n records.

    Attributes:
        frame: every cell as text, "" where the table has nothing; row i is record i + 1 of the file.
        faults: row -> what does not fit the table; its cells may be empty or wrong.
        is_sdf: whether the structures were molecule blocks.
    """

    frame: pd.DataFrame
    faults: dict[int, str]
    is_sdf: bool


def read_table(
    path: Path, *, said: Format | None = None, columns: Collection[str] | None = None
) -> pd.DataFrame:
    """The frame of `read_whole`."""
    return read_whole(path, said=said, columns=columns).frame


def read_whole(
    path: Path, *, name: str = "", said: Format | None = None, columns: Collection[str] | None = None
) -> Whole:
    """Read a table of n records (blank lines are no records); a ValueError says what is wrong with the file.

    Args:
        name: what messages call the file (default: its path).
        said: delimiter and encoding of a CSV, sheet of a workbook, where they are known.
        columns: those to keep (default: all). Where the table lacks one of them all are kept, so that what is
            said of the missing one can name those that are there.
    """
    said = said or Format()
    with open_table(path, name=name, said=said, wanted=columns) as table:
        kept = _kept(table, columns)
        if kept is None and columns is not None and not table.is_sdf:
            return read_whole(path, name=name, said=said)
        faults: dict[int, str] = {}
        pieces = []
        while records := list(islice(table.records, CHUNK)):
            start = sum(map(len, pieces))
            faults |= {start + i: one.fault for i, one in enumerate(records) if one.fault}
            pieces.append(_frame(records, kept, table))
        if not pieces:  # nothing to learn from; a prediction of nothing is an empty table
            raise ValueError(
                f"{table.name}: holds no records; a table has a line of column names and one or more records"
            )
        frame = pd.concat(pieces, ignore_index=True)
        if table.is_sdf:
            _refuse_unreadable(frame, table.name)
        return Whole(frame.fillna("") if table.is_sdf else frame, faults, table.is_sdf)


def known_columns(path: Path, *, name: str = "", said: Format | None = None) -> list[str] | None:
    """A table's columns, read off its start; None of an SDF, where any record may have more."""
    with open_table(path, name=name, said=said or Format()) as table:
        return None if table.is_sdf else table.columns


def _kept(table: RawTable, columns: Collection[str] | None) -> list[str] | None:
    """The columns to keep; None for all that there are (any record of an SDF may have more)."""
    if columns is not None and set(columns) <= set(table.columns):
        return [column for column in table.columns if column in columns]
    return None if table.is_sdf or columns is not None else table.columns


def _frame(records: list[Raw], kept: list[str] | None, table: RawTable) -> pd.DataFrame:
    """Some records as a frame; of an SDF with its structures as SMILES."""
    rows = [record.cells for record in records]
    if table.is_sdf:
        with rdBase.BlockLogs():
            rows = [{SDF_SMILES: block_smiles(one.block or ""), **one.cells} for one in records]
    if kept is None:
        return pd.DataFrame(rows, dtype="str")
    return pd.DataFrame({name: pd.Series([r.get(name, "") for r in rows], dtype="str") for name in kept})


def _refuse_unreadable(frame: pd.DataFrame, name: str) -> None:
    """An SDF none of whose molecule blocks can be read says why, once."""
    cells = frame[SDF_SMILES].tolist() if SDF_SMILES in frame else []
    if cells and all(cell.startswith("(unparsable: ") for cell in cells):
        why = cells[0].removeprefix("(unparsable: the molecule block cannot be read: ").removesuffix(")")
        raise ValueError(f"{name}: RDKit reads none of its {len(cells)} molecule blocks ({why})")


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table with every cell as text: numbers as Python writes them, missing cells ""."""
    return pd.DataFrame(
        {str(name): _text_column(pd.Series(frame[name])) for name in frame}, index=frame.index
    )


def _text_column(column: pd.Series) -> pd.Series:
    if pd.api.types.is_string_dtype(column.dtype) and not column.isna().any():
        return column
    return column.astype(object).where(column.notna(), "").astype(str)
