"""Train one configuration's walks on some of the splits, keeping what they predict; no stage of dvc.yaml."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pandas as pd

from manywalks.tasks import out_of_fold, progress, walk
from manywalks.tasks.features import Features
from manywalks.tasks.out_of_fold import Shelf, Walks
from manywalks.tasks.problem import prepare
from manywalks.tasks.replicates import DIVERGED_LIMIT
from manywalks.tasks.workspace import Workspace

Frames = tuple[pd.DataFrame, Features]


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
    every = out_of_fold.read_splits(Path(splits))
    chosen = [every[int(number)] for number in numbers.split(",")]
    source = Workspace(Path(ground))
    frames = pd.read_parquet(source.curated), Features.load(source.features)
    with progress.telling("walks") as tell:
        for done, parts in enumerate(chosen):

            def follow(share: float, before: int = done) -> None:
                tell((before + share) * wanted, len(chosen) * wanted, "")

            _train_split(place, frames, parts, wanted, follow)
            follow(1.0)


def _train_split(shelf: Shelf, frames: Frames, parts: np.ndarray, wanted: int, follow) -> None:
    """Walks of one split, until `wanted` of them have not diverged."""
    split = out_of_fold.split_name(parts)
    kept = out_of_fold.load(shelf, split)
    if len(kept.predictions) >= wanted:
        return
    params, vary, entropy = out_of_fold.read_recipe(shelf)
    problem, _, transform = prepare(*frames, parts, params)
    test = np.flatnonzero(parts == "test")
    problem = dataclasses.replace(problem, predict=test, vary=vary)
    own = out_of_fold.split_entropy(entropy, split)
    while len(kept.predictions) < wanted:
        first, missing = len(kept.indices), wanted - len(kept.predictions)
        found: dict[int, walk.Replicate] = {}
        for replicate in walk.train_pack(problem, range(first, first + missing), own, threads=_threads()):
            found[replicate.index] = replicate
            follow((len(kept.predictions) + len(found)) / wanted)
        kept = _joined(kept, found, [transform.inverse(one.predictions) for one in _good(found)])
        if kept.diverged > max(DIVERGED_LIMIT, len(kept.predictions)):
            raise ValueError(
                f"compare: {kept.diverged} of {len(kept.indices)} walks diverged with "
                f"train.learning_rate {params.train.learning_rate:g}; lower it"
            )
    out_of_fold.save(shelf, split, kept)


def _good(found: dict[int, walk.Replicate]) -> list[walk.Replicate]:
    """Those that did not diverge, by index."""
    return [one for _, one in sorted(found.items()) if not one.diverged]


def _joined(kept: Walks, found: dict[int, walk.Replicate], predictions: list[np.ndarray]) -> Walks:
    """The kept walks and the new ones."""
    new = [np.stack(predictions).astype(np.float32)] if predictions else []
    old = [kept.predictions] if len(kept.predictions) else []
    sizes = [sum(weight.size for weight in one.weights) for one in _good(found)]
    return Walks(
        np.concatenate([*old, *new]) if old or new else kept.predictions,
        [*kept.indices, *sorted(found)],
        kept.diverged + sum(one.diverged for one in found.values()),
        max([kept.parameters, *sizes]),
    )


def _threads() -> int:
    """Threads this process may use, as whoever started it said."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))
