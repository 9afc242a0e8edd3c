"""The verdict on a retrained ensemble: as often right as promised, and never fooled by other data."""

import numpy as np
import pytest

from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.params.sections.cut import Cut
from manywalks.replicates.combine import MEAN
from manywalks.replicates.statistics.bound import difference_bound
from manywalks.replicates.statistics.decisions import difference_error, flip_chances
from manywalks.reproduce.agreement import Terms, agreement, decided, suspicious_replicates, verdict

N = 120


def replicates(rng: np.random.Generator, count: int, centre: np.ndarray, spread: float = 0.3) -> np.ndarray:
    """Gaussian replicates (count, n) about a function of the molecules."""
    return centre + rng.normal(0, spread, (count, N))


def asked(**changes: object) -> Terms:
    settings = {
        "kind": "regression", "unit": "log M", "confidence": 0.95, "endpoints": 1, "threshold": 0.5,
        "combining": MEAN, "adaptive": False,
    }  # fmt: skip
    return Terms(**{**settings, **changes})  # pyright: ignore[reportArgumentType]


def judged(model: np.ndarray, fresh: np.ndarray, centre: np.ndarray, **changes: object) -> dict:
    return agreement(model, fresh, centre, np.full(N, "="), asked(**changes))


def test_honest_retrainings_agree_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    centre = rng.normal(size=N)
    hits = [
        judged(replicates(rng, 12, centre), replicates(rng, 12, centre), centre)["agrees"] for _ in range(60)
    ]
    assert np.mean(hits) >= 0.88  # 53 of 60: less has a chance of 0.5 % at 95 %


def test_other_numbers_of_fresh_replicates_are_judged_by_their_own_bound() -> None:
    rng = np.random.default_rng(2)
    centre = rng.normal(size=N)
    model = replicates(rng, 16, centre)
    few, many = (judged(model, replicates(rng, k, centre), centre) for k in (4, 64))
    assert few["judged_by"] > many["judged_by"]
    assert few["metrics"]["rmse"]["bound"] > many["metrics"]["rmse"]["bound"]


def test_another_function_is_found_out() -> None:
    rng = np.random.default_rng(3)
    centre = rng.normal(size=N)
    found = judged(replicates(rng, 16, centre), replicates(rng, 16, centre + 0.3), centre)
    assert not found["agrees"]
    assert "does NOT agree" in verdict(found, "logS")


def test_probabilities_are_compared_before_calibration_and_the_verdict_says_so() -> None:
    rng = np.random.default_rng(5)
    centre = rng.uniform(0.3, 0.7, size=N)
    model, fresh = (np.clip(replicates(rng, 8, centre, 0.05), 0, 1) for _ in range(2))
    observed = (centre > 0.5).astype(float)
    found = agreement(model, fresh, observed, np.full(N, "="), asked(kind="classification", unit=""))
    assert " in probability before calibration (root mean square" in verdict(found, "active")


def test_a_replicate_of_other_values_among_the_models_is_named_suspicious() -> None:
    rng = np.random.default_rng(4)
    centre = rng.normal(size=N)
    model, fresh = replicates(rng, 16, centre), replicates(rng, 16, centre)
    assert judged(model, fresh, centre)["agrees"]
    model[5] = replicates(rng, 1, rng.permutation(centre))[0]  # of the same molecules with other values
    found = judged(model, fresh, centre)
    assert found["suspicious_replicates"] == [5]
    assert found["difference"] < found["judged_by"]  # it widens the bound that it is judged by
    assert found["agrees"], "suspicious is no verdict"
    assert "Suspicious: replicates 5 of the model are much farther" in verdict(found, "logS")


@pytest.mark.parametrize("m", [8, 16])
@pytest.mark.parametrize("first", [0.0, 0.3, 0.9])
def test_honest_replicates_are_seldom_suspicious_whatever_their_directions(first: float, m: int) -> None:
    rng = np.random.default_rng(6)
    scale = np.sqrt(np.r_[first, np.full(N - 1, (1 - first) / (N - 1))])
    alarms = [
        bool(suspicious_replicates(*(rng.normal(size=(count, N)) * scale for count in (m, m))))
        for _ in range(600)
    ]
    # with 30 % of the variance in one direction, 31 and 45 in 1,000 were called foreign before
    assert np.mean(alarms) <= (0.02 if m == 8 else 0.01)


def test_the_level_of_suspicion_is_shared_by_the_endpoints() -> None:
    rng = np.random.default_rng(7)
    scale = np.sqrt(np.r_[0.3, np.full(N - 1, 0.7 / (N - 1))])
    alarms = [
        any(
            suspicious_replicates(*(rng.normal(size=(16, N)) * scale for _ in range(2)), endpoints=10)
            for _ in range(10)
        )
        for _ in range(100)
    ]
    assert np.mean(alarms) <= 0.04


def test_many_endpoints_of_few_replicates_agree_as_often_as_promised() -> None:
    rng = np.random.default_rng(8)
    scale = np.sqrt(1 / np.arange(1.0, N + 1))
    failed = []
    for _ in range(1500):
        model, fresh = (rng.normal(size=(8, N)) * scale for _ in range(2))
        apart = np.sqrt(np.mean((model.mean(axis=0) - fresh.mean(axis=0)) ** 2))
        failed.append(apart > difference_bound(model, 1 - 0.05 / 50).bound)
    assert np.mean(failed) <= 0.004  # it was 8 in 1,000 before where 1 is promised


def test_more_endpoints_judged_together_are_each_judged_more_leniently() -> None:
    rng = np.random.default_rng(5)
    centre = rng.normal(size=N)
    model, fresh = replicates(rng, 16, centre), replicates(rng, 16, centre)
    alone, among = judged(model, fresh, centre), judged(model, fresh, centre, endpoints=12)
    assert among["judged_by"] > alone["judged_by"]
    assert among["difference_bound"] == alone["difference_bound"]


def test_decisions_that_differ_are_counted_beside_what_was_promised() -> None:
    rng = np.random.default_rng(8)
    centre = rng.normal(size=N)
    model, fresh = replicates(rng, 12, centre), replicates(rng, 9, centre)
    cut, calibration = Cut(low=0.2), Calibration("regression", 50)
    found = decided(model, fresh, calibration, cut, asked())
    assert found is not None
    assert found["differ"] == np.sum((model.mean(axis=0) >= 0.2) != (fresh.mean(axis=0) >= 0.2))
    assert found["within"] == (found["differ"] <= found["differ_bound"])
    error = difference_error(model.std(axis=0, ddof=1), 12, other=9)
    chances = flip_chances(model.mean(axis=0), error, cut, 12)
    assert found["differ_expected"] == pytest.approx(chances.sum())
    assert decided(model, fresh, calibration, None, asked()) is None
