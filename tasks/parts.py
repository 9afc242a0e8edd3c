"""What the raw table says of the split: given parts, groups, times, carried over to molecules."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import rdMolHash

from manywalks.tasks.cells import MISSING
from manywalks.tasks.groups import joined
from manywalks.tasks.records import Records, texts

PARTS = {
    "train": "train", "training": "train", "train_val": "train", "trainval": "train", "train_valid": "train",
    "valid": "valid", "validation": "valid", "val": "valid", "test": "test", "testing": "test",
}  # fmt: skip
PRECEDENCE = {"test": 0, "valid": 1, "train": 2}
_NUMBERS = r"^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)(.*)$"
# a year of four digits first, or a month by its name and such a year: nothing that today would complete
_DATE = (
    r"(?i)\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2}(?:[T ].*)?)?$|\d{8}$"
    r"|(?=.*\d{4}).*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
)


def given_parts(records: Records) -> np.ndarray | None:
    """Each open record's part (n,) under a column split: train, valid or test; None for other splits.

    A cell that names no part is a ValueError that lists all such cells.
    """
    split = records.params.split
    if split.method != "column" or split.column is None:
        return None
    cells = records.column(split.column)
    unknown = sorted({cell for cell in cells[records.open] if _part_key(cell) not in PARTS})
    if unknown:
        row = int(np.flatnonzero(records.open & np.isin(cells, unknown))[0]) + 1
        listed = ", ".join(repr(cell) for cell in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        raise ValueError(
            f"{records.params.data.path}: column {split.column!r} (split.column) holds {listed} (first in "
            f"record {row}); known are train, train_val, valid, test"
        )
    return np.array([PARTS.get(_part_key(cell), "") for cell in cells], dtype=object)


def _part_key(cell: str) -> str:
    return cell.lower().replace("-", "_").replace(" ", "_")


def tautomer_keys(smiles: Sequence[str]) -> list[str]:
    """A key for each molecule that all of its tautomers share (n,); 0.2 ms each, unlike enumerating them.

    RDKit's hetero-atom tautomer hash: some molecules that are no tautomers share one too, none the reverse
    among prototropic ones, which is the safe side for a split.
    """
    with rdBase.BlockLogs():
        return [_tautomer_key(text) for text in smiles]


def _tautomer_key(smiles: str) -> str:
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise ValueError(f"{smiles!r} is not a molecule; curate the table first")
    Chem.RemoveStereochemistry(mol)
    return rdMolHash.MolHash(mol, rdMolHash.HashFunction.HetAtomTautomerv2)


def settle(records: Records, smiles: np.ndarray, given: np.ndarray) -> None:
    """No molecule, and no tautomer of it, in two given parts: test wins over valid, valid over train.

    The other parts' records are rejected, not moved or averaged in: a published test part stays what it is.
    """
    rows = np.flatnonzero(records.open)
    code, names = pd.factorize(smiles[rows])
    key = pd.factorize(np.array(tautomer_keys(list(names)), dtype=object))[0][code]
    rank = np.array([PRECEDENCE[part] for part in given[rows]])
    best = np.full(int(key.max(initial=-1)) + 1, len(PRECEDENCE))
    np.minimum.at(best, key, rank)
    winners = list(PRECEDENCE)
    for i in np.flatnonzero(rank > best[key]):
        part = winners[best[key[i]]]
        detail = f"is in {given[rows[i]]}; the same molecule or a tautomer of it is in {part}"
        records.reject(rows[i], "other_part", detail)


def split_columns(records: Records, given: np.ndarray | None, rows: np.ndarray, code: np.ndarray) -> dict:
    """The columns split:part, split:group or split:time of the molecules, as the split's method asks.

    Args:
        rows: the open records; code: the molecule of each, numbered by first appearance.
    """
    split = records.params.split
    first = np.unique(code, return_index=True)[1]
    if given is not None:
        return {"split:part": texts(given[rows][first])}
    if split.method == "group" and split.column:
        return {"split:group": texts(_joined_groups(code, records.column(split.column)[rows]))}
    if split.method == "time" and split.column:
        times = read_times(records.column(split.column), records.params.data.path, split.column)[rows]
        earliest = np.full(len(first), np.inf)
        np.minimum.at(earliest, code, np.where(np.isnan(times), np.inf, times))
        return {"split:time": np.where(np.isinf(earliest), np.nan, earliest)}
    return {}


def _joined_groups(code: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The group of each molecule (m,), "" where it has none; `code` and `cells` are the records' (r,).

    A molecule measured in two groups makes one group of them, or it would leave its fellows of one of them in
    another part. The first name in the alphabet stands for all: the order of the rows says nothing.
    """
    found = np.full(int(code.max(initial=-1)) + 1, "", dtype=object)
    filled = np.flatnonzero(cells != "")
    if len(filled):
        whole = joined([code[filled].astype(str).tolist(), cells[filled].tolist()])
        first = pd.Series(cells[filled]).groupby(whole).transform("min")
        found[code[filled]] = first.to_numpy(dtype=object)
    return found


