"""Train one configuration's walks on some of the splits, keeping what they predict; no stage of dvc.yaml."""

from pathlib import Path

import pandas as pd

from manywalks.compare import folds
from manywalks.compare.folds import Shelf, train_split
from manywalks.features import Features
from manywalks.runtime import progress
from manywalks.workspace import Workspace


def run(workspace: Workspace, shelf: str, ground: str, splits: str, numbers: str, count: str) -> None:
    """Have `count` good walks on each split, those that are there included.

    Args:
        workspace: where this runs.
        shelf: folder of the configuration's predictions.
        ground: workspace whose curated table and features are used.
        splits: file of all splits.
        numbers: which of them, "0,3,4".
        count: walks a split.
    """
    place, wanted = Shelf(Path(shelf)), int(count)
    every = folds.read_splits(Path(splits))
    chosen = [every[int(number)] for number in numbers.split(",")]
    source = Workspace(Path(ground))
    frames = pd.read_parquet(source.curated), Features.load(source.features)
    with progress.telling("walks") as tell:
        for done, parts in enumerate(chosen):

            def follow(share: float, before: int = done) -> None:
                tell((before + share) * wanted, len(chosen) * wanted, "")

            train_split(place, frames, parts, wanted, follow)
            follow(1.0)
