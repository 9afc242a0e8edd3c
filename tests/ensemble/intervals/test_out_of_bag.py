"""Smaller ensembles of the replicates that left a molecule out, against loops and simulated truth."""

import numpy as np
import pytest
from scipy.special import expit

from manywalks.ensemble.intervals import calibration
from manywalks.ensemble.intervals.calibration import LEVELS
from manywalks.ensemble.intervals.out_of_bag import (
    as_whole,
    as_whole_errors,
    as_whole_probabilities,
    excess,
    left_out,
)
from manywalks.replicates.combine import MEAN, Combining, combine


def bagged(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """The same predictions (m, n), NaN where a bootstrap would have drawn the molecule."""
    return np.where(rng.random(values.shape) < np.exp(-1), values, np.nan)


@pytest.mark.parametrize("how", [MEAN, Combining("median"), Combining("trimmed"), Combining(logits=True)])
def test_a_molecule_is_seen_by_those_replicates_alone_that_left_it_out(how: Combining) -> None:
    rng = np.random.default_rng(1)
    replicates = bagged(rng, rng.random((9, 200)))
    found = left_out(replicates, how)
    for column, mean, spread, count in zip(replicates.T, found.mean, found.spread, found.count, strict=True):
        own = column[~np.isnan(column)]
        assert count == len(own)
        if len(own) < 2:
            assert np.isnan(mean)
            assert np.isnan(spread)
        else:
            assert mean == pytest.approx(combine(own[:, None], how)[0])
            assert spread == pytest.approx(own.std(ddof=1))


def test_replicates_that_left_all_out_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(2)
    replicates, observed = rng.normal(size=(6, 30)), rng.normal(size=30)
    for kind in ("regression", "classification"):
        found = as_whole(replicates, observed, kind, MEAN)
        np.testing.assert_array_equal(found.places, np.arange(30))
        np.testing.assert_allclose(found.mean, replicates.mean(axis=0))
        np.testing.assert_allclose(found.spread, replicates.std(axis=0, ddof=1))


def test_no_molecule_that_was_left_out_twice_gives_nothing() -> None:
    found = as_whole(np.full((4, 5), np.nan), np.zeros(5), "regression", MEAN)
    assert found.places.size == found.mean.size == found.spread.size == 0


def simulated(rng: np.random.Generator, replicates: int, molecules: int) -> np.ndarray:
    """Errors (m, n) of replicates: one that all share at a molecule, and each one's own, larger at some."""
    own = np.exp(0.6 * rng.standard_normal(molecules) - 0.18)
    shared = np.sqrt(0.5 + 0.5 * own) * rng.standard_normal(molecules)
    return shared + np.sqrt(own) * rng.standard_normal((replicates, molecules))


@pytest.mark.parametrize("replicates", [8, 24])
def test_errors_are_as_large_as_those_of_all_replicates(replicates: int) -> None:
    rng = np.random.default_rng(replicates)
    ratios, plain = [], []
    for _ in range(40):
        errors = simulated(rng, replicates, 500)
        left = left_out(bagged(rng, errors), MEAN)
        there = np.mean(errors.mean(axis=0) ** 2)
        small = left.mean[left.known]
        ratios.append(np.mean(as_whole_errors(small, excess(left, MEAN)) ** 2) / there)
        plain.append(np.mean(small**2) / there)
    assert np.mean(ratios) == pytest.approx(1, abs=0.015)
    assert np.mean(plain) > 1.04


def test_intervals_hold_what_they_say_at_molecules_that_no_replicate_drew() -> None:
    rng = np.random.default_rng(5)
    within = []
    for _ in range(60):
        errors = simulated(rng, 12, 2300)
        seen = as_whole(bagged(rng, errors[:, :300]), np.zeros(300), "regression", MEAN)
        fitted = calibration.fit(np.zeros(len(seen.places)), seen.mean, seen.spread, "regression")
        mean, spread = errors[:, 300:].mean(axis=0), errors[:, 300:].std(axis=0, ddof=1)
        ends = [fitted.interval(mean, spread, level) for level in LEVELS]
        within.append([np.mean((low <= 0) & (high >= 0)) for low, high in ends])
    assert np.mean(within, axis=0) == pytest.approx(LEVELS, abs=0.012)


def test_probabilities_are_calibrated_as_those_of_all_replicates_are() -> None:
    rng = np.random.default_rng(6)
    slopes = []
    for _ in range(40):
        logit = 1.5 * rng.standard_normal(600)
        positive = (rng.random(600) < expit(logit)).astype(np.float64)
        replicates = expit(logit + 1.5 * rng.standard_normal((10, 600)))
        left = left_out(bagged(rng, replicates), MEAN)
        known = left.known
        corrected = as_whole_probabilities(left.mean[known], excess(left, MEAN))
        assert ((corrected > 0) & (corrected < 1)).all()
        ways = (
            (positive, replicates.mean(axis=0)),
            (positive[known], corrected),
            (positive[known], left.mean[known]),
        )
        slopes.append([calibration.fit(y, p, np.zeros(len(p)), "classification").slope for y, p in ways])
    whole, corrected, plain = np.mean(slopes, axis=0)
    assert corrected == pytest.approx(whole, rel=0.04)
    assert plain < 0.9 * whole


def test_a_calibration_names_the_molecules_that_it_had_too_few_of() -> None:
    y = np.arange(12.0)
    fitted = calibration.fit(
        y, y + 0.1, np.ones(12), "regression", early_stopping=True, reference="out of bag"
    )
    assert fitted.notes == ("12 training molecules are too few to guarantee intervals of 95 %",)
    assert calibration.Calibration.from_json(fitted.to_json()) == fitted
