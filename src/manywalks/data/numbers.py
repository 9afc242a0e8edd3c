"""Numbers as people type them: the decimal mark, found column by column, and what parts thousands.

A mark is sure where it cannot part thousands (0.162, 1.5, 1234.567), ambiguous where it can (1.234). A column
whose sure marks are all of one kind is read with it, whatever the other columns have.
"""

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

Mark = Literal[".", ","]
_E = r"(?:[eE][+-]?\d+)?"
# spaces and apostrophes between groups of three digits part thousands in any column
_SPACED = r"[ '’\u00a0\u202f](?=\d{3}(?!\d))"
# the minus sign, and what word processors make of a hyphen
_MINUS = r"[\u2212\u2010\u2011\u2012\u2013\uff0d](?=[\d.,])"
_NUMBER = rf"[+-]?(?:\d+\.?\d*|\.\d+){_E}"


class Plain(NamedTuple):
    """Cells (n,) as Python reads numbers, "" where one is none; bool (n,): it may be two numbers."""

    text: pd.Series
    ambiguous: np.ndarray


def plain_numbers(cells: pd.Series, decimal: Mark) -> Plain:
    """Cells (n,) without relations -> numbers with a decimal point.

    Args:
        decimal: the mark of a column that does not show its own.
    """
    cells = cells.fillna("").str.replace(_MINUS, "-", regex=True)
    cells = cells.str.replace(rf"^([+-]?[1-9]\d{{0,2}}){_SPACED}", r"\1", regex=True).str.replace(
        rf"(?<=\d){_SPACED}", "", regex=True
    )
    sure = {mark: is_sure(cells, mark).to_numpy(dtype=bool) for mark in (".", ",")}
    mark = column_mark(cells, decimal)
    other: Mark = "," if mark == "." else "."
    one, two = _escaped(mark), _escaped(other)
    grouped = cells.str.fullmatch(rf"[+-]?[1-9]\d{{0,2}}(?:{two}\d{{3}})+(?:{one}\d*)?{_E}").to_numpy(
        dtype=bool
    )
    # 1.234 alone says nothing; 1.234,5 and 1.234.567 show that the point parts thousands
    shown = cells.str.fullmatch(
        rf"[+-]?[1-9]\d{{0,2}}(?:{two}\d{{3}})+(?:{one}\d*|{two}\d{{3}}){_E}"
    ).to_numpy(dtype=bool)
    known = shown.any() or (mark == decimal and sure[mark].any() and not sure[other].any())
    ambiguous = grouped & ~shown & (not known)
    plain = cells.where(~grouped, cells.str.replace(other, "", regex=False))
    plain = plain.str.replace(mark, ".", regex=False) if mark == "," else plain
    stray = cells.str.contains(other, regex=False).to_numpy(dtype=bool) & ~grouped
    bad = ~plain.str.fullmatch(_NUMBER).to_numpy(dtype=bool) | ambiguous | stray
    return Plain(plain.mask(bad, ""), ambiguous)


def column_mark(cells: pd.Series, decimal: Mark) -> Mark:
    """The decimal mark of a column: the one that is surely one in some cells, else `decimal`."""
    point, comma = (bool(is_sure(cells, mark).any()) for mark in (".", ","))
    if point == comma:
        return decimal
    return "." if point else ","


def is_sure(cells: pd.Series, mark: Mark) -> pd.Series:
    """Which cells show that `mark` is the decimal mark: it cannot part thousands, or the other one does."""
    one, two = _escaped(mark), _escaped("," if mark == "." else ".")
    alone = rf"[+-]?(?:\d*{one}(?!\d{{3}}(?!\d))\d*|(?:0\d*|\d{{4,}}|){one}\d{{3}})"
    apart = rf"[+-]?[1-9]\d{{0,2}}(?:{two}\d{{3}})+(?:{one}\d*|{two}\d{{3}})"
    return cells.str.fullmatch(rf"(?:{alone}|{apart}){_E}") & cells.str.contains(r"\d")


def _escaped(mark: str) -> str:
    """A mark within a regular expression."""
    return r"\." if mark == "." else ","
