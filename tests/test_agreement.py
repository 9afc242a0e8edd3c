"""The verdict on a retrained ensemble: as often right as promised, and never fooled by other data."""

import numpy as np

from manywalks.tasks.agreement import Asked, agreement, verdict
from manywalks.tasks.between import MEAN

N = 120


def walks(rng: np.random.Generator, count: int, centre: np.ndarray, spread: float = 0.3) -> np.ndarray:
    """Gaussian walks (count, n) about a function of the molecules."""
    return centre + rng.normal(0, spread, (count, N))


def asked(**changes: object) -> Asked:
    settings = {
        "kind": "regression", "unit": "log M", "confidence": 0.95, "endpoints": 1, "threshold": 0.5,
        "combining": MEAN, "adaptive": False,
    }  # fmt: skip
    return Asked(**{**settings, **changes})  # pyright: ignore[reportArgumentType]


def judged(model: np.ndarray, fresh: np.ndarray, centre: np.ndarray, **changes: object) -> dict:
    return agreement(model, fresh, centre, np.full(N, "="), asked(**changes))


def test_honest_retrainings_agree_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    centre = rng.normal(size=N)
    hits = [judged(walks(rng, 12, centre), walks(rng, 12, centre), centre)["agrees"] for _ in range(60)]
    assert np.mean(hits) >= 0.88  # 53 of 60: less has a chance of 0.5 % at 95 %


def test_other_numbers_of_fresh_replicates_are_judged_by_their_own_bound() -> None:
    rng = np.random.default_rng(2)
    centre = rng.normal(size=N)
    model = walks(rng, 16, centre)
    few, many = (judged(model, walks(rng, k, centre), centre) for k in (4, 64))
    assert few["judged_by"] > many["judged_by"]
    assert few["metrics"]["rmse"]["bound"] > many["metrics"]["rmse"]["bound"]


def test_another_function_is_found_out() -> None:
    rng = np.random.default_rng(3)
    centre = rng.normal(size=N)
    found = judged(walks(rng, 16, centre), walks(rng, 16, centre + 0.3), centre)
    assert not found["agrees"]
    assert "does NOT agree" in verdict(found, "logS")


def test_one_strange_replicate_among_the_models_is_found_out() -> None:
    rng = np.random.default_rng(4)
    centre = rng.normal(size=N)
    model = walks(rng, 16, centre)
    model[5] = rng.normal(0, 8, N)
    clean = walks(rng, 16, centre)
    assert judged(clean, walks(rng, 16, centre), centre)["agrees"]
    apart = judged(model, walks(rng, 16, centre), centre)
    assert apart["difference"] > judged(clean, walks(rng, 16, centre), centre)["difference_bound"]


def test_more_endpoints_judged_together_are_each_judged_more_leniently() -> None:
    rng = np.random.default_rng(5)
    centre = rng.normal(size=N)
    model, fresh = walks(rng, 16, centre), walks(rng, 16, centre)
    alone, among = judged(model, fresh, centre), judged(model, fresh, centre, endpoints=12)
    assert among["judged_by"] > alone["judged_by"]
    assert among["difference_bound"] == alone["difference_bound"]
