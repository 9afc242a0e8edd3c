"""The verdict on a retrained ensemble: as often right as promised, and never fooled by other data."""

import numpy as np
import pytest

from manywalks.replicates.combine import MEAN
from manywalks.reproduce.agreement import Terms, agreement, foreign_replicates, verdict

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
    assert " in probability before calibration apart, root mean square" in verdict(found, "active")


def test_one_foreign_replicate_among_the_models_is_named() -> None:
    rng = np.random.default_rng(4)
    centre = rng.normal(size=N)
    model, fresh = replicates(rng, 16, centre), replicates(rng, 16, centre)
    assert judged(model, fresh, centre)["agrees"]
    model[5] = replicates(rng, 1, rng.permutation(centre))[0]  # of the same molecules with other values
    found = judged(model, fresh, centre)
    assert found["foreign_replicates"] == [5]
    assert found["difference"] < found["judged_by"]  # it widens the bound that it would be judged by
    assert not found["agrees"]
    assert "Replicates 5 of the model are no replicates" in verdict(found, "logS")


@pytest.mark.parametrize(("directions", "tails"), [(N, np.inf), (2, np.inf), (2, 5.0)])
def test_replicates_of_the_same_kind_are_seldom_called_foreign(directions: int, tails: float) -> None:
    rng = np.random.default_rng(6)
    ways = rng.normal(size=(directions, N))
    scale = (lambda m: 1.0) if np.isinf(tails) else lambda m: np.sqrt(tails / rng.chisquare(tails, (m, 1)))
    alarms = [
        len(foreign_replicates(*(rng.normal(size=(m, directions)) @ ways * scale(m) for m in (12, 8))))
        for _ in range(400)
    ]
    assert np.count_nonzero(alarms) <= 4  # 0.4 expected; 5 or more by chance: 1 in 16,000


def test_more_endpoints_judged_together_are_each_judged_more_leniently() -> None:
    rng = np.random.default_rng(5)
    centre = rng.normal(size=N)
    model, fresh = replicates(rng, 16, centre), replicates(rng, 16, centre)
    alone, among = judged(model, fresh, centre), judged(model, fresh, centre, endpoints=12)
    assert among["judged_by"] > alone["judged_by"]
    assert among["difference_bound"] == alone["difference_bound"]
