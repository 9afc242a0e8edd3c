"""Rows of a CSV: a stray quote costs its own row, and quoted line breaks stay in theirs."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manywalks.tables.csv_rows import parsed, whole_rows


def rows(text: str) -> list[tuple[str, bool]]:
    return [(row.text, row.closed) for row in whole_rows(io.StringIO(text, newline=""), ",")]


CELL = st.text(st.sampled_from('abC(=O)",;\n 1'), max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELL, min_size=2, max_size=3), min_size=1, max_size=6))
def test_whatever_pythons_writer_writes_comes_back(table: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(table)
    found = rows(written.getvalue())
    assert all(closed for _, closed in found)
    assert [parsed(text, ",") for text, _ in found] == table


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ('"CC,1\nCCC,2\nCO,3\n', [False, True, True]),  # never closed
        ('"CC,1\nCCC,2\n"CO,3\n', [False, True, False]),  # closed by another stray one
        ('5" pipe,1\n6" pipe,2\n', [True, True]),  # within a cell, a quote is a letter
        ('"a ""b"" c",1\nx,2\n', [True, True]),
    ],
)
def test_a_stray_quote_costs_its_row(text: str, closed: list[bool]) -> None:
    assert [ok for _, ok in rows(text)] == closed
