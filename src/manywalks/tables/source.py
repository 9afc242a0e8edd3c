"""What a file is, by its content: opened through gzip, and refused by name where it is no table."""

import codecs
import gzip
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

Kind = Literal["parquet", "excel", "sdf", "lines", "csv"]
START = 1 << 16
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MOLECULES = {".smi", ".smiles", ".ism", ".txt"}


class Source(NamedTuple):
    """An opened file.

    Attributes:
        stream: its bytes, unpacked.
        raw: the file itself: how far it has been read.
        kind: what it is.
        name: what messages call it.
    """

    stream: IO[bytes]
    raw: IO[bytes]
    kind: Kind
    name: str


@contextmanager
def opened(path: Path, name: str) -> Iterator[Source]:
    """Open a table; a ValueError says in one line what the file is instead of one."""
    _check(path, name)
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        stream: Any = raw
        if raw.read(2) == b"\x1f\x8b":
            stream = stack.enter_context(gzip.open(raw, "rb"))
        raw.seek(0)
        try:
            start = stream.read(START)
            stream.seek(0)
            _refuse_pointers(start, name)
            yield Source(stream, raw, _kind(start, path), name)
        except (EOFError, gzip.BadGzipFile) as error:
            raise ValueError(f"{name}: is a damaged gzip file ({error}); copy it again") from None


def _check(path: Path, name: str) -> None:
    """There must be a file."""
    if path.is_dir():
        raise ValueError(f"{name}: is a folder; name a table (CSV, Excel, Parquet, SDF, or .gz of one)")
    if path.is_file():
        return
    pointer = path.with_name(path.name + ".dvc")
    if pointer.is_file():
        raise ValueError(f"{name}: is not here, only {pointer.name} is; `dvc pull {pointer.name}` brings it")
    raise ValueError(f"{name}: no such file")


def _refuse_pointers(start: bytes, name: str) -> None:
    """Files that stand for the table and are not it."""
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        raise ValueError(f"{name}: is a Git LFS pointer, not the table; `git lfs pull` brings it")
    if start.lstrip().startswith((b"outs:", b"md5:")) and b"\n  path:" in start.replace(b"\r", b""):
        raise ValueError(f"{name}: is a .dvc file, not the table; `dvc pull` brings it, then name the table")
    if start[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise ValueError(f"{name}: is an Excel file of the old kind (.xls); save it as .xlsx or CSV")
    if start.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise ValueError(f"{name}: is a web page, not a table; download the file itself")


def _kind(start: bytes, path: Path) -> Kind:
    """By content first, then by suffix."""
    if start[:4] == b"PAR1":
        return "parquet"
    if start[:4] == b"PK\x03\x04":
        return "excel"
    suffixes = {suffix.lower() for suffix in path.suffixes}
    # a cell of a CSV may hold a molecule block
    marks = (b"\n$$$$",) if suffixes & {".csv", ".tsv"} else (b"\n$$$$", b"\nM  END", b"V2000", b"V3000")
    if any(mark in start for mark in marks) or (suffixes & {".sdf", ".sd"} and not start.strip()):
        return "sdf"
    return "lines" if suffixes & _MOLECULES else "csv"


def text_of(source: Source, encoding: str | None) -> io.TextIOWrapper:
    """The file as text, in the encoding given or found; closed, it closes the stream."""
    if encoding is None:
        # a byte that is not of an encoding that was found costs its record alone
        return io.TextIOWrapper(source.stream, find_encoding(source.stream), errors="replace", newline="")
    try:
        "".encode(encoding)
    except LookupError:
        raise ValueError(
            f"{source.name}: data.encoding: {encoding!r} is no encoding of text; remove it (it is then "
            "found in the file), or give utf-8, utf-16, cp1252 ..."
        ) from None
    return io.TextIOWrapper(source.stream, encoding, newline="")


def find_encoding(stream: IO[bytes]) -> str:
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


def _decodes(stream: IO[bytes], encoding: str) -> bool:
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
