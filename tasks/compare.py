"""Train one configuration on some of the splits and keep what it predicts; no stage of dvc.yaml."""

from pathlib import Path

from manywalks.compare import folds
from manywalks.compare.folds import FoldStore, train_split
from manywalks.runtime import progress
from manywalks.workspace import Workspace


def run(
    workspace: Workspace, fold_store: str, data_workspace: str, splits: str, numbers: str, count: str
) -> None:
    """Have `count` good replicates on each split, those that are there included.

    Args:
        workspace: where this runs.
        fold_store: folder of the configuration's predictions.
        ground: workspace whose curated table and features are used.
        splits: file of all splits.
        numbers: which of them, "0,3,4".
        count: replicates a split.
    """
    place, wanted = FoldStore(Path(fold_store)), int(count)
    every = folds.read_splits(Path(splits))
    chosen = [every[int(number)] for number in numbers.split(",")]
    frames = folds.read_frames(place, Workspace(Path(data_workspace)))
    with progress.telling("replicates") as tell:
        for done, subsets in enumerate(chosen):

            def follow(share: float, before: int = done) -> None:
                tell((before + share) * wanted, len(chosen) * wanted, "")

            train_split(place, frames, subsets, wanted, follow)
            follow(1.0)
