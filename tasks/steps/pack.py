"""Train one pack of replicates in this process, keeping each as it ends."""

import os

from manywalks.tasks import progress, replicates, walk
from manywalks.tasks.prepared import read_prepared
from manywalks.tasks.workspace import Workspace


def run(workspace: Workspace, key: str, indices: str) -> None:
    """Train the replicates `indices` ("0,2,4") that are not kept yet, in the store called `key`."""
    store = replicates.open_store(workspace)
    if store.key != key:
        raise ValueError(
            f"{workspace.root}: data, params or code changed while the replicates trained; run again"
        )
    kept = replicates.saved(store)
    missing = [index for index in map(int, indices.split(",")) if index not in kept]
    if not missing:
        return
    problem, _, transform = read_prepared(workspace)
    entropy = replicates.entropy_of(store, workspace.params)
    engine = walk.choose_engine(problem)
    epochs_done = dict.fromkeys(missing, 0.0)
    with progress.telling("replicates") as tell:

        def follow(replicate: int, epoch: int, epochs: int) -> None:
            epochs_done[replicate] = epoch / epochs
            tell(sum(epochs_done.values()), len(missing), "")

        trained = walk.train_pack(problem, missing, entropy, threads=_threads(), progress=follow)
        for replicate in trained:
            replicates.save(store, replicate, transform.inverse(replicate.predictions), engine)
            follow(replicate.index, 1, 1)


def _threads() -> int:
    """Threads this process may use, as whoever started it said."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))
