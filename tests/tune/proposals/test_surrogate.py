"""What a search believes of settings that it has not tried."""

import numpy as np
import pytest

from manywalks.tune.proposals.surrogate import Surrogate, _parts

CHOICES = np.array([False, False, True])


def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
    """Settings: two ranges and a key of three choices."""
    return np.column_stack([rng.random((n, 2)), rng.integers(3, size=n)])


def fitted(rng: np.random.Generator, n: int, error: float) -> tuple[Surrogate, np.ndarray, np.ndarray]:
    """A surrogate of noisy gains, its settings and gains."""
    points = drawn(rng, n)
    gains = -((points[:, 0] - 0.3) ** 2) + 0.1 * (points[:, 2] == 1) + rng.normal(0, error, n)
    return Surrogate.fit(points, CHOICES, gains, np.full(n, error)), points, gains


def test_the_belief_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(0)
    points, gains, errors = drawn(rng, 12), rng.normal(0, 1, 12), np.full(12, 0.3)
    found = Surrogate.fit(points, CHOICES, gains, errors)
    new = drawn(rng, 5)

    def prior(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        own, joint = _parts(one, other, CHOICES)
        return found.variances[0] * own + found.variances[1] * joint

    inverse = np.linalg.inv(prior(points, points) + np.diag(errors**2 + 1e-4 * np.var(gains)))
    shared = prior(new, points)
    mean, sd = found.believed(new)
    assert mean == pytest.approx(found.mean + shared @ inverse @ (gains - found.mean))
    assert sd == pytest.approx(np.sqrt(np.diag(prior(new, new) - shared @ inverse @ shared.T)))


def test_unknown_settings_are_predicted_as_surely_as_is_said() -> None:
    rng = np.random.default_rng(1)
    found, _, _ = fitted(rng, 40, 0.02)
    new = drawn(rng, 200)
    true = -((new[:, 0] - 0.3) ** 2) + 0.1 * (new[:, 2] == 1)
    mean, sd = found.believed(new)
    assert np.corrcoef(mean, true)[0, 1] > 0.95
    assert np.mean(np.abs(mean - true) < 2 * sd) > 0.9


def test_a_trial_with_a_large_error_says_less() -> None:
    points = np.array([[0.2, 0.5, 0.0], [0.8, 0.5, 0.0], [0.5, 0.5, 1.0]])
    gains = np.array([1.0, 0.0, 0.0])
    sure, unsure = (
        Surrogate.fit(points, CHOICES, gains, np.array([error, 0.01, 0.01])).believed(points[:1])
        for error in (0.01, 2.0)
    )
    assert sure[0][0] > 0.9 > unsure[0][0]
    assert sure[1][0] < unsure[1][0]


def test_settings_that_are_being_trained_promise_less_and_change_no_belief() -> None:
    rng = np.random.default_rng(2)
    found, _, _ = fitted(rng, 15, 0.05)
    new, pending = drawn(rng, 30), drawn(rng, 2)
    after = found.expecting(pending)
    assert after.believed(new)[0] == pytest.approx(found.believed(new)[0], abs=1e-3)
    assert (after.believed(new)[1] <= found.believed(new)[1] + 1e-9).all()
    assert (after.improvement(pending) < found.improvement(pending)).all()


def test_a_key_that_applies_to_neither_makes_no_difference() -> None:
    one, other = np.array([[0.5, np.nan, 1.0]]), np.array([[0.5, 0.1, 1.0]])
    assert _parts(one, one, CHOICES)[0] == pytest.approx(1)
    assert _parts(one, other, CHOICES)[0] < 1


def test_gains_that_are_all_the_same_are_no_fault() -> None:
    points = drawn(np.random.default_rng(3), 6)
    found = Surrogate.fit(points, CHOICES, np.zeros(6), np.zeros(6))
    assert np.isfinite(found.improvement(points)).all()
