"""The paired comparison: verdicts hold as often as they say, replicate noise included."""

import numpy as np
import pytest

from manywalks.refresh import drift
from manywalks.refresh.contest import Ensembled, Rule, contest, verdict

RULE = Rule(metric="rmse", margin=0.02, confidence=0.95, min_molecules=30)


def ensemble(
    truth: np.ndarray, error: np.ndarray, spread: float, m: int, rng: np.random.Generator
) -> Ensembled:
    """m replicates about truth + error, apart by `spread` along a few common directions and by themselves."""
    n = truth.size
    common = rng.normal(size=(m, 3)) @ rng.normal(size=(3, n)) / np.sqrt(3)
    replicates = truth + error + spread * (0.7 * common + 0.7 * rng.normal(size=(m, n)))
    return Ensembled(replicates.mean(axis=0), replicates)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-2, -1, "better"), (1, 2, "worse"), (-0.4, 0.4, "equivalent"), (-2, 0.1, "undecided"),
     (-0.1, 3, "undecided"), (-0.4, -0.1, "equivalent")],
)  # fmt: skip
def test_a_verdict_is_what_the_interval_says(low: float, high: float, said: str) -> None:
    assert verdict(low, high, 0.5) == said


def test_a_better_and_a_worse_challenger_are_told() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=400)
    error = rng.normal(size=400)
    good, bad = ensemble(truth, 0.5 * error, 0.2, 16, rng), ensemble(truth, error, 0.2, 16, rng)
    assert contest(bad, good, truth, RULE)["verdict"] == "better"
    assert contest(good, bad, truth, RULE)["verdict"] == "worse"


def test_a_model_is_equivalent_to_itself_and_to_its_retraining() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=300)
    error = rng.normal(size=300)
    one, other = (ensemble(truth, error, 0.2, 64, rng) for _ in range(2))
    assert contest(one, other, truth, RULE)["verdict"] == "equivalent"


def test_few_molecules_are_undecided() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=29)
    one = ensemble(truth, np.zeros(29), 0.2, 8, rng)
    found = contest(one, one, truth, RULE)
    assert found["verdict"] == "undecided"
    assert found["low"] is None
    nothing = Ensembled(one.mean[:0], one.replicates[:, :0])
    assert contest(nothing, nothing, truth[:0], RULE)["champion"] is None


@pytest.mark.parametrize("spread", [0.1, 1.5])
def test_two_trainings_of_one_model_are_seldom_told_apart(spread: float) -> None:
    """Replicates far apart: what differs is luck, and an interval without it would be wrong often."""
    rng = np.random.default_rng(4)
    missed = 0
    trials = 400
    for _ in range(trials):
        truth = rng.normal(size=150)
        error = rng.normal(size=150)
        one, other = (ensemble(truth, error, spread, 8, rng) for _ in range(2))
        found = contest(one, other, truth, RULE)
        missed += not found["low"] <= 0 <= found["high"]
    assert missed / trials <= 0.075


def test_two_models_are_seldom_told_apart_on_molecules_that_come_in_series() -> None:
    """Ten molecules a series share half of the error: taken one by one, they would be told apart often."""
    rng = np.random.default_rng(7)
    series = np.repeat(np.arange(15), 10)
    missed = {"by series": 0, "one by one": 0}
    for _ in range(400):
        truth = rng.normal(size=150)
        sides = []
        for _ in range(2):
            error = rng.normal(size=15)[series] + rng.normal(size=150)
            sides.append(ensemble(truth, error / np.sqrt(2), 0.1, 8, rng))
        for name, groups in (("by series", series), ("one by one", None)):
            found = contest(sides[0], sides[1], truth, RULE, groups)
            missed[name] += not found["low"] <= 0 <= found["high"]
    assert missed["by series"] / 400 <= 0.075 < missed["one by one"] / 400


def test_one_series_alone_is_undecided() -> None:
    rng = np.random.default_rng(8)
    truth = rng.normal(size=40)
    one, other = (ensemble(truth, rng.normal(size=40), 0.2, 8, rng) for _ in range(2))
    assert contest(one, other, truth, RULE, np.zeros(40, dtype=int))["verdict"] == "undecided"


