"""An Excel workbook's first sheet: its rows as cells of text."""

import zipfile
from collections.abc import Iterator
from typing import IO, Any

from manywalks.tables.arrow_cells import cell_text

# what openpyxl raises for an archive that is no workbook, or a damaged one
_NO_WORKBOOK = (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError)


def sheet_rows(stream: IO[bytes], name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet that hold anything, each with its number in the sheet, from 1.

    Cells hold values, not formulas; a formula that Excel has never computed is an empty cell.

    Raises:
        ValueError: no Excel workbook.
    """
    # imported here: a third of a second that other tables do not need
    from openpyxl import load_workbook

    try:
        book = load_workbook(stream, read_only=True, data_only=True)
        sheet: Any = book.worksheets[0] if book.worksheets else None
    except _NO_WORKBOOK as error:
        raise ValueError(
            f"{name}: is no Excel workbook that can be read ({' '.join(str(error).split())}); "
            "save it as .xlsx or CSV, or unpack the archive"
        ) from None
    if sheet is None:
        raise ValueError(f"{name}: the workbook has no sheet of cells; give one with the table")
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield number, cells


def _text(cell: Any) -> str:
    """One cell. Excel keeps every number as a float: 5.0 is written 5, as the sheet shows it."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return cell_text(cell)
