"""Numbers as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manywalks.formatting import count, duration, told_apart, two_digits, with_error

AMOUNTS = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        (1.04, 1.0, ("1.04", "1")),
        (0.9996, 1.0, ("0.9996", "1")),
        (0.038, 0.041, ("0.038", "0.041")),
        (0.0412, 0.04122, ("0.0412", "0.04122")),
        (1234.4, 1234.1, ("1234.4", "1234.1")),
        (0.5, 0.5, ("0.5", "0.5")),
    ],
)
def test_two_numbers_are_told_apart(value: float, limit: float, shown: tuple[str, str]) -> None:
    assert told_apart(value, limit) == shown


@given(AMOUNTS, AMOUNTS)
def test_what_is_shown_is_in_the_order_of_the_numbers(value: float, limit: float) -> None:
    one, other = (float(text) for text in told_apart(value, limit))
    assert (one > other) == (value > limit)
    assert (one < other) == (value < limit)


@given(st.floats(1e-4, 1e6))
def test_two_digits_have_no_exponent_and_are_near(value: float) -> None:
    assert "e" not in two_digits(value)
    assert float(two_digits(value)) == pytest.approx(value, rel=0.05)


def test_one_is_singular() -> None:
    assert [count(n, "molecule") for n in (0, 1, 2, 1283)] == [
        "0 molecules", "1 molecule", "2 molecules", "1,283 molecules",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (0.64031, 0.0199, "0.640 ± 0.020"),
        (12.345, 1.2, "12.3 ± 1.2"),
        (1.5, 0.0, "1.5000"),
        (0.1, 1e-9, "0.1000 ± 0.0000"),
    ],
)
def test_scores_are_shown_to_the_second_figure_of_their_error(value: float, error: float, shown: str) -> None:
    assert with_error(value, error) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.4, "0 seconds"),
        (1.2, "1 second"),
        (24, "24 seconds"),
        (59.7, "1.0 minutes"),
        (210, "3.5 minutes"),
        (4320, "1.2 hours"),
    ],
)
def test_times_have_the_unit_that_suits_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
