"""Raw tables as frames of text: CSV (delimiter and encoding found), Parquet, SDF, and gzip of them."""

import codecs
import csv
import gzip
import io
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from manywalks.chemistry.sdf import read_sdf

DELIMITERS = (",", ";", "\t", "|")
# records read at a time: 50,000 of 48 columns are 200 MB before any is left out
CHUNK = 10_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_table(
    path: Path,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    columns: Collection[str] | None = None,
) -> pd.DataFrame:
    """Read a table of n records; every cell is text, "" where the table has nothing.

    Row i of the frame is record i + 1 of the file (blank lines are no records). A ValueError says in one
    line what is wrong with the file: not there, empty, too many cells in a record, not in the encoding.

    Args:
        columns: those to keep of a CSV or Parquet file (default: all). Where it lacks one of them all are
            kept, so that what is said of the missing one can name those that are there.
    """
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; name a table (CSV, Parquet, SDF, or .gz of one)")
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        with _opened(path) as stream:
            frame = _read(stream, path, delimiter=delimiter, encoding=encoding, columns=columns)
    except (EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: is a damaged gzip file ({error}); copy it again") from None
    if frame.empty:
        raise ValueError(
            f"{path}: holds no records; a table has a line of column names and one or more records"
        )
    return frame


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    """The file's bytes, through gzip where its first two bytes say so."""
    with path.open("rb") as handle:
        packed = handle.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


def _read(
    stream: IO[bytes] | gzip.GzipFile,
    path: Path,
    *,
    delimiter: str | None,
    encoding: str | None,
    columns: Collection[str] | None,
) -> pd.DataFrame:
    """Choose the reader by content first (Parquet's magic) and then by suffix."""
    start = stream.read(4)
    stream.seek(0)
    if start == b"PAR1":
        return _read_parquet(stream, path, columns)
    encoding = encoding or find_encoding(stream)
    try:
        "".encode(encoding)
    except LookupError:
        raise ValueError(
            f"{path}: data.encoding: {encoding!r} is no encoding of text; remove it (it is then found in the "
            "file), or give utf-8, utf-16, cp1252 ..."
        ) from None
    suffixes = [suffix.lower() for suffix in path.suffixes]
    with io.TextIOWrapper(stream, encoding=encoding, newline="") as text:  # pyright: ignore[reportArgumentType]
        try:
            if ".sdf" in suffixes or ".sd" in suffixes:
                return read_sdf(text)
            return _read_csv(text, path, delimiter, columns)
        except UnicodeError as error:
            raise ValueError(f"{path}: is not {encoding} text ({error}); set data.encoding") from None


def _read_parquet(
    stream: IO[bytes] | gzip.GzipFile, path: Path, columns: Collection[str] | None
) -> pd.DataFrame:
    """Parquet with every cell as text; an index that has a name is a column, as other readers see it."""
    try:
        file = pq.ParquetFile(io.BytesIO(stream.read()))
        return arrow_text(file.read(_kept(parquet_columns(file, path), columns)))
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"{path}: is a damaged Parquet file ({' '.join(str(error).split())})") from None


def parquet_columns(file: pq.ParquetFile, path: Path) -> list[str]:
    """A Parquet file's columns by name; pandas' index is one of them where it has a name."""
    names = file.schema_arrow.names
    _refuse_repeated(names, path)
    return [name for name in names if not name.startswith("__index_level_")]


def arrow_text(data: pa.Table | pa.RecordBatch) -> pd.DataFrame:
    """Arrow's columns with every cell as text."""
    # without pandas' own metadata, its index is a column like others; and whole numbers beside missing cells
    # stay whole: an id 7 is not 7.0
    return as_text(data.replace_schema_metadata(None).to_pandas(integer_object_nulls=True))


def _kept(there: Sequence[str], wanted: Collection[str] | None) -> list[str]:
    """The columns to keep: those wanted, or all where none are named or one is missing."""
    return [name for name in there if name in wanted] if wanted and set(wanted) <= set(there) else [*there]


