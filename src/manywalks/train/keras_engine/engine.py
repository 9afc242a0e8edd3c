"""Engine for any Keras model: whole epochs compiled, one process a core, traced once for all its replicates.

Keras in threads is wrong (its seeds and names are global), and TensorFlow's own threads make the result
depend on their number. So each thread asked for is a process of one thread.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection, Pipe, wait
from typing import IO, NamedTuple

from manywalks.train.problem import Problem, Progress, Replicate


class Child(NamedTuple):
    """A process that replicates: how to talk to it, and where its standard error goes."""

    process: subprocess.Popen
    pipe: Connection
    errors: IO[bytes]


def supports(problem: Problem) -> bool:
    """Every network that is a Keras model: all of them."""
    return True


def train_pack(
    problem: Problem,
    indices: Sequence[int],
    entropy: int,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> Iterator[Replicate]:
    """Train the replicates `indices` in `threads` processes; yields each as it ends.

    Raises:
        ValueError: the network's builder was refused.
        RuntimeError: a process died; the message holds the last it said.
    """
    waiting = list(reversed(indices))
    with ExitStack() as stack:
        working: dict[Connection, tuple[Child, int]] = {}
        for _ in range(min(threads, len(waiting))):
            child = _start(problem, stack)
            working[child.pipe] = (child, _give(child, waiting.pop(), entropy))
        while working:
            for ready in wait(list(working)):
                child, index = working[ready]  # pyright: ignore[reportArgumentType]
                kind, content = _hear(child, index)
                if kind == "refused":
                    raise ValueError(content)
                if kind == "epoch":
                    if progress is not None:
                        progress(index, content, problem.epochs)
                    continue
                del working[child.pipe]
                if waiting:
                    working[child.pipe] = (child, _give(child, waiting.pop(), entropy))
                yield content


def _start(problem: Problem, stack: ExitStack) -> Child:
    """A process that has been given the problem, and that ends with the stack."""
    errors = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
    ours, theirs = Pipe()
    stack.enter_context(ours)
    with theirs:
        # not multiprocessing's own start: that would import the caller's main module once more
        process = subprocess.Popen(
            [sys.executable, "-m", "manywalks.train.keras_engine.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
    stack.callback(_end, process)
    child = Child(process, ours, errors)
    try:
        ours.send(list(sys.path))
        ours.send(problem)
    except OSError:
        raise RuntimeError(_last_words(child, "before it began")) from None
    return child


def _end(process: subprocess.Popen) -> None:
    """End a process: what it would still do is no longer wanted."""
    process.kill()
    process.wait()


def _give(child: Child, index: int, entropy: int) -> int:
    """Let a child replicate replicate `index`; a child that is gone shows when it is heard."""
    try:
        child.pipe.send((index, entropy))
    except OSError:
        raise RuntimeError(_last_words(child, f"at replicate {index}")) from None
    return index


def _hear(child: Child, index: int) -> tuple:
    """The next message of a child; a RuntimeError where it died."""
    try:
        return child.pipe.recv()
    except (EOFError, OSError):
        raise RuntimeError(_last_words(child, f"at replicate {index}")) from None


def _last_words(child: Child, when: str) -> str:
    """How a child ended, with the last lines it wrote."""
    status = child.process.wait()
    how = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
    child.errors.seek(0)
    said = child.errors.read().decode(errors="replace").strip().splitlines()
    return "\n".join([f"train: a Keras process {how} {when}; last it said:", *(said[-20:] or ["nothing"])])
