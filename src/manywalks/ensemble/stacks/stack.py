"""What the stacks of all kinds of networks share: the columns they see, threads, blocks of molecules."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from manywalks.features import Features


class Stack(Protocol):
    """One family's m trainings that answer at once."""

    def outputs(self, features: Features) -> np.ndarray:
        """Scaled features of n molecules, those of all families -> network space float32 (m, n, t)."""
        ...


class View(NamedTuple):
    """How the names of a family's layers begin, and the columns that it sees (None: all)."""

    prefix: str
    columns: np.ndarray | None

    @classmethod
    def of(cls, family: dict[str, Any]) -> "View":
        """Of a family as `keras_stack.describe` has it."""
        columns = None if family["columns"] is None else np.array(family["columns"], dtype=np.int64)
        return cls(f"{family['name']}_" if family["name"] else "", columns)


def seen(features: Features, columns: np.ndarray | None) -> Features:
    """The columns that a family sees."""
    return features if columns is None else features.columns(columns)


def for_each_replicate(work: Callable[[int], None], m: int, cores: int) -> None:
    """Call `work` with 0 .. m - 1, `cores` at a time."""
    # one BLAS thread in each of our threads: they would wait for each other otherwise
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores) as pool:
        list(pool.map(work, range(m)))


def row_blocks(n: int, size: int) -> Iterator[np.ndarray]:
    """Row numbers 0 .. n - 1, so many at a time; an empty block where there are none."""
    for start in range(0, max(n, 1), size):
        yield np.arange(start, min(start + size, n))
