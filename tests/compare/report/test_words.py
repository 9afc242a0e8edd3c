"""What a comparison says of how it was made."""

import pytest

from manywalks.compare.report.words import design_sentence


def said(method: str, median: float) -> str:
    return design_sentence(
        {"repeats": 5, "folds": 5, "method": method, "molecules": 200, "replicates": 8, "trained": 400,
         "similarity": [{"median": median}, {"median": median - 0.1}]}
    )  # fmt: skip


@pytest.mark.parametrize("method", ["random", "stratified"])
def test_near_neighbours_across_the_splits_are_warned_of(method: str) -> None:
    assert "Set split.method to cluster or scaffold" in said(method, 0.6)
    assert "split.method" not in said(method, 0.45)


@pytest.mark.parametrize("method", ["cluster", "scaffold", "group", "time", "column"])
def test_who_keeps_series_together_is_not_warned(method: str) -> None:
    assert "split.method" not in said(method, 0.6)
