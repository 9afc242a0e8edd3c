"""Replicates on other draws: how many, kept, resumed after a kill, and not trained twice."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from manywalks.params.load import parse_params
from manywalks.params.sections.evaluate import FEWEST_TRAINED
from manywalks.params.sections.families import families_of
from manywalks.replicates.draw_loop import FEWEST_GROUPS, OFF, read_draws, train_draws, wanted_draws
from manywalks.replicates.draws import on_draw, predicting_train
from manywalks.replicates.fresh import fresh_replicates
from manywalks.replicates.opening import open_store
from manywalks.replicates.packs import side_by_side
from manywalks.replicates.store import read_used_replicates
from manywalks.replicates.tally import Tally
from manywalks.reproduce.data_draws import DrawDesign
from manywalks.reproduce.data_draws import train_draws as trained_at_once
from manywalks.runtime.progress import Tell
from manywalks.train.prepare import read_groups, read_prepared
from manywalks.workspace import Workspace
from tests.conftest import SMALL
from tests.faults.conftest import end_steps, step, wait_for
from tests.support.steps import run_steps


def silent(done: float, total: float, note: str = "") -> None:
    """Nobody looks."""


quiet: Tell = silent


@pytest.mark.parametrize(
    ("asked", "replicates", "pairs"),
    [("auto", 12, 3), ("auto", 17, 4), ("auto", 128, 4), ("auto", 11, 0), ("off", 128, 0), (5, 4, 5)],
)
def test_by_themselves_they_cost_no_more_than_the_replicates(
    asked: str | int, replicates: int, pairs: int
) -> None:
    params = parse_params(
        {"data": {"path": "t.csv", "endpoints": {"y": {}}}, "evaluate": {"data_draws": asked}}
    )
    found = wanted_draws(params, replicates, np.arange(FEWEST_TRAINED))
    assert found.pairs == pairs
    assert (found.why is None) == (pairs > 0)
    if asked == "off":
        assert found.why == OFF


@pytest.mark.parametrize(
    "groups", [np.arange(FEWEST_TRAINED - 1), np.arange(10 * FEWEST_TRAINED) % (FEWEST_GROUPS - 1)]
)
def test_of_few_molecules_or_groups_there_are_no_halves(groups: np.ndarray) -> None:
    params = parse_params({"data": {"path": "t.csv", "endpoints": {"y": {}}}, "evaluate": {"data_draws": 4}})
    found = wanted_draws(params, 20, groups)
    assert found.pairs == 0
    assert f"training molecules in {len(np.unique(groups))} groups are too few" in str(found.why)


def kept(workspace: Workspace) -> dict[Path, int]:
    """When each replicate on a draw was written."""
    return {path: path.stat().st_mtime_ns for path in workspace.draws.rglob("0*.npz")}


def test_a_killed_run_goes_on_and_ends_as_one_that_trains_at_once(
    tmp_path: Path, demo_table: pd.DataFrame
) -> None:
    demo_table.iloc[::2].to_csv(tmp_path / "table.csv", index=False)
    text = SMALL.replace("evaluate: {}", "evaluate: {data_draws: 3}").replace("count: 4", "count: 2")
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    workspace = Workspace.open(tmp_path)
    run_steps(tmp_path, "curate", "featurize", "split", "train")

    begun = step("draws", tmp_path)
    assert wait_for(lambda: kept(workspace))
    begun.kill()
    end_steps(tmp_path)
    before = kept(workspace)

    run_packs = side_by_side(workspace, 2)
    assert list(train_draws(workspace, run_packs, processes=2, tell=quiet)) == list(range(12))
    after = kept(workspace)
    assert len(after) == 12
    assert before.items() <= after.items()

    drawn = read_draws(workspace)
    prepared = [read_prepared(workspace, family) for family in families_of(workspace.params)]
    expected = trained_at_once(prepared, read_groups(workspace), DrawDesign(3, 7))
    assert drawn.predictions is not None
    np.testing.assert_allclose(drawn.predictions, expected, rtol=1e-5)

    def refuse(key: str, packs: list[list[int]], tally: Tally) -> None:
        raise AssertionError(f"{packs} are trained again")

    train_draws(workspace, refuse, processes=2, tell=quiet)
    assert kept(workspace) == after


def test_switched_off_they_are_removed_and_the_reason_is_kept(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    shutil.copytree(trained, folder, symlinks=True)
    workspace = Workspace.open(folder)
    (workspace.draws / "former").mkdir()
    assert not train_draws(workspace, side_by_side(workspace, 2), processes=2, tell=quiet)
    assert [path.name for path in workspace.draws.iterdir()] == ["draws.json"]
    drawn = read_draws(workspace)
    assert drawn.predictions is None
    assert str(drawn.why).startswith("96 training molecules in 96 groups are too few")


def test_each_bagged_replicate_is_trained_on_its_own_draw_and_kept_as_others_are(
    trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    shutil.copytree(trained, folder, symlinks=True)
    params = folder / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("{count: 4,", "{count: 4, rows: bootstrap,"), encoding="utf-8")
    workspace = Workspace.open(folder)
    before = {path.name for path in workspace.replicates.rglob("0*.npz")}
    run_steps(folder, "train")

    store, groups = open_store(workspace), read_groups(workspace)
    assert store.draws is not None
    kept, _ = read_used_replicates(store)
    assert before.isdisjoint(path.name for path in workspace.replicates.rglob("0*.npz"))
    assert all(one.parts[0].weights for one in kept)  # the model is made of them
    (prepared,) = (read_prepared(workspace, family) for family in families_of(workspace.params))
    for one in kept:
        drawn = on_draw(prepared, groups, store.draws, one.index)
        (expected,) = fresh_replicates([drawn], [one.index], 7)
        np.testing.assert_allclose(one.predictions, expected.predictions, rtol=1e-5)
        # and what it says of the molecules that it did not draw is kept beside it
        (everything,) = fresh_replicates([predicting_train(drawn, groups)], [one.index], 7)
        left = store.draws.weights(groups.groups[groups.train], one.index) == 0
        own = everything.predictions[len(expected.predictions) :]
        assert one.out_of_bag is not None
        np.testing.assert_allclose(one.out_of_bag[left], own[left], rtol=1e-5)
        assert np.isnan(one.out_of_bag[~left]).all()
