"""What a file is, by its content: opened through gzip, and refused by name where it is no table."""

import codecs
import gzip
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from manywalks.tables.pointers import refuse_others, refuse_pointers

Kind = Literal["parquet", "excel", "sdf", "lines", "csv"]
START = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
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
            refuse_pointers(start, name)
            refuse_others(start, name)
            yield Source(stream, raw, _kind(start, path), name)
        except (EOFError, gzip.BadGzipFile) as error:
            raise ValueError(f"{name}: is a damaged gzip file ({error}); copy it again") from None


def _check(path: Path, name: str) -> None:
    """There must be a file."""
    if path.is_dir():
        raise ValueError(f"{name}: is a folder; name a table (CSV, Excel, Parquet, SDF, or .gz of one)")
    if path.is_file():
        return
    if path.exists():
        raise ValueError(
            f"{name}: is a pipe or a device, which cannot be read twice; save its content to a file (predict "
            "also reads standard input, as `-`)"
        )
    pointer = path.with_name(path.name + ".dvc")
    if pointer.is_file():
        raise ValueError(f"{name}: is not here, only {pointer.name} is; `dvc pull {pointer.name}` brings it")
    raise ValueError(f"{name}: no such file")


def _kind(start: bytes, path: Path) -> Kind:
    """By content first, then by suffix."""
    if start[:4] == b"PAR1":
        return "parquet"
    if start[:4] == b"PK\x03\x04":
        return "excel"
    suffixes = {suffix.lower() for suffix in path.suffixes}
    start = start.replace(b"\0", b"")  # UTF-16 of plain letters
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
    """By its mark, or by UTF-16's zero bytes; else UTF-8 if (nearly) all is, else Windows-1252.

    A few bytes that are no UTF-8 do not change how the others are read; spreadsheets write Windows-1252.
    """
    start = stream.read(1024)
    stream.seek(0)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if len(start) > 8 and (name := _without_mark(start)):
        return name
    good, bad = _as_utf8(stream)
    if not bad or good > bad:
        return "utf-8"
    return "cp1252" if _decodes(stream, "cp1252") else "latin-1"


def _without_mark(start: bytes) -> str:
    """UTF-16 that does not say so: every second byte of plain letters is zero; "" of others."""
    zeros = [sum(not byte for byte in start[first::2]) / len(start[first::2]) for first in (0, 1)]
    if zeros[1] > 0.6 and not zeros[0]:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > 0.6 and not zeros[1] else ""


def _as_utf8(stream: IO[bytes]) -> tuple[int, int]:
    """Characters beyond ASCII that UTF-8 reads in a stream, and places where it cannot; rewound after."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    while piece := stream.read(1 << 20):
        if not piece.isascii() or decoder.getstate()[0]:
            text = decoder.decode(piece)
            odd = text.count("\ufffd")
            bad += odd
            good += sum(len(run) for run in _BEYOND_ASCII.findall(text)) - odd
    bad += decoder.decode(b"", final=True).count("\ufffd")
    stream.seek(0)
    return good, bad


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
