"""One model's predictions for many clients: what is ready of all requests is predicted together."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from manywalks.ensemble.model import Ensemble
from manywalks.featurize.featurize import features_of
from manywalks.featurize.molecule import FeatureRow
from manywalks.predict.molecule_worker import Arrived, Standard, arrived
from manywalks.predict.runner import worker_setup
from manywalks.serve.limits import Limits
from manywalks.serve.worker import MOLECULES
from manywalks.serve.workers import Job, Workers
from manywalks.similarity import nearest_rows

# molecules whose answers are remembered; those that hang RDKit are among them
REMEMBERED = 8192


class Nearest(NamedTuple):
    """The nearest training molecule: its row among them, and its similarity."""

    row: int
    similarity: float


class Row(NamedTuple):
    """What became of a text: its standard form, its predictions by column, its nearest training molecule."""

    standard: Standard
    values: dict[str, Any] | None = None
    nearest: Nearest | None = None


@dataclass
class Request:
    """Texts that a client waits for.

    Attributes:
        texts: of each molecule, with the letter that says what it is; "" is no molecule.
        rows: what became of each.
        left: how many different texts are not done.
        future: gets the rows.
        places: of each text, where it is.
        job: what the workers have of it.
    """

    texts: Sequence[str]
    rows: list[Row | None]
    left: int
    future: "Future[list[Row | None]]" = field(default_factory=Future)
    places: dict[str, list[int]] = field(default_factory=dict)
    job: Job | None = None

    def cancel(self) -> None:
        """Nobody waits any longer."""
        if self.job is not None:
            self.job.cancel()


class Ready(NamedTuple):
    """A molecule with its features, to be predicted."""

    request: Request
    text: str
    came: Arrived


class Predicting:
    """A model with its workers and the thread that predicts."""

    def __init__(self, ensemble: Ensemble, limits: Limits, cores: int) -> None:
        self.ensemble = ensemble
        self._limit = min(2 * ensemble.curate.time_limit, limits.molecule)
        self._blocks = ensemble.blocks
        given = worker_setup(ensemble.curate, self._blocks)
        self.workers = Workers(MOLECULES, given, limit=self._limit, cores=cores)
        self._ready: SimpleQueue[Ready | None] = SimpleQueue()
        self._known: OrderedDict[bytes, Row] = OrderedDict()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="predict", daemon=True)
        self._thread.start()

    def predict(self, texts: Sequence[str]) -> Request:
        """Begin to predict n texts; the request's future gets n rows, None where a text is ""."""
        request = Request(texts, [None] * len(texts), 0)
        for place, text in enumerate(texts):
            if text:
                request.places.setdefault(text, []).append(place)
        asked = list(request.places)
        request.left = len(asked)
        if not asked:
            request.future.set_result(request.rows)
            return request

        def wanted(place: int) -> bool:
            # another client may have asked for it while this one waited
            known = self._remembered(asked[place])
            if known is not None:
                self._settle(request, asked[place], known)
            return known is None

        request.job = Job(
            asked,
            lambda place, outcome: self._arrive(request, asked[place], outcome),
            lambda error: _fail(request, error),
            wanted,
        )
        self.workers.ask(request.job)
        return request

    def close(self) -> None:
        """End workers and thread."""
        self.workers.close()
        self._ready.put(None)
        self._thread.join()

    def _arrive(self, request: Request, text: str, outcome: Any) -> None:
        """A text came back from the workers."""
        came = arrived(outcome, text, self._limit / 2)
        if came.features is None:
            self._keep(request, text, Row(came.standard))
        else:
            self._ready.put(Ready(request, text, came))

    def _run(self) -> None:
        """Predict what has come in, all of it at once."""
        while (first := self._ready.get()) is not None:
            lot = [first]
            try:
                while len(lot) < self.ensemble.block:
                    following = self._ready.get_nowait()
                    if following is None:
                        return
                    lot.append(following)
            except Empty:
                pass
            self._predict(lot)

    def _predict(self, lot: list[Ready]) -> None:
        """Predict some molecules and tell those who wait."""
        try:
            rows = [one.came.features for one in lot if one.came.features is not None]
            found = self._rows(rows)
        except Exception as error:  # whoever waits must hear of it; the service goes on
            for one in lot:
                _fail(one.request, error)
            return
        for one, (values, nearest) in zip(lot, found, strict=True):
            self._keep(one.request, one.text, Row(one.came.standard, values, nearest))

    def _rows(self, rows: list[FeatureRow]) -> list[tuple[dict[str, Any], Nearest | None]]:
        """Columns of `predict`, and the nearest training molecule."""
        features = features_of(rows, len(rows), self._blocks)
        values: list[dict[str, Any]] = self.ensemble.predict_features(features).to_dict("records")  # pyright: ignore
        bits = self.ensemble.domain.bits
        if bits.shape[1] == 0:
            return [(one, None) for one in values]
        near = nearest_rows(self.ensemble.domain.fingerprints(features), bits, 1)
        pairs = zip(near.rows[:, 0].tolist(), near.similarity[:, 0].tolist(), strict=True)
        return [(one, Nearest(*pair)) for one, pair in zip(values, pairs, strict=True)]

    def neighbours(self, row: FeatureRow, k: int) -> list[Nearest]:
        """The k nearest training molecules of one molecule."""
        bits = self.ensemble.domain.bits
        if bits.shape[1] == 0:
            return []
        features = features_of([row], 1, self._blocks)
        found = nearest_rows(self.ensemble.domain.fingerprints(features), bits, min(k, len(bits)))
        return [Nearest(int(r), float(s)) for r, s in zip(found.rows[0], found.similarity[0], strict=True)]

    def _remembered(self, text: str) -> Row | None:
        """The answer to a text that was asked before."""
        key = _key(text)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
        return known

    def _keep(self, request: Request, text: str, row: Row) -> None:
        """Remember an answer and give it."""
        with self._lock:
            self._known[_key(text)] = row
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        self._settle(request, text, row)

    def _settle(self, request: Request, text: str, row: Row) -> None:
        """Give an answer to one request."""
        for place in request.places[text]:
            request.rows[place] = row
        with self._lock:
            request.left -= 1
            done = request.left == 0
        if done and request.future.set_running_or_notify_cancel():
            request.future.set_result(request.rows)


def _fail(request: Request, error: Exception) -> None:
    """Tell a client that waits, unless it was told."""
    request.cancel()
    if not request.future.done():
        request.future.set_exception(error)


def _key(text: str) -> bytes:
    """A text of any length in 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
