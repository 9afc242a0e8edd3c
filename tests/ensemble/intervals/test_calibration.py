"""Calibration: what is known of simulated errors is found, and intervals hold what they say."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from manywalks.ensemble.intervals import calibration, probability_maps
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.evaluate.calibration_check import diagnose
from manywalks.evaluate.statement import uncertainty


def simulate(rng: np.random.Generator, n: int, residual: float = 0.5, share: float = 2.0, df: float = np.inf):
    """Observed, mean and spread (n,) with errors of variance residual + share * spread^2."""
    spread = rng.gamma(4, 0.1, size=n)
    noise = rng.standard_normal(n) if np.isinf(df) else rng.standard_t(df, n) / np.sqrt(df / (df - 2))
    mean = rng.normal(size=n)
    return mean + noise * np.sqrt(residual + share * spread**2), mean, spread


def test_residual_variance_and_share_are_found():
    fitted = calibration.fit(*simulate(np.random.default_rng(0), 20_000), "regression")
    assert fitted.residual == pytest.approx(0.5, rel=0.1)
    assert fitted.share == pytest.approx(2, rel=0.2)
    assert fitted.predicted_sd(np.array([0.5])) == pytest.approx(1.0, rel=0.03)


def test_a_spread_without_meaning_gets_no_share():
    rng = np.random.default_rng(1)
    _, mean, spread = simulate(rng, 5000)
    fitted = calibration.fit(mean + rng.normal(size=5000), mean, spread, "regression")
    assert fitted.share * np.mean(spread**2) < 0.1


@pytest.mark.parametrize("df", [np.inf, 3.0])
@pytest.mark.parametrize("n", [12, 25, 60, 300, 3000])
def test_intervals_hold_what_they_say(n, df):
    rng = np.random.default_rng(n)
    held = {coverage: [] for coverage in calibration.LEVELS}
    for _ in range(60 if n < 1000 else 5):
        fitted = calibration.fit(*simulate(rng, n, df=df), "regression")
        observed, mean, spread = simulate(rng, 1000, df=df)
        for coverage, shares in held.items():
            low, high = fitted.interval(mean, spread, coverage)
            shares.append(np.mean((low <= observed) & (observed <= high)))
    spare = 0.03 if n < 100 else 0.02
    for coverage, shares in held.items():
        assert coverage - spare <= np.mean(shares) <= min(1, coverage + spare + 1 / n)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 2500))
def test_intervals_widen_with_coverage(seed, n):
    fitted = calibration.fit(*simulate(np.random.default_rng(seed), n), "regression")
    guaranteed = [c for c in np.linspace(0.05, 0.99, 30) if fitted.is_guaranteed(c)]
    assert (np.diff([fitted.quantile(c) for c in guaranteed]) >= 0).all()


def test_thinned_scores_lose_no_coverage():
    observed, mean, spread = simulate(np.random.default_rng(2), 12_345)
    fitted = calibration.fit(observed, mean, spread, "regression")
    assert len(fitted.scores) <= 1000
    scores = np.sort(np.abs(observed - mean) / fitted.predicted_sd(spread))
    for coverage in calibration.LEVELS:
        exact = scores[int(np.ceil(12_346 * coverage)) - 1]
        assert exact <= fitted.quantile(coverage) <= 1.02 * exact


def test_few_molecules_are_said_and_still_get_an_interval():
    fitted = calibration.fit(*simulate(np.random.default_rng(3), 5), "regression")
    assert any("too few to guarantee intervals of 90 %, 95 %" in note for note in fitted.notes)
    assert not fitted.is_guaranteed(0.9) and np.isfinite(fitted.quantile(0.9))
    none = calibration.fit(np.full(4, np.nan), np.zeros(4), np.ones(4), "regression")
    assert "no valid molecule was measured" in none.notes[0]
    assert np.isfinite(none.interval(np.zeros(2), np.ones(2), 0.9)).all()


def test_one_molecule_and_none_are_said_as_what_they_are():
    one = calibration.fit(*simulate(np.random.default_rng(3), 1), "regression")
    assert one.notes[0].startswith("1 valid molecule is too few")
    none = calibration.fit(np.full(4, np.nan), np.full(4, 0.5), np.ones(4), "classification")
    assert none.notes == ("no valid molecule was measured, so the probabilities are not calibrated",)


def test_a_perfect_ensemble_divides_by_no_zero():
    fitted = calibration.fit(np.arange(40.0), np.arange(40.0), np.zeros(40), "regression")
    assert np.isfinite(fitted.scores).all() and fitted.residual > 0


def test_overconfident_probabilities_are_drawn_back():
    rng = np.random.default_rng(4)
    logit = rng.normal(size=20_000) * 1.5
    observed = (rng.random(20_000) < 1 / (1 + np.exp(-(0.4 + logit)))).astype(float)
    stated = 1 / (1 + np.exp(-3 * logit))
    fitted = calibration.fit(observed, stated, np.zeros(20_000), "classification")
    assert fitted.slope == pytest.approx(1 / 3, rel=0.08)
    assert fitted.intercept == pytest.approx(0.4, abs=0.06)
    found = diagnose(fitted, observed, stated, np.zeros(20_000), replicates=np.stack([stated, stated]))
    assert found["ece"] < 0.02 < found["uncalibrated"]["ece"]
    assert found["log_loss"] < found["uncalibrated"]["log_loss"]
    assert found["mutual_information"] == pytest.approx(0, abs=1e-12)
    assert not found["worse"]


def test_a_calibration_on_other_molecules_than_those_of_the_test_is_found_out():
    rng = np.random.default_rng(5)
    stated = rng.uniform(0.05, 0.95, 1200)
    observed = (rng.random(1200) < stated).astype(float)
    valid = np.where(np.arange(1200) < 45, 1.0, observed)  # nearly all of one class
    valid[[0, 1, 45]] = 0.0
    fitted = calibration.fit(valid[:46], stated[:46], np.zeros(46), "classification")
    assert diagnose(fitted, observed, stated, np.zeros(1200))["worse"]
    fair = calibration.fit(observed, stated, np.zeros(1200), "classification")
    assert not diagnose(fair, observed, stated, np.zeros(1200))["worse"]


def bent_world(rng: np.random.Generator, n: int):
    """Observed classes and stated probabilities that are off in a way that no line on the logit mends."""
    logit = rng.normal(size=n) * 2
    true = np.where(logit > 0, 0.62, 0.38) + 0.3 * np.tanh(logit / 8)
    return (rng.random(n) < true).astype(float), 1 / (1 + np.exp(-logit)), true


def test_a_bent_truth_takes_a_curve():
    rng = np.random.default_rng(12)
    observed, stated, _ = bent_world(rng, 3000)
    fits = {
        method: calibration.fit(observed, stated, np.zeros(3000), "classification", method=method)
        for method in ("logistic", "isotonic", "auto")
    }
    observed, stated, true = bent_world(rng, 20_000)
    off = {name: np.mean((fitted.probability(stated) - true) ** 2) for name, fitted in fits.items()}
    assert off["isotonic"] < off["logistic"] / 2
    assert fits["auto"].knots == fits["isotonic"].knots
    losses = fits["logistic"].cross_fitted
    assert losses["isotonic"] < losses["logistic"] < losses["none"]


def test_cross_fitted_losses_are_those_of_new_molecules():
    rng = np.random.default_rng(13)
    told, true = [], []
    for _ in range(30):
        observed, stated, _ = bent_world(rng, 150)
        fitted = calibration.fit(observed, stated, np.zeros(150), "classification", method="isotonic")
        fresh, at, _ = bent_world(rng, 4000)
        told.append(fitted.cross_fitted["isotonic"])
        true.append(probability_maps.log_loss(np.asarray(fresh > 0.5), fitted.probability(at)))
    own = probability_maps.log_loss(np.asarray(observed > 0.5), fitted.probability(stated))
    assert abs(np.mean(told) - np.mean(true)) < 0.03
    assert own < fitted.cross_fitted["isotonic"]  # the molecules of the fit would flatter it


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(60, 300))
def test_an_isotonic_curve_rises_and_is_never_certain(seed, n):
    rng = np.random.default_rng(seed)
    stated = rng.random(n)
    observed = (rng.random(n) < stated).astype(float)
    observed[:40] = np.repeat([0.0, 1.0], 20)
    fitted = calibration.fit(observed, stated, np.zeros(n), "classification", method="isotonic")
    found = fitted.probability(np.linspace(0, 1, 200))
    assert (np.diff(found) >= 0).all()
    assert (found >= 1 / (n + 2)).all() and (found <= 1 - 1 / (n + 2)).all()


def test_knots_left_out_change_nothing():
    rng = np.random.default_rng(14)
    observed, stated, _ = bent_world(rng, 400)
    folds = probability_maps.folds_of(observed > 0.5)
    from sklearn.isotonic import IsotonicRegression

    grid = np.linspace(0.001, 0.999, 500)
    slow = np.mean(
        [
            IsotonicRegression(out_of_bounds="clip")
            .fit(probability_maps.logit(stated[folds != fold]), observed[folds != fold])
            .predict(probability_maps.logit(grid))
            for fold in range(probability_maps.FOLDS)
        ],
        axis=0,
    )
    found = probability_maps.mean_isotonic(observed > 0.5, stated)
    np.testing.assert_allclose(found(grid), slow, atol=1e-6)
    knots = probability_maps.fit_isotonic(observed > 0.5, stated)
    np.testing.assert_array_equal(knots.values, np.clip(found.values, 1 / 402, 401 / 402))


@pytest.mark.parametrize(
    ("ones", "said"),
    [
        (39, "only 1 of 40 valid molecules is negative, so the probabilities are not calibrated"),
        (2, "only 2 of 40 valid molecules are positive, so the probabilities are not calibrated"),
        (0, "all valid molecules are of one class, so the probabilities are not calibrated"),
    ],
)
def test_one_or_two_molecules_of_a_class_calibrate_nothing(ones: int, said: str) -> None:
    observed, stated = np.repeat([0.0, 1.0], [40 - ones, ones]), np.linspace(0.1, 0.9, 40)
    fitted = calibration.fit(observed, stated, np.zeros(40), "classification")
    np.testing.assert_allclose(fitted.probability(stated), stated)
    assert fitted.notes == (said,)
    assert diagnose(fitted, observed, stated, np.zeros(40))["not_calibrated"] == said
    three = np.repeat([0.0, 1.0], [37, 3])
    line = calibration.fit(three, stated, np.zeros(40), "classification")
    assert line.slope != 1
    assert diagnose(line, three, stated, np.zeros(40))["not_calibrated"] is None


def test_too_few_for_a_curve_get_a_line_and_are_told():
    observed, stated = np.repeat([0.0, 1.0], [40, 15]), np.linspace(0.1, 0.9, 55)
    fitted = calibration.fit(observed, stated, np.zeros(55), "classification", method="isotonic")
    assert fitted.knots == ()
    assert "too few for an isotonic curve" in fitted.notes[-1]


def test_the_range_of_replicates_holds_so_many_of_them():
    replicates = np.random.default_rng(15).random((400, 3))
    low, high = probability_maps.replicate_range(replicates, 0.9)
    np.testing.assert_allclose(((low <= replicates) & (replicates <= high)).mean(axis=0), 0.9, atol=0.01)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=12))
def test_few_classes_keep_the_order_of_probabilities(rows):
    y, p = np.array([float(a) for a, _ in rows]), np.array([b for _, b in rows])
    fitted = calibration.fit(y, p, np.zeros(len(rows)), "classification")
    calibrated = fitted.probability(np.linspace(0, 1, 21))
    assert ((calibrated >= 0) & (calibrated <= 1)).all() and (np.diff(calibrated) > -1e-12).all()
    assert fitted.notes


def test_it_comes_back_from_json():
    for kind in ("regression", "classification"):
        observed, mean, spread = simulate(np.random.default_rng(5), 80)
        observed, mean = (observed, mean) if kind == "regression" else (observed > 0, 1 / (1 + np.exp(-mean)))
        fitted = calibration.fit(np.asarray(observed, float), mean, spread, kind, early_stopping=True)
        assert "also decided when replicates stopped" in fitted.notes[0]
        assert Calibration.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False))) == fitted
    observed, stated, _ = bent_world(np.random.default_rng(6), 200)
    bent = calibration.fit(observed, stated, np.zeros(200), "classification", method="isotonic")
    assert len(bent.knots) > 5
    assert Calibration.from_json(json.loads(json.dumps(bent.to_json(), allow_nan=False))) == bent


def test_diagnosis_of_errors_as_stated_is_within_its_reference():
    rng = np.random.default_rng(16)
    fitted = calibration.fit(*simulate(rng, 4000), "regression")
    found = diagnose(fitted, *simulate(rng, 1000))
    for row in found["intervals"]:
        assert row["low"] <= row["stated"] <= row["high"] and row["guaranteed"]
    for name in ("nll", "crps", "ence", "miscalibration_area", "spearman"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    json.dumps(found, allow_nan=False)


def test_diagnosis_shows_stated_errors_that_are_too_small():
    rng = np.random.default_rng(7)
    fitted = calibration.fit(*simulate(rng, 2000, residual=0.05, share=0.2), "regression")
    found = diagnose(fitted, *simulate(rng, 500))
    for name in ("nll", "ence", "miscalibration_area"):
        assert found[name]["value"] > found[name]["high"]
    assert found["intervals"][2]["high"] < 0.9


def test_diagnosis_of_nothing_is_short():
    fitted = calibration.fit(*simulate(np.random.default_rng(8), 50), "regression")
    assert diagnose(fitted, np.full(3, np.nan), np.zeros(3), np.ones(3))["molecules"] == 0


def test_crps_is_the_integral():
    grid = np.linspace(-12, 12, 24_001)
    for error, sd in ((0.3, 1.0), (-2.0, 0.7)):
        below = 0.5 * (1 + np.vectorize(__import__("math").erf)(grid / sd / np.sqrt(2)))
        slow = np.sum((below - (grid >= error)) ** 2) * (grid[1] - grid[0])
        assert uncertainty.crps(np.array([error]), np.array([sd])) == pytest.approx(slow, abs=1e-3)


def test_binomial_interval_is_clopper_and_pearsons():
    # 5 of 10: 18.71 % to 81.29 %
    assert uncertainty.binomial_interval(5, 10) == pytest.approx((0.1871, 0.8129), abs=1e-4)
    assert uncertainty.binomial_interval(0, 10)[0] == 0 and uncertainty.binomial_interval(10, 10)[1] == 1


def test_mutual_information_is_largest_when_replicates_contradict():
    replicates = np.array([[1.0, 0.5], [0.0, 0.5]])
    assert uncertainty.mutual_information(replicates) == pytest.approx(np.log(2) / 2, abs=1e-6)


def test_intervals_of_few_molecules_hold_as_often_as_stated() -> None:
    """Fitted on the molecules that give the scores, 30 of them gave 89.2 % for 90.3 %."""
    held = []
    with threadpool_limits(1):
        for seed in range(300):
            rng = np.random.default_rng(seed)
            fitted = calibration.fit(*simulate(rng, 30), "regression")
            observed, mean, spread = simulate(rng, 200)
            low, high = fitted.interval(mean, spread, 0.9)
            held.append(np.mean((low <= observed) & (observed <= high)))
    # the 28th of 30 scores
    assert abs(np.mean(held) - 28 / 31) < 0.008


@pytest.mark.parametrize("n", [15, 30, 100])
def test_with_one_spread_for_all_the_interval_is_the_order_statistic_of_the_errors(n: int) -> None:
    error = np.random.default_rng(n).standard_t(4, n)
    fitted = calibration.fit(error, np.zeros(n), np.full(n, 0.3), "regression")
    low, high = fitted.interval(np.zeros(1), np.array([0.3]), 0.8)
    expected = np.sort(np.abs(error))[int(np.ceil((n + 1) * 0.8)) - 1]
    assert high[0] == pytest.approx(expected) and low[0] == pytest.approx(-expected)


def test_a_coverage_that_few_molecules_cannot_guarantee_is_noted() -> None:
    fitted = calibration.fit(*simulate(np.random.default_rng(0), 50), "regression", coverage=0.99)
    assert any(
        "50 valid molecules are too few to guarantee intervals of 99 %" in note for note in fitted.notes
    )
