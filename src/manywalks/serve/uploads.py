"""The body of a request -> records, by the one reader of tables where it is a file."""

import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from manywalks.predict.columns import Record, Want
from manywalks.predict.scan import Scan

TYPES = {
    "text/csv": ".csv",
    "chemical/x-mdl-sdfile": ".sdf",
    "application/vnd.apache.parquet": ".parquet",
}
JSON = "application/json"
# packed bytes may unpack to any size
_PACKED = {b"\x1f\x8b": "gzip", b"PK": "zip or Excel", b"BZ": "bzip2", b"\xfd7": "xz"}
# a Parquet file says how much it unpacks to
_UNPACKED = 2**28


class Refused(ValueError):
    """A body that cannot be answered: a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def records_of(body: bytes, content_type: str, want: Want, most: int) -> list[Record]:
    """The records of a request.

    Args:
        body: as it came.
        content_type: its header, which says what the body is.
        want: which columns of a table are taken.
        most: records that one request may have.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        found = _of_json(body)
    elif kind in TYPES:
        found = _of_table(body, TYPES[kind], want, most)
    else:
        known = ", ".join([JSON, *TYPES])
        raise Refused(415, f"Content-Type {kind or 'is missing'}: give one of {known}")
    if len(found) > most:
        raise Refused(
            413, f"more than {most:,} molecules in one request; send fewer, or use `manywalks predict`"
        )
    return found


def parsed_json(body: bytes) -> Any:
    """A JSON value; Refused where the body is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        said = "is nested too deeply" if isinstance(error, RecursionError) else f"is not JSON ({error})"
        raise Refused(400, f"the body {said}") from None


def _of_json(body: bytes) -> list[Record]:
    """A list of SMILES, or of objects with `smiles` and perhaps `id`."""
    given = parsed_json(body)
    if not isinstance(given, list):
        raise Refused(400, 'the body is no list; give ["CCO", …] or [{"id": "a", "smiles": "CCO"}, …]')
    return [_record(one, place) for place, one in enumerate(given, start=1)]


def _record(one: Any, place: int) -> Record:
    """One entry of the list."""
    if isinstance(one, str):
        return Record(str(place), "smiles", encodable(one))
    if one is None:
        return Record(str(place), "smiles", "")
    if isinstance(one, dict) and isinstance(one.get("smiles"), str) and one.keys() <= {"id", "smiles"}:
        name = one.get("id")
        if name is None or isinstance(name, str | int):
            said = str(place) if name is None else encodable(str(name))
            return Record(said, "smiles", encodable(one["smiles"]))
    raise Refused(400, f'entry {place}: give a SMILES, or {{"id": "a", "smiles": "CCO"}}')


def encodable(text: str) -> str:
    """JSON can hold half a character, which no answer could give back."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _of_table(body: bytes, suffix: str, want: Want, most: int) -> list[Record]:
    """The records of a file; it lies under a name of our own while it is read."""
    for start, packed in _PACKED.items():
        if body.startswith(start):
            raise Refused(415, f"the upload is packed ({packed}); send it unpacked")
    if not body.strip():
        raise Refused(400, "the upload is empty")
    with tempfile.TemporaryDirectory(prefix="manywalks-") as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(body)
        try:
            if suffix == ".parquet":
                _check_parquet(path, most)
            with closing(Scan(path, want).records()) as records:
                return [record for record, _ in zip(records, range(most + 1), strict=False)]
        except Refused:
            raise
        # pyarrow has errors of its own, all of them ValueErrors
        except (ValueError, OSError) as error:
            said = " ".join(str(error).replace(str(path), "the upload").split())
            raise Refused(400, said.replace("--smiles", "?smiles=").replace("--id", "?id=")) from None


def _check_parquet(path: Path, most: int) -> None:
    """Refuse one that would fill the memory."""
    about = pq.read_metadata(path)
    if about.num_rows > most:
        raise Refused(413, f"{about.num_rows:,} rows where one request may have {most:,}")
    size = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
    if size > _UNPACKED:
        raise Refused(413, "the upload unpacks to more than 256 MiB; send only the columns that are needed")
