"""Train one pack of replicates in this process, keeping each as it ends."""

from manywalks.replicates.store import entropy_of, open_store, save_replicate, saved_replicates
from manywalks.runtime import progress
from manywalks.runtime.resources import allowed_threads
from manywalks.train.engines import choose_engine, train_pack
from manywalks.train.prepare import read_prepared
from manywalks.workspace import Workspace


def run(workspace: Workspace, key: str, indices: str) -> None:
    """Train the replicates `indices` ("0,2,4") that are not kept yet, in the store called `key`."""
    store = open_store(workspace)
    if store.key != key:
        raise ValueError(
            f"{workspace.root}: data, params or code changed while the replicates trained; run again"
        )
    kept = saved_replicates(store)
    missing = [index for index in map(int, indices.split(",")) if index not in kept]
    if not missing:
        return
    problem, _, transform = read_prepared(workspace, store.key)
    entropy = entropy_of(store, workspace.params)
    engine = choose_engine(problem)
    epochs_done = dict.fromkeys(missing, 0.0)
    with progress.telling("replicates") as tell:

        def follow(replicate: int, epoch: int, epochs: int) -> None:
            epochs_done[replicate] = epoch / epochs
            tell(sum(epochs_done.values()), len(missing), "")

        trained = train_pack(problem, missing, entropy, threads=allowed_threads(), progress=follow)
        for replicate in trained:
            predictions = transform.inverse(replicate.predictions, logits=True)
            save_replicate(store, replicate, predictions, engine, classes=transform.classes)
            follow(replicate.index, 1, 1)
