"""Numbers as people type them: which mark is which, and what nobody can know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manywalks.data.cells import read_numbers
from manywalks.data.numbers import Mark

NAN = float("nan")


def read(cells: list[str], decimal: Mark = ".") -> list[float]:
    found = read_numbers(np.array(cells, dtype=object), "y", decimal)
    assert set(found.problems) == {row for row, value in enumerate(found.value) if np.isnan(value)}
    return found.value.tolist()


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["0.162", ".123", "-0.301"], [0.162, 0.123, -0.301]),
        (["0,162", "-1,5"], [0.162, -1.5]),
        (["1234.567"], [1234.567]),
        (["1,234.5", "2,345"], [1234.5, 2345]),
        (["1.234,5", "2.345"], [1234.5, 2345]),
        (["1.234.567"], [1234567]),
        (["1 234,5", "12\u202f345,25"], [1234.5, 12345.25]),
        (["1'234.5", "−2.5"], [1234.5, -2.5]),
        (["1_000", "0x10", "1.2.3", "1 2", "2.5"], [NAN, NAN, NAN, NAN, 2.5]),
        ([">1,5", "<= 2,5"], [1.5, 2.5]),
    ],
)
def test_a_column_is_read_by_its_own_marks(cells: list[str], values: list[float], decimal: Mark) -> None:
    np.testing.assert_array_equal(read(cells, decimal), values)


def test_the_declared_mark_decides_where_the_column_shows_none() -> None:
    assert read(["1.234", "2.345"]) == [1.234, 2.345]
    assert read(["1,234", "2,345"], ",") == [1.234, 2.345]


@pytest.mark.parametrize(("cells", "decimal"), [(["1,234", "2"], "."), (["1.234", "2"], ",")])
def test_what_can_be_read_two_ways_is_no_number(cells: list[str], decimal: Mark) -> None:
    found = read_numbers(np.array(cells, dtype=object), "y", decimal)
    np.testing.assert_array_equal(found.value, [NAN, 2])
    assert "can be read two ways" in found.problems[0][1]


def test_one_comma_does_not_make_thousands_of_decimals() -> None:
    np.testing.assert_array_equal(read(["1.234", "2.345", "2,5"]), [NAN, NAN, 2.5])


@given(st.lists(st.decimals(-1000, 1000, places=4), min_size=1, max_size=8), st.sampled_from([".", ","]))
def test_a_number_with_four_decimals_is_itself_with_either_mark(values: list, mark: str) -> None:
    cells = [f"{value:f}".replace(".", mark) for value in values]
    for decimal in (".", ","):
        assert read(cells, decimal) == [float(value) for value in values]
