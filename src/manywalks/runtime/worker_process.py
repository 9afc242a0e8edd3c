"""A worker process that can be ended: its program, and the end of it that a pool holds.

Texts go to a worker as lines of JSON, about `WORK_S` of work each. Outcomes come back through a pipe of their
own, which a library that prints does not know, as frames of several: the sizes of two parts, a JSON list of
[value, number of bytes or -1], and the bytes. How many texts a worker has finished stands in memory that it
shares with its pool: while outcomes are held back, neither a hang nor a death is blamed on the wrong text.
"""

import contextlib
import fcntl
import importlib
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from typing import IO, Any, NamedTuple

import psutil

from manywalks.runtime.imports import without_collector

WORK_S = 0.1  # seconds of work that a worker gets at once, and that it may hold outcomes back
PATIENCE = 20  # times its limit that a text may take by the clock, whatever the processor was busy with
PIPE = 1 << 20
# pydantic reads the metadata of every installed package for plugins, 60 ms; ours has no use for any
QUICK_IMPORTS = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
HEADER = struct.Struct("<II")  # sizes of a frame's JSON and of its bytes
COUNTER = struct.Struct("<q")


class WithBytes(NamedTuple):
    """An outcome that is more than JSON: a JSON value, and bytes that pass as they are."""

    value: Any
    content: bytes


class Worker:
    """One process: the texts it has, in order, and since when it works on the first that is not finished."""

    def __init__(self, target: str, setup: Any, limit: float) -> None:
        self.complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by end)
        self.output, theirs = os.pipe()  # file descriptor of the outcomes
        with contextlib.suppress(OSError):  # of a system with smaller pipes
            fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, PIPE)
        counter = os.memfd_create("finished")
        os.ftruncate(counter, COUNTER.size)
        self.counter = mmap.mmap(counter, COUNTER.size)
        command = [
            sys.executable,
            "-m",
            "manywalks.runtime.worker_process",
            target,
            json.dumps(setup),
            repr(limit),
            str(theirs),
            str(counter),
        ]
        # what a library prints must not be taken for an outcome
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=self.complaints,
            stderr=self.complaints,
            pass_fds=[theirs, counter],
            env=os.environ | QUICK_IMPORTS,
        )
        os.close(theirs)
        os.close(counter)
        self.ready = False
        self.pending: deque[int] = deque()
        self.ahead = 0  # texts of `pending` that were given while it worked on others
        self.arrived = self.seen = 0
        self.since = self.given = time.monotonic()
        self.partial = bytearray()
        self.process_now = psutil.Process(self.process.pid)
        # seconds by the clock and of processor time when half of the limit had passed
        self.at_half: tuple[float, float] | None = None

    def give(self, chunk: Sequence[int], line: bytes) -> None:
        """Hand over texts, as a line of JSON; it is idle, or works on its last ones and the line is short."""
        assert self.process.stdin is not None
        if self.pending:
            self.ahead = len(chunk)
        else:
            self.since = self.given = time.monotonic()
        self.pending.extend(chunk)
        with contextlib.suppress(BrokenPipeError):  # it died idle; its closed output says so
            self.process.stdin.write(line)
            self.process.stdin.flush()

    @property
    def held(self) -> int:
        """How many texts it has finished whose outcomes have not come."""
        return min(COUNTER.unpack_from(self.counter)[0] - self.arrived, len(self.pending))

    def overdue(self, limit: float) -> bool:
        """Whether it has worked on one text for longer than so many seconds, or waits for nothing so long.

        The first half is by the clock, the rest by the processor time that it got: on a machine with more to
        do than it can, no text is lost that would be done in time on a quiet one.
        """
        finished, now = COUNTER.unpack_from(self.counter)[0], time.monotonic()
        if finished != self.seen:
            self.seen, self.since = finished, now
        took = now - self.since
        if took <= limit / 2:
            self.at_half = None
        if took <= limit / 2 or not self.ready or self.held == len(self.pending):
            return False
        with contextlib.suppress(psutil.Error):  # it has ended; its output says so
            used = sum(self.process_now.cpu_times()[:2])
            self.at_half = self.at_half or (took, used)
            worked = self.at_half[0] + used - self.at_half[1]
            waits = self.process_now.status() == psutil.STATUS_SLEEPING
            return took > limit and (worked > limit or waits or took > PATIENCE * limit)
        return took > limit

    def taken(self) -> int:
        """The text that it works on, or that comes first; the others are `pending`."""
        place = self.held if self.held < len(self.pending) else 0
        index = self.pending[place]
        del self.pending[place]
        return index

    def outcomes(self) -> list[Any] | None:
        """The whole outcomes that it has written since; None once it is dead."""
        piece = os.read(self.output, PIPE)
        if not piece:
            return None
        self.partial += piece
        found: list[Any] = []
        while len(self.partial) >= HEADER.size:
            size, n_bytes = HEADER.unpack_from(self.partial)
            start = HEADER.size + size
            if len(self.partial) < start + n_bytes:
                break
            for value, length in json.loads(self.partial[HEADER.size : start]):
                if length < 0:
                    found.append(value)
                else:
                    found.append(WithBytes(value, bytes(self.partial[start : start + length])))
                    start += length
            del self.partial[:start]
        return found

    def end(self) -> str:
        """End the process, whatever it does; its last complaint, for a message."""
        self.process.kill()
        self.process.wait()
        os.close(self.output)
        self.counter.close()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # of texts that it did not take
            self.process.stdin.close()
        self.complaints.seek(0)
        text = self.complaints.read().decode(errors="replace").strip()
        self.complaints.close()
        return text.splitlines()[-1] if text else "no message"


def work() -> None:
    """The worker's program: lines of JSON texts in, frames of outcomes out."""
    target, setup, limit = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
    output, counter = int(sys.argv[4]), int(sys.argv[5])
    os.set_inheritable(output, False)
    finished = mmap.mmap(counter, COUNTER.size)
    os.close(counter)
    module, function = target.split(":")
    with without_collector(program=True):
        apply = getattr(importlib.import_module(module), function)(setup)
    _send(output, [None])
    total = 0
    for line in sys.stdin.buffer:
        held, since = [], time.monotonic()
        for text in json.loads(line):
            # ends this process even inside C++ code, should nobody be left to do it
            signal.setitimer(signal.ITIMER_REAL, PATIENCE * limit + 60)
            held.append(apply(text))
            total += 1
            COUNTER.pack_into(finished, 0, total)
            if time.monotonic() - since > WORK_S:
                _send(output, held)
                held, since = [], time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0)
        if held:
            _send(output, held)


def _send(output: int, outcomes: list[Any]) -> None:
    """Write a frame of some outcomes, whole."""
    parts = [(one.value, len(one.content)) if isinstance(one, WithBytes) else (one, -1) for one in outcomes]
    content = b"".join(one.content for one in outcomes if isinstance(one, WithBytes))
    value = json.dumps(parts).encode()
    left = memoryview(HEADER.pack(len(value), len(content)) + value + content)
    while left:
        left = left[os.write(output, left) :]


if __name__ == "__main__":
    # by its own name, since __main__ has another `WithBytes` than the one that a target's outcomes are of
    importlib.import_module("manywalks.runtime.worker_process").work()
