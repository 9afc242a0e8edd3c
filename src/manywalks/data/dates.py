"""Dates in a table's cells as decimal years."""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from manywalks.chemistry.missing import MISSING

_NUMBERS = r"^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)(.*)$"
# a year of four digits first, or a month by its name and such a year: nothing that today would complete
_DATE = (
    r"(?i)\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2}(?:[T ].*)?)?$|\d{8}$"
    r"|(?=.*\d{4}).*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
)


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
