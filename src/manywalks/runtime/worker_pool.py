"""Texts through a function in processes that can be ended: no text takes longer than its limit.

A thread cannot be stopped in C++ code, and a dead process breaks a ProcessPoolExecutor. These workers are
plain programs with a pipe in and a pipe out (`worker_process`): one that hangs or dies costs its text alone,
and a new one goes on with the others. Nothing is forked or re-imported from the caller's main module, so a
caller may hold threads and needs no `if __name__ == "__main__"`.
"""

import json
import selectors
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from manywalks.runtime.worker_process import WORK_S, WithBytes, Worker

__all__ = ["Lost", "WithBytes", "WorkerPool", "map_texts"]
FIRST = 4  # texts that a worker gets while nobody knows how long one takes
MOST = 256
ALONE = 200  # texts a worker at first: in the second that another one takes to start, one does hundreds
GROW_S = 0.5  # after which there are twice as many workers, where texts still wait
LINE = 1 << 15  # bytes that fit into a pipe: they can be written while the worker works on others
START_LIMIT = 300.0  # seconds; importing RDKit takes 0.5 s, and 20 s on a cold network disk


class Lost(NamedTuple):
    """A text without an outcome: it was over the limit ("timeout"), or its worker died of it ("crashed")."""

    reason: str


def map_texts(
    target: str,
    setup: Any,
    texts: Sequence[str],
    *,
    cores: int,
    limit: float,
    progress: Callable[[int, int], None] | None = None,
) -> list[Any]:
    """Apply a function to n texts in `cores` processes; outcomes in input order, Lost where there is none.

    Args:
        target: "module:function"; function(setup) gives the function of one text. Its outcome is a JSON
            value, or `WithBytes`.
        setup: plain JSON.
        limit: seconds for one text.
        progress: called with (done, n) now and then.
    """
    pool = WorkerPool(target, setup, limit, cores)
    try:
        return pool.finish(pool.add(texts), progress)
    finally:
        pool.stop()


