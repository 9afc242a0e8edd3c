"""The one reader of tables: `init`, `train` and `predict` get their records here, by one set of rules.

CSV, Excel, Parquet, SDF, lists of SMILES, and gzip of them, record by record, in memory that does not grow
with the table. A record that does not fit the table carries its fault: it costs itself alone, and is counted.
"""

import itertools
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from manywalks.chemistry.sdf import sdf_parts, sdf_records
from manywalks.params.sections.data import DataParams
from manywalks.tables.arrow_cells import arrow_text, parquet_columns
from manywalks.tables.csv_header import (
    Layout,
    column_names,
    find_layout,
    is_list,
    refuse_no_header,
    refuse_repeated,
)
from manywalks.tables.csv_rows import Row, is_open, parsed, parsed_plainly, whole_rows
from manywalks.tables.excel import sheet_rows
from manywalks.tables.source import Kind, Source, opened, text_of

# records that are looked at before anything is decided
LOOKED_AT = 200
BATCH = 4096
SAMPLE = 1 << 16
# lines of a line of column names that has line breaks in its cells
MOST_NAME_LINES = 50
# the columns of an SDF that are no data fields: the structure, and the first line of its block
SDF_SMILES, SDF_TITLE = "smiles", "name"


class Raw(NamedTuple):
    """One record: its cells by column, its fault or "", and of an SDF its molecule block."""

    cells: dict[str, str]
    fault: str = ""
    block: str | None = None


@dataclass
class RawTable:
    """An opened table.

    Attributes:
        name: what messages call it.
        columns: names in the table's order; of an SDF those of its first records.
        head: the first records.
        kind: of the file; an SDF's records have molecule blocks.
        records: all of them, once; `read_so_far` says how many bytes of the file that took.
    """

    name: str
    columns: list[str]
    head: list[Raw]
    records: Iterator[Raw]
    kind: Kind = "csv"
    read_so_far: Callable[[], float] = field(default=float)

    @property
    def is_sdf(self) -> bool:
        """Whether records have molecule blocks."""
        return self.kind == "sdf"


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
                table = _text_table(source, text, said.delimiter)
                table.read_so_far = source.raw.tell
                yield table
            except UnicodeError as error:
                given = said.encoding or "Unicode"
                raise ValueError(f"{name}: is not {given} text ({error}); set data.encoding") from None


def _text_table(source: Source, text: IO[str], delimiter: str | None) -> RawTable:
    """Records of an SDF, of a list of SMILES or of a CSV."""
    if source.kind == "sdf":
        return _sdf(text, source.name)
    sample = _sample(text)
    if not sample.strip("\ufeff\r\n\t ;,"):
        raise ValueError(
            f"{source.name}: is empty; a table has a line of column names and one or more records"
        )
    if "\0" in sample:
        raise ValueError(
            f"{source.name}: is not a text table (it holds zero bytes); give CSV, Excel, Parquet or SDF"
        )
    lines = [line for line in sample.lstrip("\ufeff").splitlines() if line.strip()][:LOOKED_AT]
    if source.kind == "lines" and lines[0].startswith("#") and is_list(lines[1:]):
        raise ValueError(f"{source.name}: line 1 ({lines[0]!r}) is a comment; remove it")
    if source.kind == "lines" and is_list(lines):
        return _list(text, source.name)
    return _csv(text, sample, source.name, delimiter)


def _sample(text: IO[str]) -> str:
    """The start of a text, with the whole of its first line however long that is; rewound after."""
    sample = text.read(SAMPLE)
    while sample and "\n" not in sample and "\r" not in sample and (more := text.read(SAMPLE)):
        sample += more
    text.seek(0)
    return sample


def _started(name: str, columns: list[str], source: Iterator[Raw], kind: Kind) -> RawTable:
    """A table whose first records have been looked at."""
    head = list(itertools.islice(source, LOOKED_AT))
    return RawTable(name, columns, head, itertools.chain(head, source), kind)


def _csv(text: IO[str], sample: str, name: str, delimiter: str | None) -> RawTable:
    """A CSV; blank lines are no records, missing last cells are empty."""
    found = find_layout(sample, delimiter)
    header, above = _header(text, found, name)
    names = column_names(header, found.delimiter)
    refuse_repeated([one for one in names if not one.startswith("Unnamed: ")], name)
    rows = (row for row in whole_rows(text, found.delimiter, len(names)) if row.text.strip())
    first = list(itertools.islice(rows, LOOKED_AT))
    refuse_no_header(names, [_plain_cells(row, found.delimiter) for row in first], name)
    every = itertools.chain(first, rows)
    return _started(name, names, (_csv_record(row, names, found.delimiter, above) for row in every), "csv")


