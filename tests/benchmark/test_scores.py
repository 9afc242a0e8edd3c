"""Intervals over test molecules, and ranks among published scores."""

import numpy as np
import pytest

from manywalks.benchmark.published import Published
from manywalks.benchmark.scores import bootstrap, rank, relative_error, score


def test_unmeasured_rows_count_for_no_metric():
    observed = np.array([1.0, np.nan, 3.0, 5.0])
    assert score("mae", observed, np.array([1.0, 99.0, 4.0, 5.0])) == pytest.approx(1 / 3)
    assert np.isnan(score("auroc", np.array([1.0, 1.0]), np.array([0.2, 0.9])))
    assert np.isnan(score("mae", np.full(3, np.nan), np.zeros(3)))


def test_relative_error_of_the_mean_is_one():
    values = np.random.default_rng(0).normal(size=50)
    assert relative_error(values, np.full(50, values.mean())) == pytest.approx(1)


def test_the_interval_of_a_mean_error_is_the_textbooks():
    rng = np.random.default_rng(1)
    observed, predicted = rng.normal(size=400), np.zeros(400)
    errors = np.abs(observed)
    found = bootstrap(lambda rows: score("mae", observed[rows], predicted[rows]), 400)
    half = 1.96 * errors.std(ddof=1) / 20
    assert found.value == pytest.approx(errors.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_draws_without_a_score_are_left_out():
    observed = np.array([1.0] + [0.0] * 5)
    found = bootstrap(lambda rows: score("auroc", observed[rows], observed[rows]), 6)
    assert 0 < len(found.draws) < 1000 and found.low == found.high == 1


@pytest.mark.parametrize(("metric", "value", "place"), [("mae", 0.25, 2), ("auroc", 0.25, 3)])
def test_the_rank_follows_the_metrics_direction(metric, value, place):
    others = [Published(str(s), s, None, "leaderboard", "leaderboard") for s in (0.2, 0.3, 0.4)]
    found = rank(metric, value, np.array([value] * 10), others)
    assert found is not None
    assert (found.place, found.of, found.low, found.high, found.luck) == (place, 4, place, place, 0)


def test_luck_is_the_share_of_test_sets_with_a_worse_rank():
    others = [Published("a", 0.5, None, "leaderboard", "leaderboard")]
    found = rank("mae", 0.4, np.array([0.4] * 70 + [0.6] * 30), others)
    assert found is not None and found.place == 1 and found.luck == pytest.approx(0.3)
