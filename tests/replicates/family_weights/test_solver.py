"""Weights on the simplex: against SciPy's general optimizer, a fine grid, and what must hold anyway."""

import itertools

import numpy as np
import pytest
from scipy import optimize, special

from manywalks.replicates.family_weights.solver import Loss, Unseen, fit, lowest, terms

LOSSES: tuple[Loss, ...] = ("mse", "huber", "probability", "logit")


def unseen(loss: Loss, families: int, n: int = 300, seed: int = 0) -> Unseen:
    """Molecules of two in a group, with weights, some of them censored, families from good to poor."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    predicted = np.stack([truth + rng.normal(size=n) * noise for noise in np.linspace(0.5, 1.5, families)])
    observed, side = truth + 0.3 * rng.standard_t(2, size=n), rng.choice([-1.0, 0.0, 0.0, 1.0], n)
    if loss in ("probability", "logit"):
        observed, side = (observed > 0).astype(np.float64), np.zeros(n)
        predicted = special.expit(2 * predicted) if loss == "probability" else predicted
    return Unseen(predicted, observed, rng.uniform(0.2, 3, n), side, np.arange(n) // 2, loss)


def loss_of(given: Unseen, weights: np.ndarray) -> float:
    """The mean loss of a mix."""
    return float(terms(given, weights).value.sum())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("families", [2, 3, 6])
def test_the_fit_is_that_of_a_general_optimizer(loss: Loss, families: int) -> None:
    given, even = unseen(loss, families), np.full(families, 1 / families)
    found = fit(given, even)
    best = optimize.minimize(
        lambda w: loss_of(given, w),
        even,
        method="SLSQP",
        bounds=[(0, 1)] * families,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-13, "maxiter": 500},
    )
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    assert loss_of(given, found) <= best.fun + 1e-8
    np.testing.assert_allclose(found, best.x, atol=2e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_no_point_of_a_grid_is_better(loss: Loss) -> None:
    given = unseen(loss, 3, n=60, seed=3)
    found = loss_of(given, fit(given, np.full(3, 1 / 3)))
    steps = np.linspace(0, 1, 41)
    grid = [(a, b, 1 - a - b) for a, b in itertools.product(steps, steps) if a + b <= 1 + 1e-12]
    assert found <= min(loss_of(given, np.array(one)) for one in grid) + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_sure_and_wrong_probabilities_do_not_hold_the_weights_back(seed: int) -> None:
    """Their curvature is 1e8 and more, and beyond the edge a clipped loss would be flat."""
    given = unseen("probability", 2, n=100, seed=seed)
    noise = np.random.default_rng(seed).normal(size=given.families.shape)
    given = given._replace(families=special.expit(12 * (special.logit(given.families) + noise)))
    found = loss_of(given, fit(given, np.array([0.5, 0.5])))
    assert found <= min(loss_of(given, np.array([a, 1 - a])) for a in np.linspace(0, 1, 201)) + 1e-6


@pytest.mark.parametrize("seed", range(20))
def test_the_quadratic_is_solved_exactly(seed: int) -> None:
    """By the conditions of Karush, Kuhn and Tucker: no slope along what is free, none downwards elsewhere."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 9))
    root = rng.normal(size=(size, size))
    bend, pull = root @ root.T + 0.1 * np.eye(size), 3 * rng.normal(size=size)
    start = np.eye(size)[0] if seed % 2 else np.full(size, 1 / size)
    found = lowest(bend, pull, start)
    slope = bend @ found - pull
    level = slope[found > 0].mean()
    np.testing.assert_allclose(slope[found > 0], level, atol=1e-8)
    assert (slope >= level - 1e-8).all()


def test_a_censored_value_costs_nothing_on_its_side() -> None:
    given = unseen("mse", 2)
    free = given._replace(observed=np.full(300, -50.0), side=np.ones(300))  # all are above it
    assert loss_of(free, np.array([0.5, 0.5])) == 0
    np.testing.assert_allclose(fit(free, np.array([0.7, 0.3])), [0.7, 0.3])


def test_a_weight_of_two_is_two_molecules() -> None:
    given = unseen("huber", 3, n=80)
    whole = given._replace(weights=np.tile([1.0, 2.0], 40))
    twice = np.concatenate([np.arange(80), np.arange(1, 80, 2)])
    repeated = Unseen(
        given.families[:, twice],
        given.observed[twice],
        np.ones(120),
        given.side[twice],
        given.groups[twice],
        "huber",
    )
    even = np.full(3, 1 / 3)
    np.testing.assert_allclose(fit(whole, even), fit(repeated, even), atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_families_that_are_alike_keep_their_given_weights(loss: Loss) -> None:
    given = unseen(loss, 2)
    alike = given._replace(families=np.stack([given.families[0]] * 3))
    np.testing.assert_allclose(fit(alike, np.array([0.5, 0.3, 0.2])), [0.5, 0.3, 0.2], atol=1e-6)
