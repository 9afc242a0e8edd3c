"""The forms that predictions are written in: Parquet, CSV, Excel, SDF; the same rows and columns in each."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor

from manywalks.tables.csv_rows import no_formula

# of a sheet; the first row has the column names
EXCEL_ROWS = 1_048_576 - 1
# what XML cannot hold, and Excel calls a damaged file
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def check_form(output: Path) -> None:
    """Refuse a name that ends in none of the forms (ValueError)."""
    if output.suffix not in WRITERS:
        raise ValueError(
            f"{output}: {output.suffix!r} is no format of predictions; end it in {', '.join(WRITERS)}, or "
            "give - for CSV on standard output"
        )


def write_tables(path: Path, suffix: str, fields: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write predictions, some rows at a time, in the form that `suffix` (.csv ...) names."""
    WRITERS[suffix](path, fields, tables)


def _parquet(path: Path, fields: pa.Schema, tables: Iterable[pa.Table]) -> None:
    with pq.ParquetWriter(path, fields) as writer:
        for table in tables:
            writer.write_table(table)


def _csv(path: Path, fields: pa.Schema, tables: Iterable[pa.Table]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        handle.write(fields.empty_table().to_pandas().to_csv(index=False))
        for table in tables:
            frame = csv_frame(table, fields)
            frame.to_csv(handle, index=False, header=False)


def _excel(path: Path, fields: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """One sheet; a text stays a text, whatever it begins with."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("predictions")

    def cell(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        made = WriteOnlyCell(sheet, _CONTROL.sub(" ", value))
        made.data_type = "s"  # openpyxl takes what begins with = for a formula
        return made

    sheet.append([cell(name) for name in fields.names])
    rows = 0
    for table in tables:
        rows += len(table)
        if rows > EXCEL_ROWS:
            raise ValueError(f"an Excel sheet holds {EXCEL_ROWS:,} rows at most; write .parquet or .csv")
        frame = _frame(table).astype(object)
        for values in frame.where(frame.notna(), None).to_numpy(dtype=object).tolist():
            sheet.append([cell(value) for value in values])
    book.save(path)


def _sdf(path: Path, fields: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """A molecule block for each row, empty where it has no prediction; the columns are its data fields."""
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for table in tables:
            frame = _frame(table).astype(object)
            for row in frame.where(frame.notna(), None).to_dict("records"):
                handle.write(_record({str(name): value for name, value in row.items()}))


def _record(row: dict[str, Any]) -> str:
    """One record of an SDF."""
    with rdBase.BlockLogs():
        found = Chem.MolFromSmiles(row["standardized"]) if row["standardized"] else None
        mol = found or Chem.Mol()
        rdDepictor.Compute2DCoords(mol)
    mol.SetProp("_Name", _line(row["id"]))
    data = (f">  <{name}>\n{_line(value)}\n" for name, value in row.items() if value not in (None, ""))
    return "\n".join([Chem.MolToMolBlock(mol).rstrip("\n"), *data, "$$$$\n"])


def _line(value: Any) -> str:
    """A value as one line; $$$$ at its start would end the record."""
    text = " ".join(str(value).split())
    return f" {text}" if text.startswith(("$$$$", ">")) else text


def _frame(table: pa.Table) -> pd.DataFrame:
    """Rows as text files show them."""
    # whole numbers stay so beside empty cells
    frame = table.to_pandas(integer_object_nulls=True)
    # networks compute in float32: the digits beyond it mean nothing
    floats = frame.select_dtypes("float64").columns
    return frame.astype(dict.fromkeys(floats, "float32"))


def csv_frame(table: pa.Table, fields: pa.Schema) -> pd.DataFrame:
    """Rows as CSV shows them."""
    frame = _frame(table)
    for name in fields.names:
        if fields.field(name).type == pa.string():
            frame[name] = frame[name].map(no_formula, na_action="ignore")
    return frame


WRITERS: dict[str, Callable[[Path, pa.Schema, Iterable[pa.Table]], None]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".xlsx": _excel,
    ".sdf": _sdf,
}