def test_many_endpoints_may_share_out_a_high_confidence() -> None:
    rng = np.random.default_rng(9)
    truth = rng.normal(size=200)
    one, other = (ensemble(truth, rng.normal(size=200), 0.2, 8, rng) for _ in range(2))
    widths = []
    for confidence in (0.95, 0.99999):
        found = contest(one, other, truth, Rule("rmse", 0.02, confidence, 30))
        widths.append(found["high"] - found["low"])
    assert widths[1] > 2 * widths[0]


def test_classes_are_judged_by_their_probabilities() -> None:
    rng = np.random.default_rng(5)
    truth = (rng.random(500) < 0.4).astype(float)
    sure = np.clip(np.abs(truth - 0.2) + 0.05 * rng.normal(size=(8, 500)), 0.01, 0.99)
    unsure = np.clip(0.5 + 0.2 * (sure - 0.5), 0.01, 0.99)
    rule = Rule("brier", 0.02, 0.95, 30)
    sides = [Ensembled(replicates.mean(axis=0), replicates) for replicates in (unsure, sure)]
    assert contest(sides[0], sides[1], truth, rule)["verdict"] == "better"
    assert contest(sides[0], sides[1], truth, Rule("log_loss", 0.02, 0.95, 30))["verdict"] == "better"


def test_drift_is_small_for_draws_of_one_distribution_and_large_for_a_shift() -> None:
    rng = np.random.default_rng(6)
    old = rng.normal(size=2000)
    alike, shifted = (
        drift.value_drift(old, rng.normal(size=500)),
        drift.value_drift(old, 1 + rng.normal(size=500)),
    )
    assert alike["psi"] < 0.1 < 0.2 < shifted["psi"]
    assert alike["ks"] < 0.1 < shifted["ks"]
    assert alike["p"] > 1e-3 > shifted["p"]


@pytest.mark.parametrize(("before", "after"), [(0, 100), (100, 0), (10, 30)])
def test_a_shift_of_classes_is_warned_of(before: int, after: int) -> None:
    old, new = (np.repeat([1.0, 0.0], [ones, 100 - ones]) for ones in (before, after))
    found = {"toxic": drift.value_drift(old, new)}
    none = drift.structure_drift(np.zeros(0), np.zeros(0, dtype=bool))
    assert drift.warnings_of(none, found, 0.3, 0.2)[0].startswith("toxic: ")


def test_the_same_share_of_a_class_is_no_drift() -> None:
    old = np.repeat([1.0, 0.0], [10, 90])
    assert drift.value_drift(old, old)["p"] == pytest.approx(1)


def test_psi_is_the_published_sum_over_bins() -> None:
    old = np.repeat(np.arange(4.0), [40, 30, 20, 10])
    new = np.repeat(np.arange(4.0), [10, 20, 30, 40])
    p, q = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    assert drift.psi(old, new) == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_few_values_say_nothing_and_warn_of_nothing() -> None:
    values = {"y": drift.value_drift(np.array([1.0, np.nan]), np.arange(9.0))}
    assert values["y"]["psi"] is None
    none = drift.structure_drift(np.zeros(0), np.zeros(0, dtype=bool))
    assert drift.warnings_of(none, values, 0.3, 0.2) == []


def test_a_warning_names_threshold_and_key() -> None:
    far = drift.structure_drift(np.full(10, 0.1), np.arange(10) < 4)
    said = drift.warnings_of(
        far, {"y": {"psi": 0.5, "ks": 0.4, "p": 1e-6}, "z": {"psi": 0.5, "ks": 0.4, "p": 0.3}}, 0.3, 0.2
    )
    assert "60% of 10 new molecules" in said[0] and "refresh.drift_outside_share" in said[0]
    assert len(said) == 2  # z: no more than chance does
    assert said[1].startswith("y: ") and "refresh.drift_psi" in said[1]
