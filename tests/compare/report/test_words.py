"""What a comparison says of how it was made."""

import pytest

from manywalks.compare.report.undecided import undecided_sentence
from manywalks.compare.report.words import design_sentence, few_for_shares, few_splits


def said(method: str, median: float) -> str:
    return design_sentence(
        {"repeats": 5, "folds": 5, "method": method, "molecules": 200, "replicates": 8, "trained": 400,
         "similarity": [{"median": median}, {"median": median - 0.1}]}
    )  # fmt: skip


@pytest.mark.parametrize("method", ["random", "stratified"])
def test_near_neighbours_across_the_splits_are_warned_of(method: str) -> None:
    assert "Set split.method to cluster or scaffold" in said(method, 0.6)
    assert "Set split.method" not in said(method, 0.45)


@pytest.mark.parametrize("method", ["cluster", "scaffold", "group", "time", "column"])
def test_who_keeps_series_together_is_not_warned(method: str) -> None:
    assert "Set split.method" not in said(method, 0.6)


def test_molecules_in_no_split_are_named_for_what_they_are() -> None:
    design = {"repeats": 5, "folds": 5, "method": "column", "molecules": 730, "left_out": 183,
              "without_features": 3, "replicates": 8, "trained": 400,
              "similarity": [{"median": 0.4}]}  # fmt: skip
    said = design_sentence(design)
    assert said.startswith(
        "730 molecules (180 more, the test molecules, take no part; 3 more have no features)"
    )


def undecided(splits: int, replicates: int, low: float = -0.1, p: float = 0.02, **needs: float) -> str:
    none = {"splits": None, "replicates": None, "molecules": None}
    pair = {"verdict": "undecided", "low": low, "high": 0.2, "p": p, "needs": {**none, **needs}}
    return undecided_sentence(pair, {"splits": splits, "replicates": replicates}, 0.95)


def test_what_would_decide_is_named() -> None:
    assert undecided(25, 8, molecules=6.0) == (
        "This comparison cannot tell. If the estimates stay as they are, 6 times the molecules would."
    )


def test_an_interval_on_one_side_of_0_below_what_matters_is_explained() -> None:
    assert undecided(25, 8, low=0.01, molecules=6.0) == (
        "The two surely differ, since the interval does not contain 0, but the difference may be too small "
        "to matter. If the estimates stay as they are, 6 times the molecules would tell."
    )


def test_an_interval_that_ranks_contradict_proves_no_difference() -> None:
    """A few splits may move a mean that the ranks of all of them do not bear out."""
    assert undecided(25, 8, low=0.01, p=0.15, molecules=6.0).startswith("This comparison cannot tell.")


def test_how_folds_of_a_given_split_are_drawn_is_said() -> None:
    assert "split.method: column, so drawn at random from the given train and valid" in said("column", 0.4)
    assert "(split.method: cluster)" in said("cluster", 0.4)


def test_a_small_run_that_nothing_alone_would_decide_is_told_the_default() -> None:
    assert undecided(5, 2) == (
        "This comparison cannot tell. Neither more splits, nor more replicates, nor more molecules alone "
        "would settle it. Together they narrow the interval: this run has only 5 splits and 2 replicates; "
        "the default is 25 and 8."
    )
    assert undecided(25, 8).endswith("Together they narrow the interval.")


def few(splits: int, freedom: float, **design: int) -> str:
    pairs = [
        {"splits": splits, "freedom": freedom, "wider": 2.195},
        {"splits": 2, "freedom": 1.0, "wider": 6.5},  # stopped early: no more splits were wanted
    ]
    made = {"splits": splits, "repeats": 1, "replicates": 8, **design}
    return few_splits({"pairs": pairs}, made)


def test_so_few_splits_that_verdicts_cannot_be_relied_on_are_warned_of() -> None:
    assert few(3, 2.0, replicates=2) == (
        "Only 3 splits (2 degrees of freedom): the intervals are 2.2 times as wide as with many splits, and "
        "rough estimates themselves. Do not rely on these verdicts; run again with --repeats 5 --replicates "
        "8."
    )
    assert few(5, 4.0).endswith("run again with --repeats 5.")
    assert few(10, 5.25) == ""
    assert few(25, 9.0) == ""


def test_shares_of_a_variance_from_few_splits_are_warned_of() -> None:
    assert few_for_shares({"splits": 3}).startswith("Only 3 splits: the intervals hold from 5 splits on.")
    assert few_for_shares({"splits": 5}) == ""
