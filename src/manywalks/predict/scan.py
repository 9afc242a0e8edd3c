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
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from manywalks.chemistry.sdf import sdf_parts, sdf_records
from manywalks.data.guess import LOOKED_AT
from manywalks.data.tables import arrow_text, find_delimiter, find_encoding, parquet_columns
from manywalks.predict.columns import NoTable, Picked, Record, Want, pick
from manywalks.predict.csv_rows import Row, parsed, whole_rows

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".sdf", ".sd")
BATCH = 4096


class Scan:
    """The records of some files, in order; `share` says how much of them has been read.

    Attributes:
        skipped: what of a folder is not read: folders, other suffixes, texts that are no tables.
    """

    def __init__(self, table: Path, want: Want) -> None:
        """Look at the start of every file: a ValueError of the last of them shall not come after hours.

        `table` is a file, or a folder of them; the records of a folder carry the name of their file first.
        """
        self._want = want
        self._named = table.is_dir()
        self._before = 0
        self._within: Callable[[], float] = float
        paths, self.skipped = table_paths(table)
        self._paths = [path for path in paths if self._is_read(path)]
        if not self._paths:
            raise ValueError(f"{table}: holds no tables ({', '.join(SUFFIXES)}, also .gz)")
        self._total = sum(path.stat().st_size for path in self._paths) or 1

    def _is_read(self, path: Path) -> bool:
        """Whether a file is a table; a text among others (README.txt) may be none."""
        if not path.is_file():
            raise ValueError(f"{path}: no such file")
        try:
            self._look(path)
        except ValueError:
            is_text = path.name.lower().removesuffix(".gz").endswith(".txt")
            if not (self._named and is_text) or self._holds_molecules(path):
                raise
            self.skipped.append(path)
            return False
        return True

    def _look(self, path: Path) -> None:
        """Read the start of a file."""
        with closing(self._of_file(path)) as records:
            next(records, None)
        self._within = float

    @staticmethod
    def _holds_molecules(path: Path) -> bool:
        """Whether a file is a table, be it one without the columns that are asked for."""
        try:
            Scan(path, Want())
        except NoTable:
            return False
        return True

    @property
    def share(self) -> float:
        """Read so far, 0 to 1, by the bytes of the files."""
        return min(1.0, (self._before + self._within()) / self._total)

    def records(self) -> Generator[Record]:
        """Every record of every file; closed, it closes the file that it reads."""
        row = 0
        for path in self._paths:
            with closing(self._of_file(path)) as records:
                for record in records:
                    row += 1
                    named = (path.name, *record.kept) if self._named else record.kept
                    yield record._replace(id=record.id or str(row), kept=named)
            self._before += path.stat().st_size
            self._within = float

    def _of_file(self, path: Path) -> Generator[Record]:
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
            there = parquet_columns(file, path)
            first = next(file.iter_batches(batch_size=LOOKED_AT, columns=there), None)
            head = arrow_text(first) if first is not None else pd.DataFrame()
            picked = pick(there, head, self._want, path)
            size, rows = path.stat().st_size, 0
            names = list(dict.fromkeys(filter(None, (picked.smiles, picked.id, *self._want.keep))))
            for batch in file.iter_batches(batch_size=BATCH, columns=names):
                frame = arrow_text(batch)
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


def _is_sdf(start: bytes, path: Path) -> bool:
    """Whether a text is an SDF, by its suffix or by a molecule block in its first bytes."""
    suffixes = {suffix.lower() for suffix in path.suffixes}
    return bool(suffixes & {".sdf", ".sd"}) or b"\nM  END" in start or b"\n$$$$" in start


def _sdf_file(text: IO[str], want: Want, path: Path) -> Iterator[Record]:
    """The molecule blocks as they are: workers read them, since that takes time and may fail."""
    _check_fields(text, want, path)
    for lines in sdf_records(text):
        block, fields = sdf_parts(lines)
        name = lines[0].strip() if want.id is None else fields.get(want.id, "")
        yield Record(name, "block", block, tuple(fields.get(column, "") for column in want.keep))


def _check_fields(text: IO[str], want: Want, path: Path) -> None:
    """Every field that is asked for stands in some record; any record may lack it, so all may be read."""
    asked = dict.fromkeys(want.keep, "--keep") | ({want.id: "--id"} if want.id else {})
    names: dict[str, None] = {}
    for lines in sdf_records(text) if asked else ():
        names |= dict.fromkeys(sdf_parts(lines)[1])
        if asked.keys() <= names.keys():
            break
    for name, option in asked.items():
        if name not in names:
            known = ", ".join(list(names)[:20]) or "none"
            raise ValueError(f"{path}: no record has a field {name!r} (fields: {known}); change {option}")
    text.seek(0)


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


def table_paths(table: Path) -> tuple[list[Path], list[Path]]:
    """The files of a table, and what is passed over: a file is one; a folder has some, read by name."""
    if not table.is_dir():
        return [table], []
    seen = [path for path in sorted(table.iterdir()) if not path.name.startswith((".", "_"))]
    found = [path for path in seen if _is_table(path)]
    return found, [path for path in seen if path not in found]


def _is_table(path: Path) -> bool:
    """Whether a file of a folder is one of its tables."""
    name = path.name.lower().removesuffix(".gz")
    return path.is_file() and name.endswith(SUFFIXES)


def batches(records: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Lists of so many records, the last one shorter."""
    while batch := list(itertools.islice(records, size)):
        yield batch
