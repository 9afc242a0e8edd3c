"""Chunks to be scored on the workers of a Dask cluster, which share no disk with the driver.

Every worker gets the model once, as a plugin; a chunk is then some thousand texts, and comes back as a table.
"""

import io
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
from distributed import Worker, WorkerPlugin, get_worker, wait

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.model import Ensemble
from manywalks.params.run import OrchestrateParams
from manywalks.predict.columns import Record
from manywalks.predict.stream import Chunk, Keep, Share, Stream
from manywalks.runtime import object_store
from manywalks.runtime.dask_cluster import dask_client
from manywalks.runtime.step_process import StepFailed

# The time stamp of what is sent: the same model shall be the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
# chunks under way for each thread of the cluster: one in work, one waiting
AHEAD = 2
_of_thread = threading.local()


def bundle(model: Path) -> bytes:
    """The files of a model as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(model.rglob("*")):
            if path.is_file():
                name = path.relative_to(model).as_posix()
                archive.writestr(zipfile.ZipInfo(name, EPOCH), path.read_bytes())
    return buffer.getvalue()


class ModelDelivery(WorkerPlugin):
    """Brings the model to every worker, once: as bytes, or from the storage root."""

    idempotent = True

    def __init__(self, key: str, content: bytes, root: str | None) -> None:
        """`key` of the model; with a storage root, the bytes go there and not through the scheduler."""
        self.name = f"manywalks-score-{key}"
        self.key = key
        self.root = root
        self.digest = files.sha256_bytes(content)
        self.content = None if root else content
        if root:
            object_store.put(root, f"score-{key}/{self.digest}.zip", content)

    def setup(self, worker: Worker) -> None:
        """Unpack the model into the worker's own folder."""
        folder = Path(worker.local_directory) / self.name
        content = self.content
        if content is None:
            content = object_store.get(str(self.root), f"score-{self.key}/{self.digest}.zip")
        if files.sha256_bytes(content) != self.digest:
            raise ValueError(f"{worker.address}: the model came damaged; run again")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
        self.folder = folder


def predict_chunk_on_worker(key: str, number: int, records: list[Record], keep: Sequence[str]) -> pa.Table:
    """On a worker: the rows of a chunk. A worker's thread keeps the model, and a process that featurizes.

    Raises:
        ValueError: the worker's packages make other features than the model's.
        StepFailed: the worker has not got the model yet.
    """
    delivery: Any = get_worker().plugins.get(f"manywalks-score-{key}")
    if delivery is None:
        raise StepFailed(f"{get_worker().address}: has not got the model")
    named = (key, tuple(keep), str(delivery.folder))
    if getattr(_of_thread, "named", None) != named:
        if hasattr(_of_thread, "stream"):
            _of_thread.stream.close()
        ensemble = Ensemble.load(delivery.folder)
        # a chunk by itself: its rows are the same whichever worker had the ones before it
        _of_thread.stream = Stream(ensemble, 1, keep=keep, recent=0)
        _of_thread.named = named
    made: list[pa.Table] = []
    _of_thread.stream.run([Chunk(number, records, 1.0)], lambda _, table: made.append(table))
    return made[0]


class FarStream:
    """`stream.Stream` on a cluster."""

    def __init__(self, model: Path, asked: OrchestrateParams, keep: Sequence[str]) -> None:
        """Connect, and send the model to the workers."""
        self._stack = ExitStack()
        self.dask_client: Any = dask_client(asked, self._stack)
        self._key = files.sha256_bytes((model / manifest.FILE).read_bytes())[:16]
        self._keep = tuple(keep)
        self._retries = asked.retries
        self.dask_client.register_plugin(ModelDelivery(self._key, bundle(model), asked.storage))

    def close(self) -> None:
        """Leave the cluster."""
        self._stack.close()

    def remember(self, table: pa.Table) -> None:
        """Chunks on a cluster are independent of the ones before."""

    def run(self, chunks: Iterator[Chunk], keep: Keep, tell: Share) -> None:
        """Score chunks, several at once; `keep` gets each one's table as it comes."""
        under_way: dict[Any, Chunk] = {}
        # `wait` asks the current client, and ours is nobody's default
        with self.dask_client.as_current():
            for chunk in chunks:
                future = self.dask_client.submit(
                    predict_chunk_on_worker, self._key, chunk.number, chunk.records, self._keep,
                    pure=False, retries=self._retries,
                )  # fmt: skip
                under_way[future] = chunk
                while len(under_way) >= AHEAD * max(1, sum(self.dask_client.nthreads().values())):
                    _take(under_way, keep, tell)
            while under_way:
                _take(under_way, keep, tell)


def _take(under_way: dict[Any, Chunk], keep: Keep, tell: Share) -> None:
    """Wait for a chunk or more, and keep what has come."""
    waited: Any = wait(list(under_way), return_when="FIRST_COMPLETED")
    for future in waited.done:
        chunk = under_way.pop(future)
        keep(chunk, future.result())
        tell(chunk.share)
