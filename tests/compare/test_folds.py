"""Kept replicates of a split, and their streams."""

from pathlib import Path

import numpy as np

from manywalks.compare import folds
from manywalks.compare.folds import FoldPredictions
from manywalks.replicates.fresh import FreshReplicate


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
