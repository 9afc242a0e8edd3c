"""A process of its own that trains or predicts: given its task, heard over a pipe, ended with its owner."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from multiprocessing.connection import Connection, Pipe
from typing import IO, Any, NamedTuple


class Child(NamedTuple):
    """A process at work: how to talk to it, and where what it prints goes."""

    process: subprocess.Popen
    pipe: Connection
    errors: IO[bytes]


def start(module: str, task: Any, environment: Mapping[str, str], stack: ExitStack) -> Child:
    """A process `python -m MODULE FD` that has been given its search path and its task.

    Args:
        module: what it runs; it answers over the pipe whose descriptor it is given.
        task: what it works on: the problem that it trains, or the path of the model that it predicts with.
        environment: variables that it gets besides this process's own.
        stack: ends the process when it closes.

    Raises:
        RuntimeError: it ended before it could be told.
    """
    errors = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
    ours, theirs = Pipe()
    stack.enter_context(ours)
    with theirs:
        # not multiprocessing's own start: that would import the caller's main module once more
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
    stack.callback(_end, process)
    child = Child(process, ours, errors)
    try:
        ours.send(list(sys.path))
        ours.send(task)
    except OSError:
        raise RuntimeError(last_words(child, "before it began")) from None
    return child


def tell(child: Child, message: Any, what: str) -> None:
    """Send a message; a RuntimeError where the process is gone."""
    try:
        child.pipe.send(message)
    except OSError:
        raise RuntimeError(last_words(child, f"at {what}")) from None


def hear(child: Child, what: str) -> Any:
    """The next message; a RuntimeError where the process died."""
    try:
        return child.pipe.recv()
    except (EOFError, OSError):
        raise RuntimeError(last_words(child, f"at {what}")) from None


def last_words(child: Child, when: str) -> str:
    """How a process ended, with the last lines it wrote."""
    status = child.process.wait()
    how = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
    child.errors.seek(0)
    said = child.errors.read().decode(errors="replace").strip().splitlines()
    return "\n".join([f"a Keras process {how} {when}; last it said:", *(said[-20:] or ["nothing"])])


def _end(process: subprocess.Popen) -> None:
    """End a process: what it would still do is no longer wanted."""
    process.kill()
    process.wait()
