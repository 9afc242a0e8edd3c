"""Chunks of a table through the ensemble: workers featurize one chunk while the one before is predicted.

What was computed for the last `RECENT` chunks is not computed again. That memory is what stands in the rows
of those chunks and nothing else, so a run that goes on after a kill reads it back from their parts: it then
predicts the same molecules together, and ends with the same last digits.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from manywalks.ensemble.model import Ensemble
from manywalks.features import Features
from manywalks.predict.columns import Record
from manywalks.predict.molecule_worker import (
    BLOCK,
    FEATURES,
    SMILES,
    TARGET,
    Standard,
    arrived,
    assembled,
    lost,
    setup,
)
from manywalks.predict.output_columns import input_columns, result_table, schema
from manywalks.runtime.worker_pool import Lost, WorkerPool

RECENT = 32
# a hand-out of about a tenth of a second: the workers end a chunk together
BATCH_STANDARDIZE, BATCH_FEATURIZE = 32, 8
DTYPES = {"f": "float64", "i": "int64", "b": "bool"}
Keep = Callable[["Chunk", pa.Table], None]


class Share(Protocol):
    """Gets the share of the input that is done, 0 to 1, and how many rows of the chunk in work are."""

    def __call__(self, done: float, rows: float = 0) -> None:
        """Tell it."""
        ...


class Chunk(NamedTuple):
    """Some records after each other, and how much of the input (0 to 1) was read with and before them."""

    number: int
    records: list[Record]
    share: float
    since: float = 0.0


@dataclass
class RecentChunk:
    """What became of a chunk's molecules: texts -> standard forms, and these -> rows of `frame`."""

    standards: dict[str, Standard]
    places: dict[str, int]
    frame: "Future[pd.DataFrame]"


@dataclass
class InProgress:
    """A chunk under way."""

    chunk: Chunk
    texts: list[str]
    standards: dict[str, Standard]
    asked: list[str]
    lot: range
    held: dict[str, tuple[RecentChunk, int]] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)


