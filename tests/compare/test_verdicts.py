"""Verdicts on pairs, what would decide an undecided one, and the chance that one replicate beats another."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from manywalks.compare import paired, verdicts
from manywalks.compare.report.undecided import short_verdict


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.05, 0.08, "equivalent"),
        (0.15, 0.4, "better"),
        (-0.4, -0.15, "worse"),
        (-0.05, 0.3, "undecided"),
        (0.01, 0.15, "undecided"),
    ],
)
def test_verdicts(low: float, high: float, word: str) -> None:
    middle = (low + high) / 2
    pair = paired.Pair(0, 1, 25, middle, 0.1, low, high, low, high, 0.5, 0.01, 0.0, 2.0, 0.4, 60.0, 1.0)
    assert verdicts.verdict(pair, 0.1) == word


def test_what_would_decide_does_decide() -> None:
    pair = paired.Pair(0, 1, 25, 0.2, 0.15, -0.1, 0.5, -0.1, 0.5, 0.3, 0.002, 0.5, 2.0, 0.375, 60.0, 1.0)
    needs = verdicts.needs(pair, 0.1, replicates=8, k=5)
    assert needs.splits is not None
    assert needs.replicates is not None
    error = np.sqrt((0.002 + 0.5 / (needs.replicates / 8)) / 25 + 0.375 * 0.002)
    assert 2.0 * error < 0.2
    shared = replace(pair, variance=1.0)
    assert verdicts.needs(shared, 0.1, replicates=8, k=5).splits is None


@pytest.mark.parametrize(
    ("needs", "shown"),
    [
        (
            {"splits": 50, "replicates": None, "molecules": 4},
            "undecided, needs 50 splits or 4 times the molecules",
        ),
        ({"splits": None, "replicates": None, "molecules": None}, "undecided"),
    ],
)
def test_an_undecided_pair_says_what_would_decide_it(needs: dict, shown: str) -> None:
    assert short_verdict({"verdict": "undecided", "needs": needs}, {}) == shown


def test_chance_of_beating_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.5, 1, (6, 4)), rng.normal(0, 1, (6, 5))
    slow = np.mean([a > b for s in range(6) for a, b in itertools.product(one[s], other[s])])
    found = verdicts.chance_of_beating(one, other, ratio=0.25, folds=5)
    assert found["chance"] == pytest.approx(slow)
    assert found["low"] <= found["chance"] <= found["high"]


def test_which_of_two_beats_the_other_does_not_depend_on_their_order() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(2, 1, (25, 4)), rng.normal(0, 1, (25, 5))
    found = verdicts.chance_of_beating(one, other, ratio=0.25, folds=5)
    turned = verdicts.chance_of_beating(other, one, ratio=0.25, folds=5)
    assert found["meaningful"] and turned["meaningful"]
    assert [turned["chance"], turned["low"], turned["high"]] == pytest.approx(
        [1 - found["chance"], 1 - found["high"], 1 - found["low"]]
    )


def test_twins_beat_each_other_half_of_the_time_within_the_interval() -> None:
    """Equal over all data sets, not on any one: each data set moves all its splits to one side."""
    rng = np.random.default_rng(2)
    outside = {"single": 0, "ensemble": 0}
    for _ in range(300):
        ahead = rng.normal(0, np.sqrt(1.5 * 0.25)) + rng.normal(0, 1, (25, 1))
        one, other = ahead + rng.normal(0, 1, (25, 8)), rng.normal(0, 1, (25, 8))
        whole = one.mean(axis=1, keepdims=True), other.mean(axis=1, keepdims=True)
        for name, pair in (("single", (one, other)), ("ensemble", whole)):
            found = verdicts.chance_of_beating(*pair, ratio=0.25, folds=5)
            outside[name] += not found["low"] <= 0.5 <= found["high"]
    # the bootstrap over splits, which takes them for independent, left a half out in over a third
    assert max(outside.values()) / 300 <= 0.08


def test_shares_of_luck_add_up() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(0, 0.1, (4000, 8)) + rng.normal(0, 0.2, (4000, 1)) + 0.3
    found = verdicts.luck(one, rng.normal(0, 0.1, (4000, 8)))
    total = 0.02 + 0.04 + 0.09
    np.testing.assert_allclose(
        [found["replicates"], found["split"], found["real"]], np.array([0.02, 0.04, 0.09]) / total, atol=0.04
    )
