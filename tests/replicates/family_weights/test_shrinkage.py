"""How far fitted weights are drawn back to the given ones."""

import numpy as np
import pytest

from manywalks.replicates.family_weights.shrinkage import FEWEST_GROUPS, LEAST, directions, luck
from manywalks.replicates.family_weights.solver import Unseen, fit, terms

EVEN = np.array([0.5, 0.5])


def two(n: int, noise: tuple[float, float], rng: np.random.Generator, *, each: int = 1) -> Unseen:
    """Two families with independent errors of these sizes; `each` copies of a molecule are one group."""
    truth = rng.normal(size=n)
    predicted = np.stack([truth + size * rng.normal(size=n) for size in noise])
    rows = np.repeat(np.arange(n), each)
    return Unseen(
        predicted[:, rows],
        (truth + 0.3 * rng.normal(size=n))[rows],
        np.ones(len(rows)),
        np.zeros(len(rows)),
        rows,
        "mse",
    )


def test_a_useless_family_gets_next_to_nothing_of_many_molecules() -> None:
    given = two(5000, (0.3, 3.0), np.random.default_rng(0))
    share = luck(given, EVEN)
    weights = share * EVEN + (1 - share) * fit(given, EVEN)
    assert share == LEAST
    assert weights[1] < 0.03


def test_few_molecules_leave_the_given_weights_nearly_where_they_are() -> None:
    rng = np.random.default_rng(1)
    few = [luck(two(FEWEST_GROUPS + 5, (0.5, 0.6), rng), EVEN) for _ in range(200)]
    many = [luck(two(4000, (0.5, 0.6), rng), EVEN) for _ in range(20)]
    assert np.median(few) > 0.9
    assert np.median(many) < 0.2


def test_fewer_groups_than_it_takes_move_nothing() -> None:
    rng = np.random.default_rng(2)
    assert luck(two(FEWEST_GROUPS - 1, (0.1, 5.0), rng, each=100), EVEN) == 1
    assert luck(two(FEWEST_GROUPS, (0.1, 5.0), rng, each=100), EVEN) < 1


def test_copies_of_a_molecule_are_no_more_evidence() -> None:
    rng = np.random.default_rng
    once, often = (luck(two(100, (0.5, 0.7), rng(3), each=each), EVEN) for each in (1, 10))
    assert 0.05 < once < 1
    assert often == pytest.approx(once)


def test_alike_families_give_no_reason_to_move() -> None:
    given = two(500, (0.5, 0.5), np.random.default_rng(4))
    alike = given._replace(families=np.stack([given.families[0]] * 2))
    assert luck(alike, EVEN) == 1


def test_for_two_families_it_is_the_variance_of_the_slope_by_its_square() -> None:
    given = two(300, (0.5, 0.7), np.random.default_rng(5))
    slopes = terms(given, EVEN).slope * (given.families[0] - given.families[1])
    variance = 300 / 299 * ((slopes - slopes.mean()) ** 2).sum()
    assert luck(given, EVEN) == pytest.approx(min(1.0, variance / slopes.sum() ** 2))


def test_where_the_given_weights_are_the_best_ones_luck_is_most_of_it() -> None:
    """Two families of equal errors: nothing is to be gained, and mostly nothing is moved."""
    rng = np.random.default_rng(6)
    found = [luck(two(400, (0.5, 0.5), rng), EVEN) for _ in range(300)]
    # a squared normal variable is below 1 in 68 % of all cases
    assert 0.6 < np.mean(np.array(found) == 1) < 0.76


def test_drawn_back_weights_lose_less_than_fitted_and_given_ones_on_new_molecules() -> None:
    rng, lost = np.random.default_rng(7), []
    for _ in range(300):
        small, big = (0.5, rng.choice([0.5, 0.6]))
        given, new = two(60, (small, big), rng), two(3000, (small, big), rng)
        best, share = fit(given, EVEN), luck(given, EVEN)
        tried = (share * EVEN + (1 - share) * best, best)
        lost.append([terms(new, weights).value.sum() for weights in tried])
    drawn, fitted = np.mean(lost, axis=0)
    assert drawn < fitted


@pytest.mark.parametrize("count", [2, 3, 5])
def test_directions_are_orthonormal_and_keep_the_sum(count: int) -> None:
    found = directions(count)
    np.testing.assert_allclose(found @ found.T, np.eye(count - 1), atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-12)
