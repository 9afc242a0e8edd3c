"""What a comparison says of how it was made."""

import pytest

from manywalks.compare.report.words import design_sentence, undecided_sentence


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


def test_molecules_in_no_split_are_named_for_what_they_are() -> None:
    design = {"repeats": 5, "folds": 5, "method": "column", "molecules": 730, "left_out": 183,
              "without_features": 3, "replicates": 8, "trained": 400,
              "similarity": [{"median": 0.4}]}  # fmt: skip
    said = design_sentence(design)
    assert said.startswith(
        "730 molecules (180 more, the test molecules, take no part; 3 more have no features)"
    )


def undecided(splits: int, replicates: int, **needs: float) -> str:
    pair = {"verdict": "undecided", "needs": {"splits": None, "replicates": None, "molecules": None, **needs}}
    return undecided_sentence(pair, {"splits": splits, "replicates": replicates})


def test_what_would_decide_is_named() -> None:
    assert undecided(25, 8, molecules=6.0) == (
        "This comparison cannot tell. If the estimates stay as they are, 6 times the molecules would."
    )


def test_a_small_run_that_nothing_alone_would_decide_is_told_the_default() -> None:
    assert undecided(5, 2) == (
        "This comparison cannot tell. Neither more splits, nor more replicates, nor more molecules alone "
        "would settle it. Together they narrow the interval: this run has only 5 splits and 2 replicates; "
        "the default is 25 and 8."
    )
    assert undecided(25, 8).endswith("Together they narrow the interval.")