class WorkerPool:
    """Worker processes that stay for one lot of texts after another; `stop` ends them."""

    def __init__(self, target: str, setup: Any, limit: float, cores: int) -> None:
        self.setup = (target, setup, limit)
        self.limit = limit
        self.cores = cores
        self.added = 0
        self.texts: dict[int, str] = {}
        self.outcomes: dict[int, Any] = {}
        self.waiting: deque[range] = deque()
        self.each = 0.0  # seconds that a text takes; 0: nobody knows
        self.suspects: set[int] = set()
        self.selector = selectors.DefaultSelector()
        self.workers: list[Worker] = []
        self.busy_since = time.monotonic()  # as many as there are now, all of them started
        self.looked = time.monotonic()  # last, at what the workers do

    def add(self, texts: Sequence[str]) -> range:
        """Put texts behind those that wait; what `finish` knows them by."""
        lot = range(self.added, self.added + len(texts))
        self.added = lot.stop
        self.texts.update(zip(lot, texts, strict=True))
        if not self.waiting:
            self.busy_since = time.monotonic()
        if lot:
            self.waiting.append(lot)
        while len(self.workers) < min(self.cores, -(-len(self.texts) // ALONE)):
            self.start()
        return lot

    def finish(self, lot: range, progress: Callable[[int, int], None] | None = None) -> list[Any]:
        """Work until every text of the lot has its outcome, and give these in order."""
        told = time.monotonic()
        left = deque(lot)
        while left:
            while left and left[0] in self.outcomes:
                left.popleft()
            # a turn may bring a single outcome; a progress bar needs ten looks a second
            if progress is not None and (time.monotonic() - told > 0.1 or not left):
                told = time.monotonic()
                progress(len(lot) - len(left), len(lot))
            if left:
                self.poll()
        return [self.outcomes.pop(index) for index in lot]

    def start(self) -> None:
        """Start a worker."""
        worker = Worker(*self.setup)
        self.workers.append(worker)
        self.selector.register(worker.output, selectors.EVENT_READ, worker)

    def poll(self) -> None:
        """Collect what has been done, end what takes too long, hand out more."""
        for key, _ in self.selector.select(timeout=min(0.2, self.limit / 4)):
            self._collect(key.data)
        now = time.monotonic()
        self._look(now)
        for worker in list(self.workers):
            if not worker.ready and now - worker.since > START_LIMIT:
                raise RuntimeError(f"a worker process did not start within {START_LIMIT:g} s")
            if worker.overdue(self.limit):
                self._settle(worker.taken(), Lost("timeout"))
                self._replace(worker)
        for worker in self.workers:
            if worker.ready and not worker.pending:
                self._give(worker)
        left = sum(map(len, self.waiting))
        for worker in self.workers:
            # while others would be left without, a text is better off waiting here than behind a slow one
            if worker.ready and not worker.ahead and left > 4 * self.cores * self._share(left):
                self._give(worker, LINE)
        self._grow(now)

    def _look(self, now: float) -> None:
        """Blame no worker for a time in which nobody looked, as where ^Z or a scheduler stopped them all."""
        if now - self.looked > max(1.0, self.limit / 2):
            for worker in self.workers:
                worker.since = now - max(0.0, self.looked - worker.since)
        self.looked = now

    def _grow(self, now: float) -> None:
        """Start more workers where the texts are few and take long."""
        if not all(worker.ready for worker in self.workers):
            self.busy_since = now
        elif now - self.busy_since > GROW_S:
            more = min(len(self.workers), self.cores - len(self.workers), sum(map(len, self.waiting)))
            for _ in range(more):
                self.start()

    def _share(self, left: int) -> int:
        """How many of the texts that are left a worker gets at once: fewer towards the end."""
        by_time = int(WORK_S / self.each) if self.each else FIRST
        return max(1, min(by_time, MOST, left // (2 * self.cores)))

    def _give(self, worker: Worker, most: int = sys.maxsize) -> None:
        """Hand a worker its share of the texts that wait, if that takes no more than so many bytes."""
        if not self.waiting:
            return
        lot = self.waiting.popleft()
        chunk = lot[: self._share(len(lot) + sum(map(len, self.waiting)))]
        line = (json.dumps([self.texts[i] for i in chunk]) + "\n").encode()
        rest = lot[len(chunk) :] if len(line) <= most else lot
        if rest:
            self.waiting.appendleft(rest)
        if len(line) <= most:
            worker.give(chunk, line)

    def stop(self) -> None:
        """End all workers; once they have ended, nothing."""
        self.selector.close()
        while self.workers:
            self.workers.pop().end()

    def _collect(self, worker: Worker) -> None:
        """Take a worker's outcomes; if it died, its first text is the suspect."""
        outcomes = worker.outcomes()
        if outcomes is None:
            self._replace_dead(worker)
            return
        if not outcomes:  # not yet a whole one
            return
        if not worker.ready:
            worker.ready = True  # the first outcome says that it has started
            outcomes = outcomes[1:]
            worker.since = worker.given = time.monotonic()
        worker.arrived += len(outcomes)
        for outcome in outcomes:
            self._settle(worker.pending.popleft(), outcome)
        if outcomes:
            self._timed(worker, len(outcomes))

    def _timed(self, worker: Worker, count: int) -> None:
        """Learn how long a text takes from so many outcomes."""
        now = time.monotonic()
        each = max((now - worker.given) / count, 1e-6)
        self.each = 0.7 * self.each + 0.3 * each if self.each else each
        worker.given = now
        worker.ahead = min(worker.ahead, len(worker.pending))
        if worker.ahead == len(worker.pending):
            worker.ahead = 0  # it works on them now

    def _replace_dead(self, worker: Worker) -> None:
        """A text whose worker dies is tried once more, alone: something else may have killed the process."""
        if not worker.ready:
            self.workers.remove(worker)
            raise RuntimeError(f"a worker process ended before it started: {worker.end()}")
        if worker.pending:
            suspect = worker.taken()
            if suspect in self.suspects:
                self._settle(suspect, Lost("crashed"))
            else:
                self.suspects.add(suspect)
                self.waiting.appendleft(range(suspect, suspect + 1))
        self._replace(worker)

    def _replace(self, worker: Worker) -> None:
        """End a worker, put back what it had, and start another where there is work for one."""
        self.selector.unregister(worker.output)
        worker.end()
        self.workers.remove(worker)
        self.waiting.extendleft(reversed(_ranges(worker.pending)))
        if self.waiting:
            self.start()

    def _settle(self, index: int, outcome: Any) -> None:
        self.outcomes[index] = outcome
        del self.texts[index]


def _ranges(indices: Iterable[int]) -> list[range]:
    """Ascending numbers as ranges."""
    found: list[range] = []
    for index in indices:
        if found and found[-1].stop == index:
            found[-1] = range(found[-1].start, index + 1)
        else:
            found.append(range(index, index + 1))
    return found
