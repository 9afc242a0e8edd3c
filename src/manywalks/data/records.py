"""The records of a raw table on their way through curation: which are in, and why the others are not."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from manywalks.params.load import Params


@dataclass(frozen=True)
class Records:
    """n records of text cells, and the first reason against each rejected one.

    Attributes:
        frame: the raw table, rows numbered from 0.
        params: the run's parameters.
        open: bool (n,): not rejected so far.
        reasons: rejected record -> (reason code, a sentence).
        names: the column that names the records; None where none does.
    """

    frame: pd.DataFrame
    params: Params
    open: np.ndarray
    reasons: dict[int, tuple[str, str]]
    names: str | None = None

    @classmethod
    def of(cls, frame: pd.DataFrame, params: Params, names: str | None = None) -> "Records":
        """All records of a table, none rejected; `names` is the column of ids (default: data.id)."""
        everyone = np.ones(len(frame), dtype=bool)
        return cls(frame.reset_index(drop=True), params, everyone, {}, names or params.data.id)

    def __len__(self) -> int:
        return len(self.frame)

    def column(self, name: str) -> np.ndarray:
        """A column's cells, stripped: object (n,)."""
        return pd.Series(self.frame[name]).str.strip().to_numpy(dtype=object)

    def ids(self) -> np.ndarray:
        """What names each record: its id cell, or its row number where there is none."""
        rows = np.array([str(row) for row in range(1, len(self) + 1)], dtype=object)
        if self.names is None or self.names not in self.frame:
            return rows
        cells = self.column(self.names)
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


REASONS = {
    "filtered": "The record is outside what data.where asks for.",
    "malformed": "The record's line does not fit the table: a quote that is not closed, or too many cells.",
    "empty": "The record has no structure: its SMILES is empty or has no atoms.",
    "unparsable": "RDKit cannot read the structure (syntax, valence, rings that cannot be aromatic), "
    "or the cell is more than one SMILES.",
    "failed": "The structure could be read but not standardized.",
    "timeout": "The structure took longer to standardize than curate.time_limit.",
    "crashed": "The process that standardized the structure ended unexpectedly.",
    "polymer": "The structure has undefined atoms, attachment points or repeat units.",
    "query": "The structure is a query or stands for several: atom lists, undefined bonds, link nodes.",
    "metal": "A metal stays in the structure after salts are removed.",
    "inorganic": "The structure has no carbon atom.",
    "mixture": "Two or more different organic parts stay after salts and solvents are removed.",
    "too_large": "The molecule has more heavy atoms than curate.max_atoms.",
    "isotope": "The structure is isotopically labelled.",
    "stereo": "A stereo centre or double bond is unspecified.",
    "unmeasured": "No endpoint of the record has a value.",
    "not_a_number": "No endpoint of the record has a value that is a finite number.",
    "not_a_class": "No endpoint of the record has a value that says which class.",
    "relation": "The relation of the value is not one of =, >, <, >=, <=.",
    "unit": "The unit of the value is unknown, or cannot be converted to the endpoint's.",
    "logarithm": "The value is zero or less where a logarithm is to be taken.",
    "weight": "The weight or standard error of the value is not a number that can serve as one.",
    "censored": "The value is a bound, and the endpoint's params reject bounds.",
    "spread": "The repeats of the molecule are further apart than the endpoint's spread_limit.",
    "conflict": "The repeats of the molecule contradict each other, and none can be preferred.",
    "other_subset": "The molecule, or a tautomer of it, is in a subset that takes precedence.",
}
