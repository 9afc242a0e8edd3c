"""The records of a raw table on their way through curation: which are in, and why the others are not."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from manywalks.tasks.params import Params


@dataclass(frozen=True)
class Records:
    """n records of text cells, and the first reason against each rejected one.

    Attributes:
        frame: the raw table, rows numbered from 0.
        params: the run's parameters.
        open: bool (n,): not rejected so far.
        reasons: rejected record -> (reason code, a sentence).
    """

    frame: pd.DataFrame
    params: Params
    open: np.ndarray
    reasons: dict[int, tuple[str, str]]

    @classmethod
    def of(cls, frame: pd.DataFrame, params: Params) -> "Records":
        """All records of a table, none rejected."""
        return cls(frame.reset_index(drop=True), params, np.ones(len(frame), dtype=bool), {})

    def __len__(self) -> int:
        return len(self.frame)

    def column(self, name: str) -> np.ndarray:
        """A column's cells, stripped: object (n,)."""
        return pd.Series(self.frame[name]).str.strip().to_numpy(dtype=object)

    def ids(self) -> np.ndarray:
        """What names each record: its id cell, or its row number where there is none."""
        rows = np.array([str(row) for row in range(1, len(self) + 1)], dtype=object)
        if self.params.data.id is None:
            return rows
        cells = self.column(self.params.data.id)
        return np.where(cells == "", rows, cells)

    def reject(self, row: int | np.integer, code: str, detail: str) -> None:
        """Reject a record (0-based), unless it is rejected already: one reason each."""
        if self.open[row]:
            self.open[row] = False
            self.reasons[int(row)] = (code, detail)

    def rejected(self) -> pd.DataFrame:
        """The rejected records: row (1 = first), id, smiles as written, reason, detail."""
        rows = np.array(sorted(self.reasons), dtype=np.int64)
        return pd.DataFrame(
            {
                "row": rows + 1,
                "id": texts(self.ids()[rows]),
                "smiles": texts(self.frame[self.params.data.smiles].to_numpy(dtype=object)[rows]),
                "reason": texts([self.reasons[int(row)][0] for row in rows]),
                "detail": texts([self.reasons[int(row)][1] for row in rows]),
            }
        )


def texts(cells: np.ndarray | Iterable[str]) -> pd.Series:
    """A column of texts, each in its own room; in an array of NumPy's it would be that of the longest."""
    return pd.Series(list(cells), dtype="str")
