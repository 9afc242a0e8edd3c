"""Train one pack of replicates in this process, keeping each training as it ends."""

from collections.abc import Callable

from manywalks.features import Features
from manywalks.replicates.plan import next_after
from manywalks.replicates.store import FamilyStore, entropy_of, open_store, save_training, saved_trainings
from manywalks.runtime import progress
from manywalks.runtime.resources import allowed_threads
from manywalks.train.engines import choose_engine, description, train_pack
from manywalks.train.prepare import read_features, read_prepared
from manywalks.train.problem import Pack
from manywalks.workspace import Workspace


def run(workspace: Workspace, key: str, indices: str) -> None:
    """Train what replicates `indices` ("0,2,4") of the store called `key` lack, family after family."""
    store = open_store(workspace)
    if store.key != key:
        raise ValueError(
            f"{workspace.root}: data, params or code changed while the replicates trained; run again"
        )
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
                _train(workspace, family, left, features=features, follow=follow)
            before += len(left)


def _train(
    workspace: Workspace,
    store: FamilyStore,
    missing: list[int],
    *,
    features: Features,
    follow: Callable[[float], None],
) -> None:
    """Train one family for these replicates; `follow` gets how many trainings are done."""
    prepared = read_prepared(workspace, store.family, store.key, features=features)
    problem, classes = prepared.problem, prepared.transform.classes
    entropy, engine = entropy_of(store, workspace.params), description(choose_engine(problem))
    epochs_done = dict.fromkeys(missing, 0.0)

    def note(replicate: int, epoch: int, epochs: int) -> None:
        if replicate in epochs_done:
            epochs_done[replicate] = epoch / epochs
            follow(sum(epochs_done.values()))

    spare = next_after(missing, saved_trainings(store), workspace.params.replicates)
    threads = allowed_threads()
    for replicate in train_pack(Pack(problem, missing, entropy, threads=threads, progress=note, spare=spare)):
        predictions = prepared.values(replicate.predictions)
        save_training(store, replicate, predictions, engine, classes=classes)
        note(replicate.index, 1, 1)
