"""Tables of any size, record by record: CSV, Parquet, SDF, gzip of them, a folder of them, standard input.

`tables.read_table` refuses a table with a damaged record, since a model shall not be trained on it. Here a
table may be too large to mend, so a damaged record is a record too: it carries its fault, and costs itself
alone.
"""

import contextlib
import csv
import gzip
import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rdkit import Chem, rdBase

from manywalks.tasks.csv_rows import Row, parsed, whole_rows
from manywalks.tasks.inspect_table import LOOKED_AT, SMILES_NAMES, find_smiles
from manywalks.tasks.sdf import sdf_parts, sdf_records
from manywalks.tasks.tables import as_text, find_delimiter, find_encoding

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".sdf", ".sd")
ID_NAMES = ("id", "name", "mol_id", "compound_id", "molecule_id")
BATCH = 4096
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


class Scan:
    """The records of some files, in order; `share` says how much of them has been read."""

    def __init__(self, paths: list[Path], want: Want) -> None:
        """A ValueError names a file that is not there."""
        for path in paths:
            if not path.is_file():
                raise ValueError(f"{path}: no such file")
        self._paths = paths
        self._want = want
        self._total = sum(path.stat().st_size for path in paths) or 1
        self._before = 0
        self._within: Callable[[], float] = float

    @property
    def share(self) -> float:
        """Read so far, 0 to 1, by the bytes of the files."""
        return min(1.0, (self._before + self._within()) / self._total)

    def records(self) -> Iterator[Record]:
        """Every record of every file."""
        row = 0
        for path in self._paths:
            for record in self._of_file(path):
                row += 1
                yield record if record.id else record._replace(id=str(row))
            self._before += path.stat().st_size
            self._within = float

    def _of_file(self, path: Path) -> Iterator[Record]:
        """The records of one file; the format is found by its content, then by its suffix."""
        with ExitStack() as stack:
            raw = stack.enter_context(path.open("rb"))
            stream: IO[bytes] = raw
            if raw.peek(2)[:2] == b"\x1f\x8b":
                stream = stack.enter_context(gzip.open(raw, "rb"))  # pyright: ignore
            self._within = raw.tell
            try:
                start = stream.read(1 << 16)
                stream.seek(0)
                if start[:4] == b"PAR1":
                    yield from self._parquet(stream, path)
                else:
                    yield from self._text(stream, start, path)
            except (EOFError, gzip.BadGzipFile) as error:
                raise ValueError(f"{path}: is a damaged gzip file ({error}); copy it again") from None

    def _parquet(self, stream: IO[bytes], path: Path) -> Iterator[Record]:
        """Row group by row group; only the columns that are wanted are read."""
        try:
            file = pq.ParquetFile(stream)
            first = next(file.iter_batches(batch_size=LOOKED_AT), None)
            head = as_text(first.to_pandas()) if first is not None else pd.DataFrame()
            picked = pick(list(file.schema_arrow.names), head, self._want, path)
            size, rows = path.stat().st_size, 0
            names = list(dict.fromkeys(filter(None, (picked.smiles, picked.id, *self._want.keep))))
            for batch in file.iter_batches(batch_size=BATCH, columns=names):
                frame = as_text(batch.to_pandas())
                rows += len(frame)
                self._within = lambda rows=rows: size * rows / max(1, file.metadata.num_rows)
                columns = [frame[name].tolist() for name in names]
                for cells in zip(*columns, strict=True):
                    yield picked.record(dict(zip(names, cells, strict=True)))
        except (OSError, pa.ArrowInvalid) as error:
            said = " ".join(str(error).split())
            raise ValueError(f"{path}: is a damaged Parquet file ({said}); copy it again") from None

    def _text(self, stream: IO[bytes], start: bytes, path: Path) -> Iterator[Record]:
        """SDF or CSV; a byte that is not of the encoding costs its record alone."""
        # a stream that a TextIOWrapper has taken is closed with it
        encoding = find_encoding(stream)  # pyright: ignore[reportArgumentType]
        with io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="") as text:
            if _is_sdf(start, path):
                yield from _sdf_file(text, self._want, path)
            else:
                yield from _csv_file(text, start.decode(encoding, "replace"), self._want, path)


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
        raise ValueError(
            f"{path}: no column holds SMILES (columns: {columns}); name it with --smiles"
        ) from None
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(found)
    if molecule is not None and molecule.GetNumAtoms() > 0:
        raise ValueError(
            f"{path}: its first line, {found!r}, is a molecule; put a line of column names above"
        )
    return found


