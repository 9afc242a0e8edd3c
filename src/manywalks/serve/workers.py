"""Worker processes that many clients share: each client's texts in turn, so that a long list delays nobody.

One thread owns the pool. It hands out one text at a time, and hears of new jobs at once through a file
descriptor that the pool waits on together with its workers.
"""

import contextlib
import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from manywalks.runtime.worker_pool import WorkerPool

# before a pool that cannot start is tried again
PAUSE_S = 1.0


class Broken(RuntimeError):
    """No worker can be started."""


@dataclass
class Job:
    """A list of texts under way.

    Attributes:
        texts: what is asked.
        each: gets the place of a text and its outcome (Lost where there is none), in the pool's thread.
        fail: called once if the job cannot be done.
        wanted: whether a text at a place is still to be worked on.
        given: texts that have been handed out.
        cancelled: whoever asked no longer waits.
    """

    texts: Sequence[str]
    each: Callable[[int, Any], None]
    fail: Callable[[Exception], None]
    wanted: Callable[[int], bool] = lambda place: True
    given: int = 0
    cancelled: bool = False

    def cancel(self) -> None:
        """Hand out no more of it."""
        self.cancelled = True


class _Bell:
    """Wakes the thread that waits for workers: for the pool's selector, a worker without outcomes."""

    def __init__(self) -> None:
        self.output = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ring(self) -> None:
        os.eventfd_write(self.output, 1)

    def outcomes(self) -> list[Any]:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.output)
        return []


class Workers:
    """A pool with its thread; `ask` may be called from any thread."""

    def __init__(self, target: str, setup: Any, *, limit: float, cores: int) -> None:
        """Start the workers; `limit` is the seconds for one text."""
        self._settings = (target, setup, limit, cores)
        self._cores = cores
        self._bell = _Bell()
        self._inbox: SimpleQueue[Job] = SimpleQueue()
        self._jobs: deque[Job] = deque()
        self._asked: dict[int, tuple[Job, int]] = {}
        self._ended = threading.Event()
        self._pool = self._new_pool()
        self._thread = threading.Thread(target=self._run, name="workers", daemon=True)
        self._thread.start()

    def ask(self, job: Job) -> Job:
        """Put a job among the others."""
        self._inbox.put(job)
        self._bell.ring()
        return job

    def pids(self) -> list[int]:
        """The workers' processes."""
        return [worker.process.pid for worker in list(self._pool.workers)]

    def close(self) -> None:
        """End thread and workers; what is under way is not finished."""
        self._ended.set()
        self._bell.ring()
        self._thread.join()
        self._pool.stop()
        os.close(self._bell.output)

    def _new_pool(self) -> WorkerPool:
        target, setup, limit, cores = self._settings
        pool = WorkerPool(target, setup, limit, cores)
        pool.selector.register(self._bell.output, selectors.EVENT_READ, self._bell)
        return pool

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._turn()
            except (RuntimeError, OSError) as error:  # of the pool: a process could not be started
                self._fail_all(error)

    def _turn(self) -> None:
        """Take new jobs, keep all workers busy, pass on what they have done."""
        while len(self._pool.workers) < self._cores:
            self._pool.start()
        with contextlib.suppress(Empty):
            while True:
                self._jobs.append(self._inbox.get_nowait())
        self._hand_out()
        self._pool.poll()
        for index in list(self._pool.outcomes):
            outcome = self._pool.outcomes.pop(index)
            job, place = self._asked.pop(index)
            job.each(place, outcome)

    def _hand_out(self) -> None:
        """A text of each job in turn, so that each worker has one and one more waits for it."""
        while self._jobs and len(self._asked) < 2 * self._cores:
            job = self._jobs.popleft()
            while job.given < len(job.texts) and not job.cancelled and not job.wanted(job.given):
                job.given += 1
            if job.cancelled or job.given == len(job.texts):
                continue
            (index,) = self._pool.add([job.texts[job.given]])
            self._asked[index] = (job, job.given)
            # the pool waits for outcomes first, and gives texts to idle workers after that
            self._bell.ring()
            job.given += 1
            self._jobs.append(job)

    def _fail_all(self, error: Exception) -> None:
        """Tell everybody who waits, and start with a fresh pool."""
        waiting = {id(job): job for job in [*self._jobs, *(job for job, _ in self._asked.values())]}
        self._jobs.clear()
        self._asked.clear()
        self._pool.stop()
        for job in waiting.values():
            job.fail(Broken(str(error)))
        time.sleep(PAUSE_S)
        self._pool = self._new_pool()


def ask_all(workers: Workers, texts: Sequence[str], done: Callable[[list[Any]], None],
            fail: Callable[[Exception], None]) -> Job:  # fmt: skip
    """Ask texts that belong together; `done` gets their outcomes in order."""
    outcomes: list[Any] = [None] * len(texts)
    left = len(texts)

    def each(place: int, outcome: Any) -> None:
        nonlocal left
        outcomes[place] = outcome
        left -= 1
        if left == 0:
            done(outcomes)

    if not texts:
        done([])
    return workers.ask(Job(texts, each, fail))
