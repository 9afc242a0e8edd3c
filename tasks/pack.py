"""Train one pack of replicates in this process, keeping each training as it ends."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from manywalks.features import Features
from manywalks.replicates.draws import on_draw, parted, predicting_train
from manywalks.replicates.family_weights.opening import open_called
from manywalks.replicates.family_weights.problem import prepare_fold
from manywalks.replicates.plan import next_after
from manywalks.replicates.store import FamilyStore, Store, entropy_of, save_training, saved_trainings
from manywalks.runtime import progress
from manywalks.runtime.resources import allowed_threads
from manywalks.train.engines import choose_engine, description, train_pack
from manywalks.train.prepare import (
    Prepared,
    read_features,
    read_groups,
    read_prepared,
    read_tables,
)
from manywalks.train.problem import Pack
from manywalks.workspace import Workspace


def run(workspace: Workspace, key: str, indices: str) -> None:
    """Train what replicates `indices` ("0,2,4") of the store called `key` lack, family after family."""
    store = open_called(workspace, key)
    wanted = [int(index) for index in indices.split(",")]
    missing = [
        (family, [index for index in wanted if index not in saved_trainings(family)])
        for family in store.families
    ]
    if not any(left for _, left in missing):
        return
    features = read_features(workspace)
    families, replicates = len(store.families), len(wanted)
    before = sum(replicates - len(left) for _, left in missing)
    with progress.telling("replicates") as tell:
        for family, left in missing:

            def follow(done: float, before: int = before) -> None:
                tell((before + done) / families, replicates, "")

            if left:
                _train(workspace, store, family, left, features=features, follow=follow)
            before += len(left)


def _train(
    workspace: Workspace,
    store: Store,
    family: FamilyStore,
    missing: list[int],
    *,
    features: Features,
    follow: Callable[[float], None],
) -> None:
    """Train one family for these replicates; `follow` gets how many trainings are done."""
    entropy = entropy_of(family, workspace.params)
    epochs_done = dict.fromkeys(missing, 0.0)

    def note(replicate: int, epoch: int, epochs: int) -> None:
        if replicate in epochs_done:
            epochs_done[replicate] = epoch / epochs
            follow(sum(epochs_done.values()))

    spare: list[int] = []
    if store.draws is None and store.folds is None:  # elsewhere a spare one would have another's molecules
        spare = next_after(missing, saved_trainings(family), workspace.params.replicates)
    threads = allowed_threads()
    for drawn, weights, indices in _problems(workspace, store, family, missing, features):
        engine, classes = description(choose_engine(drawn.problem)), drawn.transform.classes
        pack = Pack(drawn.problem, indices, entropy, threads=threads, progress=note, spare=spare)
        for replicate in train_pack(pack):
            predictions, left_out = drawn.values(replicate.predictions), None
            if weights is not None:
                predictions, left_out = parted(predictions, weights)
            kept = replicate._replace(weights=[]) if store.predictions_alone else replicate
            save_training(family, kept, predictions, engine, classes=classes, out_of_bag=left_out)
            note(replicate.index, 1, 1)


class _Drawn(NamedTuple):
    """The problem of some replicates, and what training molecules weigh where they are predicted too."""

    prepared: Prepared
    weights: np.ndarray | None
    indices: list[int]


def _problems(
    workspace: Workspace, store: Store, family: FamilyStore, indices: Sequence[int], features: Features
) -> Iterator[_Drawn]:
    """What these replicates train on: all the same molecules, or those of their fold or their draw."""
    if store.folds is not None:
        curated = read_tables(workspace).curated
        for fold, own in groupby(sorted(indices), store.folds.fold_of):
            prepared = prepare_fold(curated, features, store.folds, fold, family.family)
            yield _Drawn(prepared, None, list(own))
        return
    prepared, draws = read_prepared(workspace, family.family, family.key, features=features), store.draws
    if draws is None:
        yield _Drawn(prepared, None, list(indices))
        return
    groups = read_groups(workspace)
    for _, own in groupby(sorted(indices), draws.shared):
        alike = list(own)
        drawn = on_draw(prepared, groups, draws, alike[0])
        if draws.leave_out:
            weights = draws.weights(groups.groups[groups.train], alike[0])
            yield _Drawn(predicting_train(drawn, groups), weights, alike)
        else:
            yield _Drawn(drawn, None, alike)
