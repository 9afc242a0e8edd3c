"""Replicates' predictions on the test subset of every split, kept by content, without their weights.

A configuration's folder is named after all that made its replicates (curated table, features, transform,
network, training, code), a file after its split and its own content. So adding a configuration or a split
trains that alone, and a damaged file is noticed and made again.
"""

import dataclasses
import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.compare.configurations import Configuration
from manywalks.features import Features
from manywalks.params.load import Params, parse_params
from manywalks.replicates.code_key import content_key
from manywalks.replicates.family_weights.fresh import mixing_for
from manywalks.replicates.fresh import FreshReplicate, fresh_replicates
from manywalks.replicates.plan import DIVERGED_LIMIT
from manywalks.runtime.resources import allowed_threads, forget_peak, peak_bytes
from manywalks.split.split import groups_of
from manywalks.train.prepare import Groups, prepare_families
from manywalks.workspace import Workspace

# sections of params.yaml that make a replicate, besides the ones that make the features
MADE_BY = {"transform", "network", "train", "families", "weights"}
NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})\.npz")
SUBSETS = ("", "train", "valid", "test")


@dataclass(frozen=True)
class FoldStore:
    """Folder of one configuration's predictions."""

    folder: Path

    def of_split(self, split: str) -> Path | None:
        """The file of the split with that name, None where there is none."""
        return next(iter(sorted(self.folder.glob(f"{split}-*.npz"))), None)


class FoldPredictions(NamedTuple):
    """What one configuration's replicates predict on one split.

    Attributes:
        predictions: (m, n_test, t), in endpoint units, by replicate index, none diverged; float64 where there
            are classes.
        indices: replicates tried, the diverged ones among them.
        diverged: how many of them diverged.
        parameters: trainable numbers of the network.
        seconds: that all of them took to train, on the cores of one process.
        memory: largest memory of the process while it trained them, in bytes.
    """

    predictions: np.ndarray
    indices: list[int]
    diverged: int
    parameters: int
    seconds: float = 0.0
    memory: int = 0


NONE = FoldPredictions(np.empty((0, 0, 0), dtype=np.float32), [], 0, 0)


def open_fold_store(
    folder: Path, data_workspace: Workspace, asked: Configuration, entropy: int | None
) -> FoldStore:
    """The fold store of a configuration below `folder`, its recipe written into it.

    Args:
        folder: of all comparisons.
        ground: where the curated table and the features lie.
        asked: the configuration.
        entropy: what its streams are spawned from; drawn now, or as recorded, where None.
    """
    params = asked.params
    made_from = {
        "files": {
            path.name: files.md5_file(path) for path in (data_workspace.curated, data_workspace.features)
        },
        "params": params.model_dump(mode="json", include=MADE_BY),
        "kinds": {name: endpoint.kind for name, endpoint in params.data.endpoints.items()},
        "vary": asked.vary,
        "copy": asked.copy,
        "entropy": None if entropy is None else str(entropy),
    }
    if params.replicates.rows != "all":  # others keep the names that they had before there was a choice
        made_from |= {"rows": params.replicates.rows, "split": params.split.model_dump(mode="json")}
    fold_store = FoldStore(folder / content_key(made_from))
    recipe = fold_store.folder / "recipe.json"
    if not recipe.is_file():
        drawn = secrets.randbits(128) if entropy is None else copy_entropy(entropy, asked.copy)
        content = {"params": params.model_dump(mode="json"), "vary": asked.vary, "entropy": str(drawn)}
        files.write_json(recipe, content)
    return fold_store


class Recipe(NamedTuple):
    """What the replicates of a fold store are made by."""

    params: Params
    vary: tuple[str, ...]
    entropy: int


def read_recipe(fold_store: FoldStore) -> Recipe:
    """The fold store's recipe."""
    raw: dict[str, Any] = files.read_json(fold_store.folder / "recipe.json")
    params = parse_params(raw["params"], source=str(fold_store.folder / "recipe.json"))
    return Recipe(params, tuple(raw["vary"]), int(raw["entropy"]))


def split_name(subsets: np.ndarray) -> str:
    """The name of a split, str (n,), after its content."""
    return hashlib.sha256("\n".join(subsets.tolist()).encode()).hexdigest()[:16]


def split_entropy(entropy: int, split: str) -> int:
    """What the streams of a split are spawned from: two splits must not share initial weights."""
    return int(hashlib.sha256(f"{entropy}/{split}".encode()).hexdigest()[:32], 16)


def copy_entropy(entropy: int, copy: int) -> int:
    """What an equal configuration's streams are spawned from: copies of one must not train alike."""
    return split_entropy(entropy, f"copy {copy}") if copy else entropy


def write_splits(path: Path, splits: list[np.ndarray]) -> None:
    """Keep the parts of all splits, s times str (n,)."""
    codes = np.array([[SUBSETS.index(subset) for subset in subsets] for subsets in splits], dtype=np.int8)
    files.write_npz(path, {"parts": codes})


