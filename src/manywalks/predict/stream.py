"""Chunks of a table through the ensemble: workers featurize one chunk while the one before is predicted.

What was computed for the last `RECENT` chunks is not computed again. That memory is what stands in the rows
of those chunks and nothing else, so a run that goes on after a kill reads it back from their parts: it then
predicts the same molecules together, and ends with the same last digits.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import pandas as pd
import pyarrow as pa

from manywalks.ensemble.model import Ensemble, Listed
from manywalks.ensemble.stacks.stack import row_blocks
from manywalks.features import Features
from manywalks.featurize.featurize import features_of
from manywalks.featurize.molecule import FeatureRow
from manywalks.graph_layout import larger
from manywalks.predict.best import best_molecules
from manywalks.predict.columns import Record
from manywalks.predict.molecule_worker import BLOCK, SMILES, Arrived, Standard, arrived
from manywalks.predict.output_columns import input_columns, result_table, schema
from manywalks.predict.runner import molecule_pool
from manywalks.replicates.statistics import best, list_sums
from manywalks.runtime.worker_pool import WorkerPool

RECENT = 32
# metadata of a part: what its new molecules tell of a retrained ensemble (`list_sums`)
SUMS = b"manywalks:sums"
# likewise: which of them may be among the best of the whole list
BEST = b"manywalks:best"
# likewise: how many of them are too large for a network on graphs
TOO_LARGE = b"manywalks:too_large"
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
    """What became of a chunk's molecules: texts -> standard forms, and these -> rows of `listed.table`.

    The sums of `listed` are over the molecules that are new in this chunk.
    """

    standards: dict[str, Standard]
    places: dict[str, int]
    listed: "Future[Listed]"


class InProgress(NamedTuple):
    """A chunk under way.

    Attributes:
        chunk: its records.
        texts: of each record; "" where it has a fault.
        standards: what has become of texts; of all of them once the chunk has ended.
        asked: texts that the workers work on, as `lot` of the pool.
        lot: what the pool knows them by.
        waited: texts that the chunk before asks for; its `standards` are `before`.
        before: empty where there is no such chunk.
    """

    chunk: Chunk
    texts: list[str]
    standards: dict[str, Standard]
    asked: list[str]
    lot: range
    waited: list[str]
    before: dict[str, Standard]


class New(NamedTuple):
    """A chunk's molecules: those that recent chunks have predicted, and features of the others, by SMILES."""

    held: dict[str, tuple[RecentChunk, int]]
    rows: dict[str, FeatureRow]


