"""Records of tables that are text: CSV, lists of SMILES, SDF."""

import itertools
import re
from collections.abc import Iterator
from typing import IO

from manywalks.chemistry.sdf import sdf_parts, sdf_records
from manywalks.tables.csv_header import (
    Layout,
    column_names,
    find_layout,
    is_list,
    refuse_no_header,
    refuse_repeated,
)
from manywalks.tables.csv_rows import Row, is_open, parsed, parsed_plainly, whole_rows
from manywalks.tables.raw import LOOKED_AT, Raw, RawTable, by_name, started
from manywalks.tables.source import Source

SAMPLE = 1 << 16
# lines of a line of column names that has line breaks in its cells
MOST_NAME_LINES = 50
# the columns of an SDF that are no data fields: the structure, and the first line of its block
SDF_SMILES, SDF_TITLE = "smiles", "name"


def text_table(source: Source, text: IO[str], delimiter: str | None) -> RawTable:
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
    return started(name, names, (_csv_record(row, names, found.delimiter, above) for row in every), "csv")


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
        return Raw(by_name(names, known), fault)
    if any(cell.strip() for cell in cells[len(names) :]):
        fault = f"line {line}: {len(cells)} cells where the table has {len(names)} columns"
        return Raw(by_name(names, cells), fault)
    return Raw(by_name(names, cells))


_LISTED = re.compile(r"(\S+(?:[ \t]+\|[^|]*\|)?)\s*(.*)")


def _listed(line: str) -> tuple[str, str] | None:
    """A line of a list of SMILES: the SMILES with its extension, and the name behind it."""
    found = _LISTED.match(line.strip())
    return (found[1], found[2]) if found else None


def _list(text: IO[str], name: str) -> RawTable:
    """A list of SMILES without column names (.smi): a SMILES a line, and what names it."""
    lines = (found for line in text if (found := _listed(line.lstrip("\ufeff"))))
    return started(
        name, ["smiles", "name"], (Raw({"smiles": one, "name": two}) for one, two in lines), "lines"
    )


def _sdf(text: IO[str], name: str) -> RawTable:
    """An SDF: the molecule block, its first line as `name`, its data fields."""
    table = started(name, [], _sdf_records(text), "sdf")
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
