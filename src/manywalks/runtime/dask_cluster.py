"""A Dask cluster: a client of it, and what its workers get once, since they share no disk with the driver."""

import io
import logging
import warnings
import zipfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster, Worker, WorkerPlugin, get_worker

from manywalks import files
from manywalks.params.sections.run import OrchestrateParams
from manywalks.runtime import object_store
from manywalks.runtime.steps.step_process import StepFailed

# The time stamp in a bundle: the same content shall be the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def cluster_client(
    asked: OrchestrateParams,
    stack: ExitStack,
    *,
    processes: int | None,
    connect_s: float,
    folder: Path | None = None,
    kind: Callable[..., Any] = Client,
) -> Any:
    """A client of the cluster at orchestrate.address, or of a local one; both end with `stack`.

    Args:
        asked: section orchestrate.
        stack: closes what was opened.
        processes: workers of a local cluster, one thread each; as many as cores where None.
        connect_s: seconds to wait for the cluster and its first worker.
        folder: where a local cluster's workers keep their files.
        kind: class of the client.

    Raises:
        ValueError: no cluster with a worker is there in time.
    """
    logging.getLogger("distributed").setLevel(logging.ERROR)
    where: Any = asked.address
    try:
        if where is None:
            where = stack.enter_context(_local_cluster(processes, folder))
        client = stack.enter_context(kind(where, set_as_default=False, timeout=connect_s))
        client.wait_for_workers(1, timeout=connect_s)
    except (OSError, TimeoutError) as error:
        stack.close()
        raise ValueError(
            f"orchestrate.address: no Dask cluster with a worker at {asked.address} ({error}); start it"
        ) from None
    return client


def _local_cluster(processes: int | None, folder: Path | None) -> LocalCluster:
    """A cluster of this machine."""
    with warnings.catch_warnings():
        # of a second cluster: the page that nobody asks for is then on another port
        warnings.filterwarnings("ignore", message=r"(?s).*Port 8787 is already in use")
        return LocalCluster(
            n_workers=processes,
            # a pack is a process of its own with one thread: one thread a worker to start it
            threads_per_worker=1,
            local_directory=None if folder is None else str(folder),
            dashboard_address=None,  # pyright: ignore[reportArgumentType]
            silence_logs=logging.ERROR,
        )


def bundle(paths: Iterable[Path], root: Path) -> bytes:
    """Files below `root` as a zip; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in paths:
            name = path.relative_to(root).as_posix()
            archive.writestr(zipfile.ZipInfo(name, EPOCH), path.read_bytes())
    return buffer.getvalue()


class Delivery(WorkerPlugin):
    """Brings a bundle to every worker, once: as bytes, or from the storage root.

    A worker that joins later gets it too, and a restarted one again.
    """

    idempotent = True

    def __init__(self, key: str, content: bytes, root: str | None) -> None:
        """`key` names it; with a storage root, the bytes go there and not through the scheduler."""
        self.name = f"manywalks-{key}"
        self.key = key
        self.root = root
        self.digest = files.sha256_bytes(content)
        self.content = None if root else content
        if root:
            object_store.put(root, f"{key}/{self.digest}.zip", content)

    def setup(self, worker: Worker) -> None:
        """Unpack the bundle into the worker's own folder."""
        folder = Path(worker.local_directory) / self.name
        content = self.content
        if content is None:
            content = object_store.get(str(self.root), f"{self.key}/{self.digest}.zip")
        if files.sha256_bytes(content) != self.digest:
            raise ValueError(f"{worker.address}: what was sent to the worker came damaged; run again")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
        self.folder = folder


def delivered(key: str) -> Path:
    """On a worker: the folder that the bundle called `key` was unpacked into; StepFailed before it came."""
    delivery: Any = get_worker().plugins.get(f"manywalks-{key}")
    if delivery is None:
        raise StepFailed(f"{get_worker().address}: has not got what it needs to work yet")
    return delivery.folder
