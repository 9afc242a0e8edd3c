"""A sheet of an Excel workbook: its rows as cells of text."""

import zipfile
from collections.abc import Iterator
from typing import IO, Any

from manywalks.tables.arrow_cells import cell_text
from manywalks.tables.names import hint

# what openpyxl raises for an archive that is no workbook, or a damaged one
_NO_WORKBOOK = (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError)


def sheet_rows(stream: IO[bytes], name: str, sheet: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """The rows of a sheet that hold anything, each with its number in the sheet, from 1.

    Cells hold values, not formulas; a formula that Excel has never computed is an empty cell.

    Args:
        sheet: its name (default: the first).

    Raises:
        ValueError: no Excel workbook, or no such sheet in it.
    """
    found = _sheet(_workbook(stream, name), name, sheet)
    for number, row in enumerate(found.iter_rows(values_only=True), start=1):
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield number, cells


def sheet_names(stream: IO[bytes], name: str) -> list[str]:
    """The names of a workbook's sheets of cells, in their order."""
    return [sheet.title for sheet in _workbook(stream, name).worksheets]


def _workbook(stream: IO[bytes], name: str) -> Any:
    """The opened workbook."""
    # imported here: a third of a second that other tables do not need
    from openpyxl import load_workbook

    try:
        return load_workbook(stream, read_only=True, data_only=True)
    except _NO_WORKBOOK as error:
        raise ValueError(
            f"{name}: is no Excel workbook that can be read ({' '.join(str(error).split())}); "
            "save it as .xlsx or CSV, or unpack the archive"
        ) from None


def _sheet(book: Any, name: str, sheet: str | None) -> Any:
    """The named sheet of a workbook, or its first."""
    if not book.worksheets:
        raise ValueError(f"{name}: the workbook has no sheet of cells; give one with the table")
    there = {one.title: one for one in book.worksheets}
    if sheet is None:
        return book.worksheets[0]
    if sheet not in there:
        raise ValueError(f"{name}: no sheet {sheet!r}; {hint(sheet, list(there))} (data.sheet, --sheet)")
    return there[sheet]


def _text(cell: Any) -> str:
    """One cell. Excel keeps every number as a float: 5.0 is written 5, as the sheet shows it."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return cell_text(cell)