def _refuse_repeated(names: Sequence[str], path: Path) -> None:
    """Two columns of one name: nothing says which is meant. Columns without a name may be many."""
    repeated = [name for name, count in Counter(names).items() if count > 1 and name]
    if repeated:
        raise ValueError(
            f"{path}: has more than one column {', '.join(map(repr, repeated))}; rename all but one of them"
        )


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table with every cell as text: numbers as Python writes them, missing cells ""."""
    return pd.DataFrame(
        {str(name): _text_column(pd.Series(frame[name])) for name in frame}, index=frame.index
    )


def _text_column(column: pd.Series) -> pd.Series:
    if pd.api.types.is_string_dtype(column.dtype) and not column.isna().any():
        return column
    return column.astype(object).where(column.notna(), "").astype(str)


def find_encoding(stream: IO[bytes] | gzip.GzipFile) -> str:
    """UTF-8 or UTF-16 by its mark, else UTF-8 if all is, else Windows-1252 (what spreadsheets write)."""
    start = stream.read(4)
    stream.seek(0)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    for name in ("utf-8", "cp1252"):
        if _decodes(stream, name):
            return name
    return "latin-1"


def _decodes(stream: IO[bytes] | gzip.GzipFile, encoding: str) -> bool:
    """Whether the whole stream is text in `encoding`; read in pieces, rewound after."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while piece := stream.read(1 << 20):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        stream.seek(0)
    return True


def _read_csv(
    text: io.TextIOWrapper, path: Path, delimiter: str | None, columns: Collection[str] | None
) -> pd.DataFrame:
    """CSV with the delimiter given or found; too many cells are refused, missing last cells are empty."""
    sample = text.read(1 << 16)
    text.seek(0)
    if not sample.strip():
        raise ValueError(f"{path}: is empty; a table has a line of column names and one or more records")
    if "\0" in sample:
        raise ValueError(f"{path}: is not a text table (it holds zero bytes); give CSV, Parquet or SDF")
    delimiter = delimiter or find_delimiter(sample)
    _refuse_repeated(_header(sample, delimiter), path)
    try:
        # in pieces: told of `usecols`, pandas overlooks records with too many cells
        pieces = pd.read_csv(
            text, sep=delimiter, dtype=str, keep_default_na=False, na_values=[], chunksize=CHUNK
        )
        kept = [_piece(piece, path, delimiter, columns) for piece in pieces]
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        message = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise ValueError(
            f"{path}: {message}; delimiter {delimiter!r}, set data.delimiter if it is not"
        ) from None
    return pd.concat(kept, ignore_index=True)


def _piece(piece: pd.DataFrame, path: Path, delimiter: str, columns: Collection[str] | None) -> pd.DataFrame:
    """A piece of a CSV file with the columns to keep."""
    if not isinstance(piece.index, pd.RangeIndex):
        # pandas makes an index of what the first record has too much
        width = piece.shape[1]
        raise ValueError(
            f"{path}: record 1 has {width + piece.index.nlevels} cells, more cells than the header, which "
            f"names {width} columns (delimiter {delimiter!r}); name every column, put cells that hold the "
            "delimiter in quotes, or remove a delimiter that ends each record"
        )
    piece = piece.rename(columns=lambda name: str(name).strip())
    return pd.DataFrame(piece[_kept(list(piece.columns), columns)])


def _header(sample: str, delimiter: str) -> list[str]:
    """The names in the first line that is not blank; [] where it cannot be read like that."""
    lines = [line for line in sample.splitlines() if line.strip()]
    if len(delimiter) > 1 or not lines:
        return []
    return [name.strip() for name in next(csv.reader(lines, delimiter=delimiter), [])]


def find_delimiter(sample: str) -> str:
    """The delimiter under which most of the first lines have as many cells as the header (comma if none)."""
    lines = [line for line in sample.splitlines()[:101] if line.strip()]
    lines = lines[:-1] if len(lines) > 2 and len(sample) >= 1 << 16 else lines  # the last may be cut off

    def agreement(delimiter: str) -> tuple[float, int]:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if cells]
        if not widths or widths[0] < 2:
            return 0.0, 0
        return Counter(widths)[widths[0]] / len(widths), widths[0]

    best = max(DELIMITERS, key=agreement)
    return best if agreement(best)[1] else ","