def _is_sdf(start: bytes, path: Path) -> bool:
    """Whether a text is an SDF, by its suffix or by a molecule block in its first bytes."""
    suffixes = {suffix.lower() for suffix in path.suffixes}
    return bool(suffixes & {".sdf", ".sd"}) or b"\nM  END" in start or b"\n$$$$" in start


def _sdf_file(text: IO[str], want: Want, path: Path) -> Iterator[Record]:
    """The molecule blocks as they are: workers read them, since that takes time and may fail."""
    for lines in sdf_records(text):
        block, fields = sdf_parts(lines)
        name = lines[0].strip() if want.id is None else fields.get(want.id, "")
        yield Record(name, "block", block, tuple(fields.get(column, "") for column in want.keep))


def _csv_file(text: IO[str], sample: str, want: Want, path: Path) -> Iterator[Record]:
    """A CSV's records; blank lines are none."""
    delimiter = find_delimiter(sample.lstrip("\ufeff"))
    rows = (row for row in whole_rows(text, delimiter) if row.text.strip())
    header = next(rows, None)
    if header is None:
        raise ValueError(f"{path}: is empty; a table has a line of column names and one or more records")
    if "\0" in sample:
        raise ValueError(f"{path}: is not a text table (it holds zero bytes); give CSV, Parquet or SDF")
    names = [name.strip() for name in parsed(header.text, delimiter)]
    first = list(itertools.islice(rows, LOOKED_AT))
    picked = pick(names, _head(first, names, delimiter), want, path)
    for row in itertools.chain(first, rows):
        yield _csv_record(row.text, row.closed, names, delimiter, picked)


def _head(rows: list[Row], names: list[str], delimiter: str) -> pd.DataFrame:
    """The first rows that are whole, as a frame."""
    cells = []
    for row in rows:
        with contextlib.suppress(csv.Error):  # the row itself will say so
            found = parsed(row.text, delimiter) if row.closed else []
            cells.append([*found, *[""] * len(names)][: len(names)])
    return pd.DataFrame(cells, columns=pd.Index(names), dtype=str)


def _csv_record(row: str, closed: bool, names: list[str], delimiter: str, picked: Picked) -> Record:
    """One row; missing last cells are empty, a cell too many is a fault."""
    if not closed:
        return Record("", "smiles", row.strip(), ("",) * len(picked.keep), "a quote is opened and not closed")
    try:
        cells = parsed(row, delimiter)
    except csv.Error as error:
        return Record("", "smiles", row[:200].strip(), ("",) * len(picked.keep), str(error))
    record = picked.record(dict(zip(names, cells, strict=False)))
    if any(cell.strip() for cell in cells[len(names) :]):
        return record._replace(fault=f"{len(cells)} cells where the table has {len(names)} columns")
    return record


def table_paths(table: Path) -> list[Path]:
    """A table as a list of files: itself, or those of a folder by name."""
    if not table.is_dir():
        return [table]
    found = [path for path in sorted(table.iterdir()) if _is_table(path)]
    if not found:
        raise ValueError(f"{table}: holds no tables ({', '.join(SUFFIXES)}, also .gz)")
    return found


def _is_table(path: Path) -> bool:
    """Whether a file of a folder is one of its tables."""
    name = path.name.lower().removesuffix(".gz")
    return path.is_file() and not name.startswith((".", "_")) and name.endswith(SUFFIXES)


def batches(records: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Lists of so many records, the last one shorter."""
    while batch := list(itertools.islice(records, size)):
        yield batch
