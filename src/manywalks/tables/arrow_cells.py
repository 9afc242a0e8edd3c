"""Parquet's cells as text, whatever their type."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from manywalks.tables.csv_header import refuse_repeated


def parquet_columns(file: pq.ParquetFile, name: str) -> dict[str, str]:
    """A Parquet file's columns, each as a CSV would call it and as the file does.

    pandas' index is one of them where it has a name.
    """
    refuse_repeated([one.strip() for one in file.schema_arrow.names], name)
    return {
        written.strip() or f"Unnamed: {place}": written
        for place, written in enumerate(file.schema_arrow.names)
        if not written.startswith("__index_level_")
    }


def arrow_text(data: pa.Table | pa.RecordBatch) -> pd.DataFrame:
    """Arrow's columns with every cell as text, "" where there is none."""
    columns = {name: _column_text(data.column(name)) for name in data.schema.names}
    return pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in columns.items()})


def _column_text(column: Any) -> list[str]:
    """A column's cells as text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _column_text(column.cast(kind.value_type))
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # 0.1 in 32 bits is 0.10000000149 in 64
        written = np.float32 if pa.types.is_float32(kind) else np.float16
        return ["" if _is_none(cell) else str(written(cell)) for cell in column.to_pylist()]
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    return [cell_text(cell) for cell in column.to_pylist()]


def cell_text(cell: Any) -> str:
    """One cell: numbers as Python writes them, a day as 2020-01-31, bytes as UTF-8."""
    if isinstance(cell, str):
        return cell
    if _is_none(cell):
        return ""
    if isinstance(cell, bytes):
        return _bytes_text(cell)
    text = str(cell)
    return text.removesuffix(" 00:00:00") if hasattr(cell, "hour") and hasattr(cell, "day") else text


def _bytes_text(cell: bytes) -> str:
    """Bytes that are text as that, others (a UUID) as hexadecimal digits, so that different ones stay so."""
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return cell.hex()


def _is_none(cell: Any) -> bool:
    """Whether a cell holds nothing: none, or a number that is none."""
    return cell is None or (isinstance(cell, float) and cell != cell)