def _header(text: IO[str], found: Layout, name: str) -> tuple[str, int]:
    """The line of column names, and the lines of the file up to its end."""
    above, header = 0, ""
    while not header.strip() or above <= found.above:
        if not (header := next(text, "").lstrip("\ufeff")):
            return "", above
        above += 1
    first = above
    # a name may hold a line break
    while is_open(header, found.delimiter):
        line = next(text, "")
        above += 1
        if not line or above - first > MOST_NAME_LINES:
            raise ValueError(
                f"{name}: line {first} opens a quote in the column names and never closes it; remove the "
                "quote, or close it"
            )
        header += line
    return header, above


def _plain_cells(row: Row, delimiter: str) -> list[str]:
    """A row's cells, [] where its quotes are not closed."""
    return parsed(row.text, delimiter) if row.closed else []


def _csv_record(row: Row, names: list[str], delimiter: str, above: int) -> Raw:
    """One row. The cells of one with a stray quote are known where it is otherwise as wide as the header."""
    line = row.line + above
    cells = parsed(row.text, delimiter) if row.closed else parsed_plainly(row.text.rstrip("\r\n"), delimiter)
    if not row.closed:
        known = cells if len(cells) == len(names) else []
        fault = f"line {line}: a quote is opened and not closed, or encloses lines that look like records"
        return Raw(_by_name(names, known), fault)
    if any(cell.strip() for cell in cells[len(names) :]):
        fault = f"line {line}: {len(cells)} cells where the table has {len(names)} columns"
        return Raw(_by_name(names, cells), fault)
    return Raw(_by_name(names, cells))


def _by_name(names: list[str], cells: Sequence[str]) -> dict[str, str]:
    """Cells by column, missing last ones empty."""
    return dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False))


_LISTED = re.compile(r"(\S+(?:[ \t]+\|[^|]*\|)?)\s*(.*)")


def _listed(line: str) -> tuple[str, str] | None:
    """A line of a list of SMILES: the SMILES with its extension, and the name behind it."""
    found = _LISTED.match(line.strip())
    return (found[1], found[2]) if found else None


def _list(text: IO[str], name: str) -> RawTable:
    """A list of SMILES without column names (.smi): a SMILES a line, and what names it."""
    lines = (found for line in text if (found := _listed(line.lstrip("\ufeff"))))
    return _started(
        name, ["smiles", "name"], (Raw({"smiles": one, "name": two}) for one, two in lines), "lines"
    )


def _sdf(text: IO[str], name: str) -> RawTable:
    """An SDF: the molecule block, its first line as `name`, its data fields."""
    table = _started(name, [], _sdf_records(text), "sdf")
    for number, record in enumerate(table.head, start=1):
        if record.fault.startswith("field"):
            raise ValueError(f"{name}: record {number}: {record.fault}; rename or remove all but one of them")
    table.columns = list(
        dict.fromkeys([SDF_SMILES, SDF_TITLE, *(c for one in table.head for c in one.cells)])
    )
    return table


def _sdf_records(text: IO[str]) -> Iterator[Raw]:
    """Records of an SDF. A field may not be there twice with two values, nor be called like our columns."""
    for lines in sdf_records(text):
        block, fields, repeated = sdf_parts(lines)
        cells = {SDF_TITLE: lines[0].strip()}
        cells |= {f"{key} field" if key in (SDF_SMILES, SDF_TITLE) else key: v for key, v in fields.items()}
        fault = f"field {repeated!r} is there more than once, with different values" if repeated else ""
        yield Raw(cells, fault, block)


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
    return _started(source.name, names, (_sheet_record(row, cells, names) for row, cells in every), "excel")


def _sheet_record(row: int, cells: list[str], names: list[str]) -> Raw:
    """One row of a sheet."""
    if len(cells) > len(names):
        return Raw(_by_name(names, cells), f"row {row}: {len(cells)} cells under {len(names)} column names")
    return Raw(_by_name(names, cells))


def _parquet(source: Source, path: Path, wanted: Collection[str] | None) -> RawTable:
    """Batch by batch; only the columns that are wanted are read."""
    try:
        file = pq.ParquetFile(source.stream)
        there = parquet_columns(file, source.name)
        kept = {ours: its for ours, its in there.items() if wanted is None or ours in wanted}
        size, done = path.stat().st_size, [0]
        records = _parquet_records(file, kept or dict(list(there.items())[:1]), source.name, done)
        table = _started(source.name, list(there), records, "parquet")
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