class Stream:
    """An ensemble with its workers, and the last chunks' molecules."""

    def __init__(
        self,
        ensemble: Ensemble,
        cores: int,
        *,
        keep: Sequence[str] = (),
        top: int | None = None,
        recent: int | None = None,
        workers: WorkerPool | None = None,
    ) -> None:
        """Workers start with the first chunk; `close` ends them. `keep` names the records' kept cells.

        `top` best molecules are asked for; `recent` chunks are remembered (default: RECENT); `workers` may
        have started already.
        """
        self._ensemble = ensemble
        self._top = top
        self._fields = schema(ensemble, keep)
        self._blocks = ensemble.blocks
        self._limit = ensemble.curate.time_limit
        self._pool = workers or molecule_pool(ensemble.curate, self._blocks, cores)
        self._memory = RECENT if recent is None else recent
        self._recent: deque[RecentChunk] = deque(maxlen=self._memory)
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
        kept: Future[Listed] = Future()
        # a column with empty cells came back as one of floats or objects
        kept.set_result(Listed(first[list(kinds)].astype({n: DTYPES[k] for n, k in kinds.items()}), ()))
        self._recent.append(RecentChunk(standards, places, kept))

    def run(self, chunks: Iterable[Chunk], keep: Keep, tell: Share = lambda done, rows=0: None) -> None:
        """Score chunks in order; `keep` gets each one's table in another thread, `tell` the share done."""
        source = iter(chunks)
        following = self._begin(next(source, None), None)
        before: Future[None] | None = None
        while following is not None:
            begun = following
            # the next chunk's molecules wait behind this one's: no worker idles between two chunks
            following = self._begin(next(source, None), begun)
            making = self._end(begun, keep, _between(begun.chunk, tell))
            if before is not None:
                before.result()
            before = making
        if before is not None:
            before.result()

    def _begin(self, chunk: Chunk | None, before: InProgress | None) -> InProgress | None:
        """Hand the texts that are not known yet to the workers, behind those of the chunk `before`."""
        if chunk is None:
            return None
        texts = ["" if r.fault else (BLOCK if r.kind == "block" else SMILES) + r.text for r in chunk.records]
        # the chunk before takes the place of the oldest: what only that one knows will be forgotten
        left = self._memory if before is None else max(0, self._memory - 1)
        recent = list(self._recent)[max(0, len(self._recent) - left) :]
        there = set(before.texts) if before is not None and self._memory else set()
        standards: dict[str, Standard] = {}
        asked: list[str] = []
        waited: list[str] = []
        for text in dict.fromkeys(text for text in texts if text):
            found = next((known.standards[text] for known in recent if text in known.standards), None)
            if found is not None:
                standards[text] = found
            else:
                (waited if text in there else asked).append(text)
        lot = self._pool.add(asked)
        return InProgress(chunk, texts, standards, asked, lot, waited, before.standards if before else {})

    def _end(self, begun: InProgress, keep: Keep, progress: Callable[[int, int], None]) -> "Future[None]":
        """Wait for a chunk's molecules; prediction and table are made in the thread."""
        outcomes = self._pool.finish(begun.lot, progress)
        came = [arrived(*one, self._limit) for one in zip(outcomes, begun.asked, strict=True)]
        begun.standards.update(zip(begun.asked, (one.standard for one in came), strict=True))
        begun.standards.update((text, begun.before[text]) for text in begun.waited)
        new = self._new_of(begun, came)
        places = {smiles: place for place, smiles in enumerate([*new.held, *new.rows])}
        known = RecentChunk(begun.standards, places, self._thread.submit(self._predict, new))
        self._recent.append(known)
        return self._thread.submit(lambda: keep(begun.chunk, self._table(begun, known)))

    def _new_of(self, begun: InProgress, came: list[Arrived]) -> New:
        """Which of a chunk's molecules were predicted in a recent chunk, in the order of its records."""
        found = New({}, {})
        rows = {one.standard.standardized: one.features for one in came if one.features is not None}
        standards = (begun.standards[text] for text in begun.texts if text)
        for smiles in dict.fromkeys(s.standardized for s in standards if s.standardized and not s.rejected):
            known = next((known for known in self._recent if smiles in known.places), None)
            if known is None:
                found.rows[smiles] = rows[smiles]
            else:
                found.held[smiles] = known, known.places[smiles]
        return found

    def _predict(self, new: New) -> Listed:
        """Rows taken over from recent chunks, then those of new molecules."""
        features = features_of(new.rows.values(), len(new.rows), self._blocks)
        predicted = self._new(features, list(new.rows))
        predicted = predicted._replace(too_large=int(larger(features).sum()))
        held = _taken(list(new.held.values()))
        if not held:
            return predicted
        return predicted._replace(table=pd.concat([*held, predicted.table], ignore_index=True))

    def _new(self, features: Features, smiles: list[str]) -> Listed:
        """Predicted in blocks, so that m replicates of t endpoints need little memory at once."""
        parts = [
            self._ensemble.predict_list(features.take(rows), top=self._top, smiles=[smiles[k] for k in rows])
            for rows in row_blocks(len(features), self._ensemble.block)
        ]
        table = pd.concat([part.table for part in parts], ignore_index=True)
        found = Listed(table, list_sums.added([part.sums for part in parts]))
        if self._top is None:
            return found
        best = best_molecules(self._ensemble, [part.best for part in parts], self._top)
        return found._replace(best=tuple(best.values()))

    def _table(self, begun: InProgress, known: RecentChunk) -> pa.Table:
        """One row per record; what the new molecules tell of the list goes along in the table's metadata."""
        nothing = Standard("", None, "")
        standards = [begun.standards.get(text, nothing) for text in begun.texts]
        given = input_columns(begun.chunk.records, standards)
        places = [-1 if s is None else known.places.get(s, -1) for s in given["standardized"]]
        listed = known.listed.result()
        made = result_table(given, listed.table, places, self._fields)
        beside = {SUMS: list_sums.to_bytes(listed.sums)}
        beside |= {BEST: best.to_bytes(listed.best)} if listed.best else {}
        beside |= {TOO_LARGE: str(listed.too_large).encode()} if listed.too_large else {}
        return made.replace_schema_metadata(beside)


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
    parts = [known.listed.result().table.iloc[rows].set_axis(order) for known, rows, order in frames.values()]
    return [pd.concat(parts).sort_index()] if parts else []
