"""The variance of a score, parted by source."""

import itertools

import numpy as np
import pytest

from manywalks.compare.variance_budget import shapley, variance_budget


def test_shapley_parts_add_up_and_are_those_of_independent_sources() -> None:
    own = {"weights": 1.0, "order": 2.0, "dropout": 4.0}
    sets = [chosen for size in (1, 2, 3) for chosen in itertools.combinations(own, size)]
    found = shapley({chosen: sum(own[s] for s in chosen) for chosen in sets}, list(own))
    assert found == pytest.approx(own)
    # sources that each move everything share alike
    found = shapley(dict.fromkeys(sets, 6.0), list(own))
    assert found == pytest.approx(dict.fromkeys(own, 2.0))


def test_a_budget_finds_the_variances_it_was_made_of() -> None:
    rng = np.random.default_rng(0)
    split = rng.normal(0, 2, (300, 1))
    scores = {
        ("weights",): split + rng.normal(0, 1, (300, 6)),
        ("order",): split + rng.normal(0, 1, (300, 6)),
        ("weights", "order"): split + rng.normal(0, np.sqrt(2), (300, 6)),
        ("numerics",): split + rng.normal(0, 0.1, (300, 6)),
    }
    found = variance_budget(scores, rng)
    np.testing.assert_allclose(found["parts"]["split"]["value"], 4 / 6, atol=0.06)
    np.testing.assert_allclose(found["seed_share"]["value"], 2 / 6, atol=0.06)
    assert found["parts"]["weights"]["low"] < 1 / 6 < found["parts"]["weights"]["high"]


def test_what_a_seed_hides_is_within_the_interval_of_few_splits_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    held = []
    for _ in range(100):
        split = rng.normal(0, 1, (5, 1))
        scores = {("weights",): split + rng.normal(0, 1, (5, 8)), ("numerics",): rng.normal(0, 1, (5, 8))}
        share = variance_budget(scores, rng, draws=10)["seed_share"]
        held.append(share["low"] <= 0.5 <= share["high"])
    assert np.mean(held) >= 0.89  # a bootstrap of 5 splits: 71 %
