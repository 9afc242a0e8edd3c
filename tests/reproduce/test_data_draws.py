"""Replicates on draws of the data, beside the other sources of randomness."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from manywalks import files
from manywalks.evaluate.statement import data_draws
from manywalks.replicates import draw_loop
from manywalks.replicates.draws import Draws, on_draw
from manywalks.replicates.fresh import fresh_replicates
from manywalks.replicates.opening import EACH
from manywalks.reproduce.data_draws import DRAW, DrawDesign, train_draws
from manywalks.tasks import sources
from manywalks.train.prepare import Groups
from manywalks.workspace import Workspace
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


def test_bagged_replicates_of_a_half_draw_from_it() -> None:
    problem = small_problem(NETWORK, TRAIN)
    prepared, groups = alone(problem), Groups(np.arange(len(problem.targets.values)), problem.train)
    found = train_draws([prepared], groups, DrawDesign(3, 11, bootstrap=True))
    draws = Draws(11, EACH, bootstrap=True)
    for index, own in enumerate(found.reshape(3 * 2 * EACH, *found.shape[3:])):
        (expected,) = fresh_replicates([on_draw(prepared, groups, draws, index)], [index], 11)
        np.testing.assert_allclose(own, expected.predictions, rtol=1e-6)


def test_halves_part_more_than_replicates_on_the_same_molecules() -> None:
    problem = small_problem(NETWORK, {**TRAIN, "epochs": 60})
    prepared = alone(problem)
    groups = Groups(np.arange(len(problem.targets.values)), problem.train)
    halves = train_draws([prepared], groups, DrawDesign(6, 11)).mean(axis=2)
    whole = np.stack([one.predictions for one in fresh_replicates([prepared], range(24), 11)])
    means = whole.reshape(6, 2, 2, *whole.shape[1:]).mean(axis=2)
    apart, alike = (np.mean((one[:, 0] - one[:, 1]) ** 2) for one in (halves, means))
    assert apart > 1.2 * alike


def test_what_another_sample_does_is_a_row_where_there_are_molecules_enough(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, tmp_path / "work", ignore=shutil.ignore_patterns("runs"))
    workspace = Workspace.open(tmp_path / "work")
    sources.run(workspace, "4")
    found = files.read_json(workspace.reports / "sources.json")
    assert all(not one["stated"] and "too few" in one["why"] for one in found["data_draws"].values())
    assert all(DRAW not in rows for rows in found["endpoints"].values())
    for module in (draw_loop, data_draws):
        monkeypatch.setattr(module, "FEWEST_TRAINED", 20)
    sources.run(workspace, "4")
    found = files.read_json(workspace.reports / "sources.json")
    (name,) = found["data_draws"]
    assert found["data_draws"][name]["stated"]
    assert found["endpoints"][name][DRAW]["spread"] == found["data_draws"][name]["draw_sd"]
