"""Kept replicates of a split, and their streams."""

import dataclasses
from pathlib import Path

import numpy as np

from manywalks.compare import folds
from manywalks.compare.configurations import Configuration, with_values
from manywalks.compare.folds import FoldPredictions
from manywalks.replicates.draws import Draws, on_draw
from manywalks.replicates.fresh import FreshReplicate, fresh_replicates
from manywalks.train.prepare import Groups, prepare_families, read_tables
from manywalks.workspace import Workspace


def test_kept_replicates_come_back_and_damage_is_noticed(tmp_path: Path) -> None:
    fold_store = folds.FoldStore(tmp_path / "folds")
    replicates = FoldPredictions(np.ones((3, 4, 1), dtype=np.float32), [0, 1, 2, 3], 1, 17)
    split = folds.split_name(np.array(["train", "test"]))
    folds.save_fold_predictions(fold_store, split, replicates)
    found = folds.load_fold_predictions(fold_store, split)
    np.testing.assert_array_equal(found.predictions, replicates.predictions)
    assert found[1:] == replicates[1:]
    path = fold_store.of_split(split)
    assert path is not None
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert folds.load_fold_predictions(fold_store, split) == folds.NONE
    assert fold_store.of_split(split) is None


def test_kept_probabilities_of_sure_networks_are_not_rounded_to_one(tmp_path: Path) -> None:
    sure = FreshReplicate(0, (), np.full((4, 1), 1 - 1e-12))
    kept = folds._joined(folds.NONE, {0: sure}, [sure.predictions])
    folds.save_fold_predictions(folds.FoldStore(tmp_path), "split", kept)
    found = folds.load_fold_predictions(folds.FoldStore(tmp_path), "split")
    assert (found.predictions < 1).all()


def test_streams_of_two_splits_have_nothing_in_common() -> None:
    assert folds.split_entropy(7, "a") != folds.split_entropy(7, "b")


def test_a_bagged_configuration_trains_each_replicate_on_its_own_draw(trained: Path, tmp_path: Path) -> None:
    workspace = Workspace.open(trained)
    stores = []
    for rows in ("all", "bootstrap"):
        params = with_values(workspace.params, {"replicates.rows": rows}, "test")
        stores.append(folds.open_fold_store(tmp_path, workspace, Configuration(rows, params), 5))
    frames = [folds.read_frames(store, workspace) for store in stores]
    assert frames[0].groups is None
    subsets = read_tables(workspace).subsets
    folds.train_split(stores[1], frames[1], subsets, 2, lambda done: None)
    found = folds.load_fold_predictions(stores[1], folds.split_name(subsets)).predictions

    entropy = folds.split_entropy(5, folds.split_name(subsets))
    (prepared,) = prepare_families(frames[1].curated, frames[1].features, subsets, workspace.params)
    test = np.flatnonzero(subsets == "test")
    problem = dataclasses.replace(prepared.problem, predict=test)
    groups = Groups(np.asarray(frames[1].groups), np.flatnonzero(subsets == "train"))
    for index in range(2):
        drawn = on_draw(prepared._replace(problem=problem), groups, Draws(entropy, bootstrap=True), index)
        (expected,) = fresh_replicates([drawn], [index], entropy)
        np.testing.assert_allclose(found[index], expected.predictions, rtol=1e-5)
