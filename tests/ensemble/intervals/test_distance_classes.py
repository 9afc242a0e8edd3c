"""Intervals by distance: each third of the valid molecules has a width of its own."""

import numpy as np
import pytest

from manywalks.ensemble.intervals import calibration
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.ensemble.intervals.distance_classes import DistanceClasses, fit_classes


def drawn(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors that are larger far from the training molecules, similarities, and a spread without meaning."""
    similarity = rng.random(n)
    return rng.normal(size=n) * (1.5 - similarity), similarity, np.full(n, 0.1)


def test_near_and_far_molecules_are_covered_alike() -> None:
    rng = np.random.default_rng(0)
    by_class, plain = [], []
    for _ in range(60):
        error, similarity, spread = drawn(rng, 240)
        fitted = calibration.fit(error, np.zeros(240), spread, "regression", similarity=similarity)
        error, similarity, spread = drawn(rng, 600)
        thirds = np.digitize(similarity, [1 / 3, 2 / 3])
        for found, near in ((by_class, similarity), (plain, None)):
            low, high = fitted.interval(np.zeros(600), spread, 0.9, near)
            within = (low <= error) & (error <= high)
            found.append([within[thirds == third].mean() for third in range(3)])
    assert np.abs(np.mean(by_class, axis=0) - 0.9).max() < 0.02
    assert np.mean(plain, axis=0)[0] < 0.85 and np.mean(plain, axis=0)[2] > 0.95


def test_a_class_holds_the_order_statistic_of_its_own_scores() -> None:
    rng = np.random.default_rng(1)
    scores, similarity = rng.gamma(2, size=240), rng.random(240)
    found = fit_classes(scores, similarity)
    order = np.argsort(similarity)
    for third, at in zip(np.array_split(order, 3), (0.05, 0.5, 0.95), strict=True):
        expected = np.sort(scores[third])[int(np.ceil(81 * 0.9)) - 1]
        assert found.quantiles(0.9, np.array([at]), 7.0)[0] == pytest.approx(expected)


def test_few_molecules_and_unknown_similarities_have_the_width_of_all() -> None:
    rng = np.random.default_rng(2)
    assert fit_classes(rng.random(179), rng.random(179)) == DistanceClasses()
    assert fit_classes(rng.random(200), np.full(200, 0.5)) == DistanceClasses()  # no thirds
    assert fit_classes(rng.random(200), np.full(200, np.nan)) == DistanceClasses()
    found = fit_classes(rng.random(240), rng.random(240))
    assert found.quantiles(0.9, np.array([np.nan]), 7.0).tolist() == [7.0]
    assert found.quantiles(0.99, np.array([0.5]), 7.0).tolist() == [7.0]  # 80 are too few for 99 %


def test_classes_come_back_from_json_and_former_models_have_none() -> None:
    error, similarity, spread = drawn(np.random.default_rng(3), 240)
    fitted = calibration.fit(error, np.zeros(240), spread, "regression", similarity=similarity)
    content = fitted.to_json()
    assert fitted.classes.scores and Calibration.from_json(content) == fitted
    del content["classes"]
    assert Calibration.from_json(content).classes == DistanceClasses()
