"""Texts through a function in processes that can be ended: no text takes longer than its limit.

A thread cannot be stopped in C++ code, and a dead process breaks a ProcessPoolExecutor. These workers are
plain programs with a pipe in and a pipe out: one that hangs or dies costs its text alone, and a new one
goes on with the others. Nothing is forked or re-imported from the caller's main module, so a caller may
hold threads and needs no `if __name__ == "__main__"`.

Texts go to a worker as lines of JSON. Outcomes come back through a pipe of their own, which a library that
prints does not know, as frames: the sizes of two parts, a JSON value, and bytes where the outcome has some.
"""

import contextlib
import importlib
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, NamedTuple

CHUNK = 64
# sizes of an outcome's JSON and of its bytes, -1 where it has none
HEADER = struct.Struct("<Ii")
START_LIMIT = 300.0  # seconds; importing RDKit takes 0.5 s, and 20 s on a cold network disk


class Lost(NamedTuple):
    """A text without an outcome: it was over the limit ("timeout"), or its worker died of it ("crashed")."""

    reason: str


class WithBytes(NamedTuple):
    """An outcome that is more than JSON: a JSON value, and bytes that pass as they are."""

    value: Any
    content: bytes


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


class _Worker:
    """One process: the texts it has, in order, and since when it works on the first of them."""

    def __init__(self, target: str, setup: Any, limit: float) -> None:
        self.complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by end)
        self.output, theirs = os.pipe()  # file descriptor of the outcomes
        command = [
            sys.executable,
            "-m",
            "manywalks.runtime.worker_pool",
            target,
            json.dumps(setup),
            repr(limit),
            str(theirs),
        ]
        # what a library prints must not be taken for an outcome
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=self.complaints, stderr=self.complaints, pass_fds=[theirs]
        )
        os.close(theirs)
        self.ready = False
        self.pending: deque[int] = deque()
        self.since = time.monotonic()
        self.partial = bytearray()

    def give(self, chunk: Sequence[int], texts: Mapping[int, str]) -> None:
        """Hand over texts; only an idle worker gets some, so neither end waits for the other's pipe."""
        assert self.process.stdin is not None
        self.pending.extend(chunk)
        self.since = time.monotonic()
        with contextlib.suppress(BrokenPipeError):  # it died idle; its closed output says so
            self.process.stdin.write((json.dumps([texts[i] for i in chunk]) + "\n").encode())
            self.process.stdin.flush()

    def outcomes(self) -> list[Any] | None:
        """The whole outcomes that it has written since; None once it is dead."""
        piece = os.read(self.output, 1 << 16)
        if not piece:
            return None
        self.partial += piece
        found: list[Any] = []
        while len(self.partial) >= HEADER.size:
            size, n_bytes = HEADER.unpack_from(self.partial)
            middle = HEADER.size + size
            end = middle + max(0, n_bytes)
            if len(self.partial) < end:
                break
            value = json.loads(self.partial[HEADER.size : middle])
            found.append(value if n_bytes < 0 else WithBytes(value, bytes(self.partial[middle:end])))
            del self.partial[:end]
        return found

    def end(self) -> str:
        """End the process, whatever it does; its last complaint, for a message."""
        self.process.kill()
        self.process.wait()
        os.close(self.output)
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # of texts that it did not take
            self.process.stdin.close()
        self.complaints.seek(0)
        text = self.complaints.read().decode(errors="replace").strip()
        self.complaints.close()
        return text.splitlines()[-1] if text else "no message"


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
        self.suspects: set[int] = set()
        self.selector = selectors.DefaultSelector()
        self.workers: list[_Worker] = []

    def add(self, texts: Sequence[str], *, batch: int = CHUNK) -> range:
        """Put texts behind those that wait, handed out so many at a time; what `finish` knows them by."""
        lot = range(self.added, self.added + len(texts))
        self.added = lot.stop
        self.texts.update(zip(lot, texts, strict=True))
        self.waiting.extend(range(i, min(i + batch, lot.stop)) for i in range(lot.start, lot.stop, batch))
        while len(self.workers) < min(self.cores, len(self.texts)):
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
        worker = _Worker(*self.setup)
        self.workers.append(worker)
        self.selector.register(worker.output, selectors.EVENT_READ, worker)

    def poll(self) -> None:
        """Collect what has been done, end what takes too long, hand out more."""
        for key, _ in self.selector.select(timeout=min(0.2, self.limit / 4)):
            self._collect(key.data)
        now = time.monotonic()
        for worker in list(self.workers):
            if not worker.ready and now - worker.since > START_LIMIT:
                raise RuntimeError(f"a worker process did not start within {START_LIMIT:g} s")
            if worker.ready and worker.pending and now - worker.since > self.limit:
                self._settle(worker.pending.popleft(), Lost("timeout"))
                self._replace(worker)
        for worker in self.workers:
            if worker.ready and not worker.pending and self.waiting:
                worker.give(self.waiting.popleft(), self.texts)

    def stop(self) -> None:
        """End all workers."""
        self.selector.close()
        for worker in self.workers:
            worker.end()

    def _collect(self, worker: _Worker) -> None:
        """Take a worker's outcomes; if it died, its first text is the suspect."""
        outcomes = worker.outcomes()
        if outcomes is None:
            self._replace_dead(worker)
            return
        for outcome in outcomes:
            worker.since = time.monotonic()
            if worker.ready:
                self._settle(worker.pending.popleft(), outcome)
            worker.ready = True  # the first outcome says that it has started

    def _replace_dead(self, worker: _Worker) -> None:
        """A text whose worker dies is tried once more, alone: something else may have killed the process."""
        if not worker.ready:
            self.workers.remove(worker)
            raise RuntimeError(f"a worker process ended before it started: {worker.end()}")
        if worker.pending:
            suspect = worker.pending.popleft()
            if suspect in self.suspects:
                self._settle(suspect, Lost("crashed"))
            else:
                self.suspects.add(suspect)
                self.waiting.appendleft(range(suspect, suspect + 1))
        self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        """End a worker, put back what it had, and start another where there is work for one."""
        self.selector.unregister(worker.output)
        worker.end()
        self.workers.remove(worker)
        if worker.pending:
            self.waiting.append(range(worker.pending[0], worker.pending[-1] + 1))
        if self.waiting:
            self.start()

    def _settle(self, index: int, outcome: Any) -> None:
        self.outcomes[index] = outcome
        del self.texts[index]


def work() -> None:
    """The worker's program: a line of JSON texts in, an outcome a text out."""
    target, setup, limit = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
    output = int(sys.argv[4])
    os.set_inheritable(output, False)
    module, function = target.split(":")
    apply = getattr(importlib.import_module(module), function)(setup)
    _send(output, None)
    for line in sys.stdin.buffer:
        for text in json.loads(line):
            # ends this process even inside C++ code, should nobody be left to do it
            signal.setitimer(signal.ITIMER_REAL, limit + 60)
            _send(output, apply(text))
        signal.setitimer(signal.ITIMER_REAL, 0)


def _send(output: int, outcome: Any) -> None:
    """Write one outcome, whole."""
    has_bytes = isinstance(outcome, WithBytes)
    value = json.dumps(outcome.value if has_bytes else outcome).encode()
    content = outcome.content if has_bytes else b""
    left = memoryview(HEADER.pack(len(value), len(content) if has_bytes else -1) + value + content)
    while left:
        left = left[os.write(output, left) :]


if __name__ == "__main__":
    # by its own name, since __main__ has another `WithBytes` than the one that a target's outcomes are of
    importlib.import_module("manywalks.runtime.worker_pool").work()
