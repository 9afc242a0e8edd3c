"""The one reader of tables: `init`, `train` and `predict` get their records here, by one set of rules.

CSV, Excel, Parquet, SDF, lists of SMILES, and gzip of them, record by record, in memory that does not grow
with the table. A record that does not fit the table carries its fault: it costs itself alone, and is counted.
"""

import itertools
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from manywalks.params.sections.data import DataParams
from manywalks.tables.arrow_cells import arrow_text, parquet_columns
from manywalks.tables.csv_header import refuse_no_header, refuse_repeated
from manywalks.tables.excel import sheet_rows
from manywalks.tables.raw import LOOKED_AT, Raw, RawTable, by_name, started
from manywalks.tables.source import Source, opened, text_of
from manywalks.tables.text_table import text_table

BATCH = 4096


class Format(NamedTuple):
    """What the user says of a file: a CSV's delimiter and encoding, a workbook's sheet; found where None."""

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None

    @classmethod
    def of(cls, data: DataParams) -> "Format":
        """What params.yaml says of the table."""
        return cls(data.delimiter, data.encoding, data.sheet)


FOUND = Format()


@contextmanager
def open_table(
    path: Path, *, name: str = "", said: Format = FOUND, wanted: Collection[str] | None = None
) -> Iterator[RawTable]:
    """Open a table; a ValueError says in one line why it is none.

    Args:
        name: what messages call the file (default: its path).
        wanted: columns of a Parquet file to read (default: all).
    """
    name = name or str(path)
    with opened(path, name) as source:
        if said.sheet is not None and source.kind != "excel":
            raise ValueError(f"{name}: is no Excel workbook and has no sheets; leave out the sheet")
        if source.kind == "parquet":
            yield _parquet(source, path, wanted)
            return
        if source.kind == "excel":
            yield _excel(source, said.sheet)
            return
        with text_of(source, said.encoding) as text:
            try:
                table = text_table(source, text, said.delimiter)
                table.read_so_far = source.raw.tell
                yield table
            except UnicodeError as error:
                given = said.encoding or "Unicode"
                raise ValueError(f"{name}: is not {given} text ({error}); set data.encoding") from None


def _excel(source: Source, sheet: str | None) -> RawTable:
    """The named or the first sheet of a workbook, by the rules of a CSV."""
    rows = sheet_rows(source.stream, source.name, sheet)
    _, header = next(rows, (0, []))
    if not header:
        which = "its first sheet" if sheet is None else f"its sheet {sheet!r}"
        raise ValueError(
            f"{source.name}: {which} is empty; name the one with the table (data.sheet, --sheet)"
        )
    names = [cell.strip() or f"Unnamed: {place}" for place, cell in enumerate(header)]
    refuse_repeated([one for one in names if not one.startswith("Unnamed: ")], source.name)
    first = list(itertools.islice(rows, LOOKED_AT))
    refuse_no_header(names, [cells for _, cells in first], source.name)
    every = itertools.chain(first, rows)
    return started(source.name, names, (_sheet_record(row, cells, names) for row, cells in every), "excel")


def _sheet_record(row: int, cells: list[str], names: list[str]) -> Raw:
    """One row of a sheet."""
    if len(cells) > len(names):
        return Raw(by_name(names, cells), f"row {row}: {len(cells)} cells under {len(names)} column names")
    return Raw(by_name(names, cells))


def _parquet(source: Source, path: Path, wanted: Collection[str] | None) -> RawTable:
    """Batch by batch; only the columns that are wanted are read."""
    try:
        file = pq.ParquetFile(source.stream)
        there = parquet_columns(file, source.name)
        kept = {ours: its for ours, its in there.items() if wanted is None or ours in wanted}
        size, done = path.stat().st_size, [0]
        records = _parquet_records(file, kept or dict(list(there.items())[:1]), source.name, done)
        table = started(source.name, list(there), records, "parquet")
    except (OSError, pa.ArrowException) as error:
        raise ValueError(_damaged(source.name, error)) from None
    table.read_so_far = lambda: size * done[0] / max(1, file.metadata.num_rows)
    return table


def _parquet_records(
    file: pq.ParquetFile, names: dict[str, str], name: str, done: list[int]
) -> Iterator[Raw]:
    """Records of a Parquet file; `names` are columns as we and as it call them, `done` counts records."""
    try:
        for batch in file.iter_batches(batch_size=BATCH, columns=list(names.values())):
            frame = arrow_text(batch)
            done[0] += len(frame)
            columns = [frame[its].tolist() for its in names.values()]
            for cells in zip(*columns, strict=True):
                yield Raw(dict(zip(names, cells, strict=True)))
    except (OSError, pa.ArrowException) as error:
        raise ValueError(_damaged(name, error)) from None


def _damaged(name: str, error: Exception) -> str:
    """What is said of a damaged file."""
    return f"{name}: is a damaged Parquet file ({' '.join(str(error).split())}); copy it again"
