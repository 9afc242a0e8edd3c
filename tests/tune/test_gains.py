"""Gains over the present settings, and when a trial is beaten."""

import numpy as np
import pytest

from manywalks.tune.gains import Gain, Pooled, Score, gain_over, is_beaten, pooled


def made(rng: np.random.Generator, gains: dict[int, float], splits: int, between: float, noise: float):
    """Scores of configurations (-1: the present settings) with known gains."""
    hard = rng.normal(0, 5, splits)  # how hard a split is, the same for all
    return {
        number: {
            s: Score(
                float(hard[s] + gain + rng.normal(0, between / np.sqrt(2)) + rng.normal(0, noise)), noise**2
            )
            for s in range(splits)
        }
        for number, gain in {-1: 0.0, **gains}.items()
    }


def test_a_gain_is_the_mean_difference_on_shared_splits() -> None:
    scores = {
        -1: {0: Score(1.0, 0.0), 1: Score(5.0, 0.0), 2: Score(9.0, 0.0)},
        4: {0: Score(2.0, 0.01), 1: Score(8.0, 0.03)},
    }
    found = gain_over(scores, 4, -1, Pooled(0.5, 3))
    assert (found.splits, found.mean, found.freedom) == (2, 2.0, 3)
    assert found.error == pytest.approx(np.sqrt((0.5 + 0.02) / 2))


def test_the_variance_between_splits_is_that_of_differences_without_the_replicates_noise() -> None:
    rng = np.random.default_rng(0)
    scores = made(rng, dict.fromkeys(range(60), 0.0), 10, between=1.0, noise=0.5)
    found = pooled(scores, -1)
    assert found.freedom == 60 * 9
    assert found.variance == pytest.approx(1.0, rel=0.35)


def test_without_trials_nothing_is_known() -> None:
    assert pooled({-1: {0: Score(1.0, 0.1)}}, -1) == Pooled(0.0, 0)


def test_intervals_hold_the_true_gain_as_often_as_they_say() -> None:
    rng, held = np.random.default_rng(1), []
    for _ in range(300):
        scores = made(rng, {n: 0.3 * n for n in range(6)}, 5, between=1.0, noise=0.3)
        between = pooled(scores, -1)
        for number in range(6):
            gain = gain_over(scores, number, -1, between)
            held.append(abs(gain.mean - 0.3 * number) <= gain.half)
    assert 0.92 < np.mean(held) < 0.98


def test_a_trial_that_is_as_good_as_the_best_is_seldom_ended() -> None:
    rng, ended = np.random.default_rng(2), []
    for _ in range(400):
        scores = made(rng, {0: 1.0, 1: 1.0, 2: 0.5, 3: 0.0}, 5, between=1.0, noise=0.3)
        ended.append(is_beaten(gain_over(scores, 1, 0, pooled(scores, -1))))
    assert 0.05 < np.mean(ended) < 0.15  # by its interval, 90 % sure


def test_the_interval_and_not_the_value_ends_a_trial() -> None:
    assert is_beaten(Gain(2, -1.0, 0.1, 10))
    assert not is_beaten(Gain(2, -1.0, 1.0, 10))
    assert not is_beaten(Gain(2, 0.5, 0.1, 10))
