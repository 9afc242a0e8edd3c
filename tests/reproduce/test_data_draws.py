"""Replicates on draws of the data, beside the other sources of randomness."""

import numpy as np

from manywalks.replicates.fresh import fresh_replicates
from manywalks.replicates.opening import EACH
from manywalks.reproduce.data_draws import DrawDesign, train_draws
from manywalks.train.prepare import Groups
from tests.reproduce.test_sources import NETWORK, TRAIN, alone
from tests.support.problems import small_problem


def test_replicates_of_a_half_share_its_molecules_and_nothing_else() -> None:
    problem = small_problem(NETWORK, TRAIN)
    prepared = alone(problem)
    groups = Groups(np.arange(len(problem.targets.values)), problem.train)
    design = DrawDesign(3, 11)
    found = train_draws([prepared], groups, design)
    assert found.shape == (3, 2, EACH, len(problem.predict), problem.n_endpoints)
    assert np.ptp(found, axis=2).min() > 0  # two replicates of a half have streams of their own
    np.testing.assert_array_equal(found, train_draws([prepared], groups, design))


def test_halves_part_more_than_replicates_on_the_same_molecules() -> None:
    problem = small_problem(NETWORK, {**TRAIN, "epochs": 60})
    prepared = alone(problem)
    groups = Groups(np.arange(len(problem.targets.values)), problem.train)
    halves = train_draws([prepared], groups, DrawDesign(6, 11)).mean(axis=2)
    whole = np.stack([one.predictions for one in fresh_replicates([prepared], range(24), 11)])
    means = whole.reshape(6, 2, 2, *whole.shape[1:]).mean(axis=2)
    apart, alike = (np.mean((one[:, 0] - one[:, 1]) ** 2) for one in (halves, means))
    assert apart > 1.2 * alike