def read_splits(path: Path) -> list[np.ndarray]:
    """The parts of all splits, as `write_splits` had them."""
    return list(np.array(SUBSETS)[files.read_npz(path)["parts"]])


def save_fold_predictions(fold_store: FoldStore, split: str, replicates: FoldPredictions) -> None:
    """Keep the replicates of one split in place of those that were there."""
    before = fold_store.of_split(split)
    meta = {
        "indices": replicates.indices,
        "diverged": replicates.diverged,
        "parameters": replicates.parameters,
        "seconds": replicates.seconds,
        "memory": replicates.memory,
    }
    content = files.npz_bytes({"predictions": replicates.predictions, "meta": np.array(json.dumps(meta))})
    path = fold_store.folder / f"{split}-{files.sha256_bytes(content)[:16]}.npz"
    files.write_bytes(path, content)
    if before is not None and before != path:
        before.unlink(missing_ok=True)


def load_fold_predictions(fold_store: FoldStore, split: str) -> FoldPredictions:
    """The replicates of one split; none where there is no file or a damaged one (which is removed)."""
    path = fold_store.of_split(split)
    if path is None:
        return NONE
    match = NAME.fullmatch(path.name)
    if match is None or files.sha256_bytes(path.read_bytes())[:16] != match[2]:
        path.unlink()
        return NONE
    arrays = files.read_npz(path)
    return FoldPredictions(predictions=arrays["predictions"], **json.loads(str(arrays["meta"])))


class Frames(NamedTuple):
    """What the replicates of all splits are made from.

    Attributes:
        curated: the curated table, n rows.
        features: of the same molecules.
        groups: what the split keeps together, int (n,), where each replicate draws its own molecules.
    """

    curated: pd.DataFrame
    features: Features
    groups: np.ndarray | None = None


def read_frames(fold_store: FoldStore, data_workspace: Workspace) -> Frames:
    """What a fold store's replicates are made from."""
    curated, params = pd.read_parquet(data_workspace.curated), read_recipe(fold_store).params
    bagged = params.replicates.rows == "bootstrap"
    groups = groups_of(curated, params.split) if bagged else None
    return Frames(curated, Features.load(data_workspace.features), groups)


def train_split(fold_store: FoldStore, frames: Frames, subsets: np.ndarray, wanted: int, follow) -> None:
    """Replicates of one split, until `wanted` of them have not diverged."""
    split = split_name(subsets)
    kept = load_fold_predictions(fold_store, split)
    if len(kept.predictions) >= wanted:
        return
    forget_peak()  # of what this process did before
    params, vary, entropy = read_recipe(fold_store)
    test = np.flatnonzero(subsets == "test")
    prepared = [
        family._replace(problem=dataclasses.replace(family.problem, predict=test, vary=vary))
        for family in prepare_families(frames.curated, frames.features, subsets, params)
    ]
    drawn = None if frames.groups is None else Groups(frames.groups, np.flatnonzero(subsets == "train"))
    own = split_entropy(entropy, split)
    mixing = mixing_for(
        frames.curated,
        frames.features,
        subsets,
        params,
        lambda: groups_of(frames.curated, params.split) if frames.groups is None else frames.groups,
        entropy=split_entropy(own, "weights"),
        threads=allowed_threads(),
    )
    while len(kept.predictions) < wanted:
        first, missing = len(kept.indices), wanted - len(kept.predictions)
        began, before = time.perf_counter(), kept
        made = fresh_replicates(
            prepared,
            range(first, first + missing),
            own,
            mixing=mixing,
            threads=allowed_threads(),
            follow=lambda done, before=wanted - missing: follow((before + done) / wanted),
            groups=drawn,
        )
        found = {replicate.index: replicate for replicate in made}
        kept = _joined(kept, found, [one.predictions for one in _good(found)])
        kept = kept._replace(
            seconds=before.seconds + time.perf_counter() - began, memory=max(before.memory, peak_bytes())
        )
        if kept.diverged > max(DIVERGED_LIMIT, len(kept.predictions)):
            raise ValueError(
                f"compare: {kept.diverged} of {len(kept.indices)} replicates diverged with "
                f"train.learning_rate {params.train.learning_rate:g}; lower it"
            )
    save_fold_predictions(fold_store, split, kept)


def _good(found: dict[int, FreshReplicate]) -> list[FreshReplicate]:
    """Those that did not diverge, by index."""
    return [one for _, one in sorted(found.items()) if not one.diverged]


def _joined(
    kept: FoldPredictions, found: dict[int, FreshReplicate], predictions: list[np.ndarray]
) -> FoldPredictions:
    """The kept replicates and the new ones."""
    # probabilities are doubles: in single precision those of sure networks would be 1, without a logit
    new = [np.stack(predictions)] if predictions else []
    old = [kept.predictions] if len(kept.predictions) else []
    sizes = [one.parameters for one in _good(found)]
    return FoldPredictions(
        np.concatenate([*old, *new]) if old or new else kept.predictions,
        [*kept.indices, *sorted(found)],
        kept.diverged + sum(one.diverged for one in found.values()),
        max([kept.parameters, *sizes]),
    )
