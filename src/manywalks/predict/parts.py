"""Finished chunks beside the output until all are there; a key of what made them names their folder."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from manywalks import files
from manywalks.predict.columns import Record
from manywalks.predict.written import write_tables

# Another number where the rows of a part would be others, or other columns.
FORMAT = 5
# Parts that become one row group of the output: a file of small groups is slow to read.
GROUP = 16
# What standard input is kept under.
SPOOLED = ".stdin-"


class Parts:
    """The folder of parts of one output."""

    def __init__(self, output: Path, settings: Sequence[str]) -> None:
        """`settings` are texts that the rows depend on, besides the records."""
        self.output = output
        self.folder = output.with_name(output.name + ".parts")
        self._base = hashlib.sha256(json.dumps([FORMAT, *settings]).encode()).hexdigest()
        self._paths: list[Path] = []

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from writing the same output; the folder goes when all went well."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise ValueError(
                f"{self.output}: is being written by another `manywalks predict`; wait for it"
            ) from None
        for left in self.folder.glob(f"{SPOOLED}*"):
            left.unlink()  # of a run that was killed
        try:
            yield
            for path in self.folder.glob("*.parquet"):
                path.unlink()
        finally:
            lock.release()
            # what was finished before a failure stays for the next run
            if not any(self.folder.glob("*.parquet")):
                shutil.rmtree(self.folder)

    def path(self, number: int, records: Sequence[Record]) -> Path:
        """Where the part of a chunk belongs; parts of its place with another key are removed."""
        digest = hashlib.sha256(self._base.encode())
        digest.update(json.dumps(records, ensure_ascii=True).encode())
        path = self.folder / f"{number:06d}-{digest.hexdigest()[:24]}.parquet"
        for other in self.folder.glob(f"{number:06d}-*.parquet"):
            if other != path:
                other.unlink()
        self._paths.append(path)
        return path

    def read(self, path: Path) -> pa.Table | None:
        """A finished part; None where there is none, or a damaged one, which is removed."""
        if not path.is_file():
            return None
        try:
            return pq.read_table(path)
        except (OSError, pa.ArrowInvalid):
            path.unlink()
            return None

    def write(self, path: Path, table: pa.Table) -> None:
        """Keep a finished part, the whole file or none."""
        with files.atomic_path(path) as temporary:
            pq.write_table(table, temporary)

    def metadata(self, key: bytes) -> Iterator[bytes]:
        """What the parts keep under a key beside their rows, in order."""
        for path in self._paths:
            kept = pq.read_schema(path).metadata or {}
            if key in kept:
                yield kept[key]

    def assemble(
        self,
        fields: pa.Schema,
        *,
        last: Callable[[pa.Table], pa.Table] = lambda table: table,
    ) -> None:
        """Write the output from all parts, in order, whole or not at all.

        `last` adds what only the whole list can tell of a row.
        """
        made = last(fields.empty_table()).schema
        with files.atomic_path(self.output) as temporary:
            write_tables(temporary, self.output.suffix, made, map(last, self._groups(fields)))

    def _groups(self, fields: pa.Schema) -> Iterator[pa.Table]:
        """Some parts at a time."""
        for start in range(0, len(self._paths), GROUP):
            yield pa.concat_tables(
                [pq.read_table(path, schema=fields) for path in self._paths[start : start + GROUP]]
            ).combine_chunks()


def spooled(stream: IO[bytes], folder: Path) -> Path:
    """Standard input as a file: its format shows only at its start, and its length only at its end."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=SPOOLED, delete=False) as kept:
        shutil.copyfileobj(stream, kept)
    return Path(kept.name)