class Stream:
    """An ensemble with its workers, and the last chunks' molecules."""

    def __init__(
        self, ensemble: Ensemble, cores: int, *, keep: Sequence[str] = (), recent: int = RECENT
    ) -> None:
        """Workers start with the first chunk; `close` ends them. `keep` names the records' kept cells."""
        self._ensemble = ensemble
        self._fields = schema(ensemble, keep)
        self._limit = ensemble.curate.time_limit
        self._pool = WorkerPool(TARGET, setup(ensemble.curate, ensemble.blocks), self._limit, cores)
        self._recent: deque[RecentChunk] = deque(maxlen=recent)
        # one thread: chunks are predicted in order, so what a later one takes over is there
        self._thread = ThreadPoolExecutor(1)

    def close(self) -> None:
        """End workers and thread."""
        self._pool.stop()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def remember(self, table: pa.Table) -> None:
        """Take over a chunk that a former run has finished."""
        frame = table.to_pandas()
        rows = frame[["smiles", "standardized", "rejected"]].itertuples(index=False)
        standards = {
            SMILES + smiles: Standard(smiles, standardized, rejected or "")
            for smiles, standardized, rejected in rows
            if not rejected
        }
        first = frame[frame["rejected"] == ""].drop_duplicates("standardized")
        places = {smiles: place for place, smiles in enumerate(first["standardized"])}
        kinds = self._ensemble.predicted_columns
        kept: Future[pd.DataFrame] = Future()
        # a column with empty cells came back as one of floats or objects
        kept.set_result(first[list(kinds)].astype({n: DTYPES[k] for n, k in kinds.items()}))
        self._recent.append(RecentChunk(standards, places, kept))

    def run(self, chunks: Iterable[Chunk], keep: Keep, tell: Share = lambda done, rows=0: None) -> None:
        """Score chunks in order; `keep` gets each one's table in another thread, `tell` the share done."""
        source = iter(chunks)
        following = self._begin(next(source, None))
        before: Future[None] | None = None
        while following is not None:
            begun = following
            self._standardize(begun)
            # the next chunk's molecules wait behind this one's: no worker idles between two chunks
            following = self._begin(next(source, None))
            making = self._featurize(begun, keep, _between(begun.chunk, tell))
            if before is not None:
                before.result()
            before = making
        if before is not None:
            before.result()

    def _begin(self, chunk: Chunk | None) -> InProgress | None:
        """Hand the texts that are not known yet to the workers."""
        if chunk is None:
            return None
        texts = ["" if r.fault else (BLOCK if r.kind == "block" else SMILES) + r.text for r in chunk.records]
        unique = dict.fromkeys(text for text in texts if text)
        standards = {text: found for text in unique if (found := self._standard(text)) is not None}
        asked = [text for text in unique if text not in standards]
        return InProgress(chunk, texts, standards, asked, self._pool.add(asked, batch=BATCH_STANDARDIZE))

    def _standard(self, text: str) -> Standard | None:
        """What a recent chunk found."""
        return next((known.standards[text] for known in self._recent if text in known.standards), None)

    def _standardize(self, begun: InProgress) -> None:
        """Wait for the standard forms, and hand over those that have no features yet."""
        outcomes = self._pool.finish(begun.lot)
        for text, outcome in zip(begun.asked, outcomes, strict=True):
            begun.standards[text] = arrived(outcome, text, self._limit)
        found = (begun.standards[text].standardized for text in begun.texts if text)
        for smiles in dict.fromkeys(smiles for smiles in found if smiles is not None):
            known = next((known for known in self._recent if smiles in known.places), None)
            if known is None:
                begun.new.append(smiles)
            else:
                begun.held[smiles] = known, known.places[smiles]
        begun.lot = self._pool.add([FEATURES + smiles for smiles in begun.new], batch=BATCH_FEATURIZE)

    def _featurize(
        self, begun: InProgress, keep: Keep, progress: Callable[[int, int], None]
    ) -> "Future[None]":
        """Wait for the features; prediction and table are made in the thread."""
        outcomes = self._pool.finish(begun.lot, progress)
        failed: dict[str, str] = {}
        rows: list[str] = []
        places = {smiles: place for place, smiles in enumerate(begun.held)}
        for smiles, outcome in zip(begun.new, outcomes, strict=True):
            if isinstance(outcome, Lost):
                failed[smiles] = lost(outcome, self._limit)
            elif "failed" in outcome:
                failed[smiles] = outcome["failed"]
            else:
                places[smiles] = len(begun.held) + len(rows)
                rows.append(outcome["row"])
        held = list(begun.held.values())
        known = RecentChunk(begun.standards, places, self._thread.submit(self._predict, held, rows))
        self._recent.append(known)
        return self._thread.submit(lambda: keep(begun.chunk, self._table(begun, known, failed)))

    def _predict(self, held: list[tuple[RecentChunk, int]], rows: list[str]) -> pd.DataFrame:
        """Rows taken over from recent chunks, then those of new molecules."""
        features = assembled(rows, self._ensemble.blocks)
        new = self._new(features)
        return pd.concat([*_taken(held), new], ignore_index=True) if held else new

    def _new(self, features: Features) -> pd.DataFrame:
        """Predicted in blocks, so that m replicates of t endpoints need little memory at once."""
        size = self._ensemble.block
        parts = [
            self._ensemble.predict_features(features.take(np.arange(start, min(start + size, len(features)))))
            for start in range(0, max(1, len(features)), size)
        ]
        return pd.concat(parts, ignore_index=True)

    def _table(self, begun: InProgress, known: RecentChunk, failed: dict[str, str]) -> pa.Table:
        """A row a record."""
        nothing = Standard("", None, "")
        standards = [begun.standards.get(text, nothing) for text in begun.texts]
        given = input_columns(begun.chunk.records, standards, failed)
        places = [-1 if s is None else known.places.get(s, -1) for s in given["standardized"]]
        return result_table(given, known.frame.result(), places, self._fields)


def _between(chunk: Chunk, tell: Share) -> Callable[[int, int], None]:
    """Progress within a chunk as a share of the whole, and in rows."""

    def progress(done: int, n: int) -> None:
        part = done / max(1, n)
        tell(chunk.since + (chunk.share - chunk.since) * part, len(chunk.records) * part)

    return progress


def _taken(held: list[tuple[RecentChunk, int]]) -> list[pd.DataFrame]:
    """Rows of recent chunks' frames, in the order of `held`."""
    frames: dict[int, tuple[Any, list[int], list[int]]] = {}
    for order, (known, place) in enumerate(held):
        entry = frames.setdefault(id(known), (known, [], []))
        entry[1].append(place)
        entry[2].append(order)
    parts = [known.frame.result().iloc[rows].set_axis(order) for known, rows, order in frames.values()]
    return [pd.concat(parts).sort_index()] if parts else []
