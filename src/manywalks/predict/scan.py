"""The records of a table to be predicted, of a folder of tables, or of standard input.

`data.reader` reads; here it is decided which columns are taken. A damaged record carries its fault, and costs
itself alone.
"""

import itertools
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from manywalks.predict.columns import NoTable, Picked, Record, Want, pick
from manywalks.predict.parts import SPOOLED
from manywalks.tables.raw import RawTable
from manywalks.tables.reader import Format, open_table

SUFFIXES = (".csv", ".tsv", ".txt", ".smi", ".smiles", ".xlsx", ".parquet", ".sdf", ".sd")


class Scan:
    """The records of some files, in order; `share` says how much of them has been read.

    Attributes:
        skipped: what of a folder is not read: folders, other suffixes, texts that are no tables.
        picked: by file, the columns that are taken.
    """

    def __init__(self, table: Path, want: Want) -> None:
        """Look at the start of every file: a ValueError of the last of them shall not come after hours.

        `table` is a file, or a folder of them; the records of a folder carry the name of their file first.
        """
        self._want = want
        self._said = Format(sheet=want.sheet)
        self._named = table.is_dir()
        self._before = 0
        self._within: Callable[[], float] = float
        self.picked: dict[str, Picked] = {}
        paths, self.skipped = table_paths(table)
        self._paths = [path for path in paths if self._is_read(path)]
        if not self._paths:
            raise ValueError(f"{table}: holds no tables ({', '.join(SUFFIXES)}, also .gz)")
        self._total = sum(path.stat().st_size for path in self._paths) or 1

    def _is_read(self, path: Path) -> bool:
        """Whether a file is a table; a text among others (README.txt) may be none."""
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

    def columns_said(self) -> list[str]:
        """Which columns are taken: one line, or one for each file of a folder where they differ."""
        said = {name: picked.sentence() for name, picked in self.picked.items()}
        if len(set(said.values())) == 1:
            return list(said.values())[:1]
        return [f"{name}: {sentence}" for name, sentence in said.items()]

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
        """The records of one file; of Parquet, only the columns that are taken are read."""
        name = "standard input" if path.name.startswith(SPOOLED) else str(path)
        with open_table(path, name=name, said=self._said) as table:
            picked = self.picked[name] = pick(self._complete(table, path), self._want)
            if table.kind != "parquet":
                self._within = table.read_so_far
                yield from map(picked.record, table.records)
                return
        with open_table(path, name=name, said=self._said, wanted=picked.columns) as table:
            self._within = table.read_so_far
            yield from map(picked.record, table.records)

    def _complete(self, table: RawTable, path: Path) -> RawTable:
        """The table with every field of an SDF that is asked for; any record may lack it: all may be read."""
        asked = {*self._want.keep, *([self._want.id] if self._want.id else [])} - {*table.columns}
        if table.is_sdf and asked:
            with open_table(path, name=table.name, said=self._said) as again:
                for record in again.records:
                    found = asked & record.cells.keys()
                    table.columns += sorted(found)
                    asked -= found
                    if not asked:
                        break
        return table


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
