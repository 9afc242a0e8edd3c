"""A table that is being read: its columns, and its records one after another."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from manywalks.tables.source import Kind

# records that are looked at before anything is decided
LOOKED_AT = 200


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


def started(name: str, columns: list[str], source: Iterator[Raw], kind: Kind) -> RawTable:
    """A table whose first records have been looked at."""
    head = list(itertools.islice(source, LOOKED_AT))
    return RawTable(name, columns, head, itertools.chain(head, source), kind)


def by_name(names: list[str], cells: Sequence[str]) -> dict[str, str]:
    """Cells by column, missing last ones empty."""
    return dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False))
