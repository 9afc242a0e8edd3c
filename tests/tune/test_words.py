"""A search in words."""

from typing import Any

import pytest

from manywalks.tune.report.words import not_excluded


def found(word: str, promised: float, low: float, high: float) -> dict[str, Any]:
    """A search with a verdict."""
    return {
        "metric": {"name": "MAE", "unit": "log10 cm/s", "joint": False},
        "trials": [{"gain": promised, "low": promised - 0.01, "high": promised + 0.01}],
        "optimism": {"promised": promised},
        "verdict": {"word": word, "low": low, "high": high, "threshold": 0.003, "molecules": 290},
    }


def test_an_open_verdict_says_that_the_molecules_are_too_few_to_exclude_the_promise() -> None:
    assert not_excluded(found("undecided", 0.05, -0.04, 0.09)) == [
        "The gain may still be as large as the search promised (+0.050 log10 cm/s): 290 molecules are too "
        "few to tell."
    ]


@pytest.mark.parametrize(
    ("word", "promised", "low", "high"),
    [
        ("better", 0.05, 0.01, 0.09),
        ("undecided", 0.05, -0.04, 0.03),  # the promise is excluded
        ("undecided", 0.001, -0.04, 0.03),  # it would not matter
        ("undecided", 0.05, 0.001, 0.09),  # surely better, at one endpoint worse or by too little
    ],
)
def test_other_verdicts_say_no_such_thing(word: str, promised: float, low: float, high: float) -> None:
    assert not_excluded(found(word, promised, low, high)) == []
