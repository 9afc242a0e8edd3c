"""Chunks to be predicted on the workers of a Dask cluster, which share no disk with the driver.

Every worker gets the model once; a chunk is then some thousand texts, and comes back as a table.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
from distributed import wait

from manywalks import files
from manywalks.ensemble import manifest
from manywalks.ensemble.model import Ensemble
from manywalks.params.sections.run import OrchestrateParams
from manywalks.predict.columns import Record
from manywalks.predict.stream import Chunk, Keep, Share, Stream
from manywalks.runtime.dask_cluster import Delivery, bundle, cluster_client, delivered

# chunks under way for each thread of the cluster: one in work, one waiting
AHEAD = 2
CONNECT_S = 60
_of_thread = threading.local()


def predict_chunk_on_worker(
    key: str, number: int, records: list[Record], keep: Sequence[str], top: int | None = None
) -> pa.Table:
    """On a worker: the rows of a chunk. A worker's thread keeps the model, and a process that featurizes.

    Raises:
        ValueError: the worker's packages make other features than the model's.
        StepFailed: the worker has not got the model yet.
    """
    model = delivered(key)
    named = (key, tuple(keep), top, str(model))
    if getattr(_of_thread, "named", None) != named:
        if hasattr(_of_thread, "stream"):
            _of_thread.stream.close()
        ensemble = Ensemble.load(model)
        # a chunk by itself: its rows are the same whichever worker had the ones before it
        _of_thread.stream = Stream(ensemble, 1, keep=keep, top=top, recent=0)
        _of_thread.named = named
    made: list[pa.Table] = []
    _of_thread.stream.run([Chunk(number, records, 1.0)], lambda _, table: made.append(table))
    return made[0]


class FarStream:
    """`stream.Stream` on a cluster."""

    def __init__(
        self, model: Path, asked: OrchestrateParams, keep: Sequence[str], top: int | None = None
    ) -> None:
        """Connect, and send the model to the workers."""
        self._stack = ExitStack()
        self._client = cluster_client(asked, self._stack, processes=asked.cores, connect_s=CONNECT_S)
        self._key = f"predict-{files.sha256_bytes((model / manifest.FILE).read_bytes())[:16]}"
        self._keep, self._top = tuple(keep), top
        self._retries = asked.retries
        content = bundle((path for path in sorted(model.rglob("*")) if path.is_file()), model)
        self._client.register_plugin(Delivery(self._key, content, asked.storage))

    def close(self) -> None:
        """Leave the cluster."""
        self._stack.close()

    def remember(self, table: pa.Table) -> None:
        """Chunks on a cluster are independent of the ones before."""

    def run(self, chunks: Iterator[Chunk], keep: Keep, tell: Share) -> None:
        """Predict chunks, several at once; `keep` gets each one's table as it comes."""
        under_way: dict[Any, Chunk] = {}
        # `wait` asks the current client, and ours is nobody's default
        with self._client.as_current():
            for chunk in chunks:
                future = self._client.submit(
                    predict_chunk_on_worker, self._key, chunk.number, chunk.records, self._keep, self._top,
                    pure=False, retries=self._retries,
                )  # fmt: skip
                under_way[future] = chunk
                while len(under_way) >= AHEAD * max(1, sum(self._client.nthreads().values())):
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