def read_times(cells: np.ndarray, path: str, column: str) -> np.ndarray:
    """Years or dates as decimal years (n,), NaN where the cell is empty; a column is read by one rule."""
    times = decimal_years(cells)
    if times.fault:
        raise ValueError(f"{path}: column {column!r} (split.column): {times.fault}")
    return times.years


class Times(NamedTuple):
    """A column of n dates.

    Attributes:
        years: decimal years (n,), NaN where there is none.
        bad: bool (n,): the cell is no date.
        fault: what keeps the column from being read, with the cell and its record; "" where nothing does.
    """

    years: np.ndarray
    bad: np.ndarray
    fault: str


def decimal_years(cells: np.ndarray) -> Times:
    """Years, or dates with a year of four digits, in UTC; day and month written as numbers come in one order.

    03/04/2020 alone can be read two ways: the order is that of a cell of the column whose day is over 12.
    """
    text = pd.Series(cells, dtype=object).str.strip()
    filled = ~text.str.lower().isin(MISSING)
    numbers = pd.Series(pd.to_numeric(text.where(filled), errors="coerce"))
    years = numbers.between(1000, 3000)
    iso, fault = _one_order(text.where(filled & ~years, ""))
    with warnings.catch_warnings(action="ignore"):  # of formats that pandas will read otherwise one day
        dates = pd.Series(
            pd.to_datetime(iso.where(iso.str.match(_DATE)), errors="coerce", format="mixed", utc=True)
        )
    bad = (filled & ~years & dates.isna()).to_numpy(dtype=bool)
    if bad.any() and not fault:
        row = int(np.flatnonzero(bad)[0])
        fault = f"{cells[row]!r} in record {row + 1} is neither a year nor a date; write it as 2020-04-03"
    days = (dates.dt.day_of_year - 1) / (365 + dates.dt.is_leap_year)
    return Times(numbers.where(years, dates.dt.year + days).to_numpy(dtype=np.float64), bad, fault)


def _one_order(text: pd.Series) -> tuple[pd.Series, str]:
    """Dates of numbers (13/04/2020) as 2020-04-13, and what keeps the column from being read in one order."""
    found = text.str.extract(_NUMBERS)
    rows = np.flatnonzero(found[0].notna())
    if not len(rows):
        return text, ""
    first, second = (found[place].iloc[rows].astype(int).to_numpy() for place in (0, 2))
    days_first, months_first = rows[(first > 12) & (second <= 12)], rows[(second > 12) & (first <= 12)]
    clear = text.copy()
    month, day = (2, 0) if len(days_first) else (0, 2)
    parts = found.iloc[rows]
    clear.iloc[rows] = (
        parts[3] + "-" + parts[month].str.zfill(2) + "-" + parts[day].str.zfill(2) + parts[4].fillna("")
    )
    remedy = "write dates as 2020-04-03 (year-month-day)"
    if len(days_first) and len(months_first):
        one, other = (f"{text.iloc[i[0]]!r} in record {i[0] + 1}" for i in (days_first, months_first))
        return clear, f"{one} has the day first, {other} the month; {remedy}"
    open_ones = rows[(first != second) & (first <= 12) & (second <= 12)]
    if not len(days_first) and not len(months_first) and len(open_ones):
        row = int(open_ones[0])
        return clear, f"{text.iloc[row]!r} in record {row + 1} can be read two ways; {remedy}"
    return clear, ""
