"""Shares of a comparison or a search on the workers of a Dask cluster, which share no disk with the driver.

Every worker gets table, features and splits once. A share is then a recipe and a few numbers, and comes back
as files named after their content, as `folds` keeps them.
"""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from distributed import get_worker
from distributed.scheduler import KilledWorker

from manywalks import files
from manywalks.compare.design import Share
from manywalks.compare.folds import NAME, FoldStore, read_splits, split_name
from manywalks.replicates.code_key import content_key
from manywalks.runtime.dask_cluster import Delivery, bundle, cluster_client, delivered
from manywalks.runtime.progress import Tell
from manywalks.runtime.resources import processes_of
from manywalks.runtime.steps.step_process import StepFailed, run_step
from manywalks.workspace import Workspace


class FarShare(NamedTuple):
    """A share as a worker gets it.

    Attributes:
        store: name of the fold store.
        data, splits: where the data workspace and the file of splits lie in the bundle.
        numbers: of the splits.
        names: their names.
        count: replicates on each.
        files: the store's recipe, and what is kept of these splits, by file name.
        code: what the driver's training code is known by.
        time_limit: seconds.
    """

    store: str
    data: str
    splits: str
    numbers: list[int]
    names: list[str]
    count: int
    files: dict[str, bytes]
    code: str
    time_limit: float


def run_far_share(key: str, share: FarShare) -> dict[str, bytes]:
    """On a worker: train a share; its files by name.

    Raises:
        ValueError: the worker's code is not the driver's, so its replicates would be others; or bad input.
        StepFailed: the worker has not got the bundle yet, or the step failed in a way that can pass.
    """
    root = delivered(key)
    if content_key({}) != share.code:
        raise ValueError(
            f"{get_worker().address}: runs other code of manywalks than the driver; install the same version"
        )
    store = FoldStore(root / "stores" / share.store)
    for name, content in share.files.items():
        files.write_bytes(store.folder / name, content)
    asked = Share(store.folder, root / share.data, root / share.splits, share.numbers, share.count)
    run_step(asked.arguments, folder=root, time_limit=share.time_limit, threads=1)
    made = {name: store.of_split(name) for name in share.names}
    return {path.name: path.read_bytes() for path in made.values() if path is not None}


def keep(store: FoldStore, made: dict[str, bytes]) -> None:
    """On the driver: keep what a share made, each file checked against its name."""
    for name, content in made.items():
        match = NAME.fullmatch(name)
        if match is None or files.sha256_bytes(content)[:16] != match[2]:
            raise StepFailed(f"replicates {name} came damaged from their worker")
        before, path = store.of_split(match[1]), store.folder / name
        files.write_bytes(path, content)
        if before is not None and before != path:
            before.unlink(missing_ok=True)


class Cluster:
    """A cluster that trains shares of one workspace; several threads may ask it at once."""

    def __init__(self, workspace: Workspace, connect_s: float) -> None:
        """Connect; ValueError where no worker is there in time."""
        self._workspace, self._stack = workspace, ExitStack()
        self._client: Any = cluster_client(
            workspace.params.orchestrate, self._stack, processes=processes_of(workspace),
            connect_s=connect_s, folder=workspace.state / "dask",
        )  # fmt: skip
        self._sent: dict[tuple[Path, Path], str] = {}
        self._lock = threading.Lock()

    @property
    def processes(self) -> int:
        """Shares that can be trained side by side."""
        return max(1, sum(self._client.nthreads().values()))

    def close(self) -> None:
        """Leave the cluster."""
        self._stack.close()

    def train(self, share: Share, tell: Tell) -> None:
        """Train a share on some worker, and keep what it made."""
        store = FoldStore(share.fold_store)
        future = self._client.submit(
            run_far_share, self._delivered(share), self._far(share, store), pure=False
        )
        try:
            made = future.result()
        except KilledWorker as error:
            raise StepFailed(
                f"workers that trained replicates were killed again and again: {error}"
            ) from None
        keep(store, made)
        done = len(share.numbers) * share.count
        tell(done, done, "")

    def _delivered(self, share: Share) -> str:
        """The key of the bundle with the share's data, which every worker gets the first time."""
        with self._lock:
            place = (share.data_workspace, share.splits)
            if place not in self._sent:
                data, root = Workspace(share.data_workspace), self._workspace.root
                paths = [self._workspace.params_file, data.curated, data.features, share.splits]
                content = bundle(paths, root)
                key = f"shares-{files.sha256_bytes(content)[:16]}"
                storage = self._workspace.params.orchestrate.storage
                self._client.register_plugin(Delivery(key, content, storage))
                self._sent[place] = key
            return self._sent[place]

    def _far(self, share: Share, store: FoldStore) -> FarShare:
        """The share as a worker gets it."""
        splits, root = read_splits(share.splits), self._workspace.root
        names = [split_name(splits[number]) for number in share.numbers]
        paths = [store.folder / "recipe.json", *(store.of_split(name) for name in names)]
        return FarShare(
            store.folder.name,
            share.data_workspace.relative_to(root).as_posix(),
            share.splits.relative_to(root).as_posix(),
            share.numbers,
            names,
            share.count,
            {path.name: path.read_bytes() for path in paths if path is not None},
            content_key({}),
            self._workspace.params.orchestrate.time_limit,
        )
