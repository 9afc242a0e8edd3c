"""Draws of the training molecules: whole groups, and weights that the engines take."""

import numpy as np
import pytest

from manywalks.replicates.draws import Draws, first_half, on_draw, parted, predicting_train
from manywalks.replicates.fresh import fresh_replicates
from manywalks.train.prepare import Groups
from tests.reproduce.test_sources import NETWORK, TRAIN, alone
from tests.support.problems import small_problem


def test_whole_groups_are_in_one_half_and_each_molecule_is_in_one() -> None:
    groups = np.array(["a"] * 5 + ["b"] * 2 + [f"alone {k}" for k in range(40)])
    for pair in range(50):
        one, other = (Draws(4, 2).weights(groups, index) for index in (4 * pair, 4 * pair + 2))
        assert ((one > 0) != (other > 0)).all()
        assert len(set(one[:5])) == len(set(one[5:7])) == 1
        assert one.sum() == pytest.approx(47)
        assert other.sum() == pytest.approx(47)
        assert 20 <= (one > 0).sum() <= 29  # the group over the middle is not cut


def test_each_molecule_is_as_likely_in_either_half() -> None:
    first = np.mean([first_half(np.arange(41), np.random.default_rng(k)) for k in range(2000)], axis=0)
    assert first == pytest.approx(21 / 41, abs=0.05)


@pytest.mark.parametrize("sizes", [(30, 1), (1, 30), (1, 1), (10, 10, 10)])
def test_both_halves_have_molecules(sizes: tuple[int, ...]) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    for k in range(20):
        first = first_half(groups, np.random.default_rng(k))
        assert 0 < first.sum() < len(groups)


def test_one_group_has_no_halves() -> None:
    with pytest.raises(ValueError, match="the 7 training molecules are one group"):
        first_half(np.zeros(7), np.random.default_rng(0))


def test_replicates_in_a_row_share_a_half_that_another_entropy_changes() -> None:
    draws, groups = Draws(11, 2), np.arange(50)
    assert [draws.shared(index) for index in range(5)] == [0, 0, 1, 1, 2]
    np.testing.assert_array_equal(draws.weights(groups, 0), draws.weights(groups, 1))
    assert (draws.weights(groups, 0) != draws.weights(groups, 4)).any()
    assert (draws.weights(groups, 0) != Draws(12, 2).weights(groups, 0)).any()


def test_a_bootstrap_is_drawn_for_each_replicate_in_whole_groups() -> None:
    draws, groups = Draws(11, bootstrap=True), np.repeat(np.arange(40), 2)
    found = np.stack([draws.weights(groups, index) for index in range(2000)])
    assert (found[:, ::2] == found[:, 1::2]).all()
    assert found.sum(axis=1) == pytest.approx(80)
    assert found.mean(axis=0) == pytest.approx(1, abs=0.15)
    # a molecule is left out of a third of the draws
    assert (found == 0).mean() == pytest.approx((1 - 1 / 40) ** 40, abs=0.01)
    assert [draws.shared(index) for index in range(3)] == [0, 1, 2]


def test_a_bootstrap_within_a_half_draws_none_of_the_other() -> None:
    groups, halves, both = np.arange(60), Draws(11, 2), Draws(11, 2, bootstrap=True)
    for index in range(8):
        assert not both.weights(groups, index)[halves.weights(groups, index) == 0].any()
    assert (both.weights(groups, 0) != both.weights(groups, 1)).any()


def test_a_draw_changes_the_weights_of_the_training_molecules_alone() -> None:
    problem = small_problem(NETWORK, TRAIN)
    n = len(problem.targets.values)
    drawn = on_draw(alone(problem), Groups(np.arange(n), problem.train), Draws(11, 2), 3).problem
    counts = Draws(11, 2).weights(problem.train, 3)
    others = np.setdiff1d(np.arange(n), problem.train)
    own, before = drawn.targets.weights, problem.targets.weights
    np.testing.assert_allclose(own[problem.train], before[problem.train] * counts[:, None], rtol=1e-6)
    np.testing.assert_array_equal(own[others], before[others])
    np.testing.assert_array_equal(drawn.targets.values, problem.targets.values)


def test_training_molecules_are_predicted_too_and_kept_where_they_were_not_drawn() -> None:
    problem = small_problem(NETWORK, TRAIN)
    groups = Groups(np.arange(len(problem.targets.values)), problem.train)
    predict = predicting_train(alone(problem), groups).problem.predict
    np.testing.assert_array_equal(predict, [*problem.predict, *problem.train])
    weights = Draws(11, bootstrap=True).weights(problem.train, 0)
    values = np.arange(2.0 * len(predict)).reshape(-1, 2)
    found = parted(values, weights)
    np.testing.assert_array_equal(found.out_of_sample, values[: len(problem.predict)])
    for row, weight, kept in zip(values[len(problem.predict) :], weights, found.out_of_bag, strict=True):
        np.testing.assert_array_equal(kept, row if weight == 0 else [np.nan, np.nan])


def test_only_whole_ensembles_of_bootstraps_leave_molecules_out() -> None:
    assert Draws(1, bootstrap=True).leave_out
    assert not Draws(1, 2).leave_out
    assert not Draws(1, 2, bootstrap=True).leave_out


def test_fresh_replicates_of_groups_have_a_draw_each() -> None:
    problem = small_problem(NETWORK, TRAIN)
    prepared, groups = alone(problem), Groups(np.arange(len(problem.targets.values)), problem.train)
    told: list[float] = []
    found = list(fresh_replicates([prepared], [2, 5], 11, groups=groups, follow=told.append))
    assert [one.index for one in found] == [2, 5]
    assert told == sorted(told) and told[-1] == 2
    for one in found:
        drawn = on_draw(prepared, groups, Draws(11, bootstrap=True), one.index)
        (expected,) = fresh_replicates([drawn], [one.index], 11)
        np.testing.assert_array_equal(one.predictions, expected.predictions)
