"""A process of its own that trains or predicts: given its task, heard over a pipe, ended with its owner."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from multiprocessing.connection import Connection, Pipe, wait
from typing import IO, Any, NamedTuple

from manywalks.train.problem import Pack, Replicate

# trains replicate `index` by the streams of `entropy`, and says the number of each epoch that is over
TrainOne = Callable[[int, int, Callable[[int], None]], Replicate]


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


def train_side_by_side(module: str, environment: Mapping[str, str], pack: Pack) -> Iterator[Replicate]:
    """Train a pack's replicates in `threads` processes that each run `answer`; yields each as it ends.

    Args:
        module: what a process runs.
        environment: variables that it gets besides this process's own.
        pack: what is trained.

    Raises:
        ValueError: the network's builder was refused.
        RuntimeError: a process died; the message holds the last it said.
    """
    waiting = list(reversed(pack.indices))
    with ExitStack() as stack:
        working: dict[Connection, tuple[Child, int]] = {}

        def give(one: Child) -> None:
            index = waiting.pop()
            tell(one, (index, pack.entropy), f"replicate {index}")
            working[one.pipe] = one, index

        for _ in range(min(pack.threads, len(waiting))):
            give(start(module, pack.problem, environment, stack))
        while working:
            for ready in wait(list(working)):
                one, index = working[ready]  # pyright: ignore[reportArgumentType]
                kind, content = hear(one, f"replicate {index}")
                if kind == "refused":
                    raise ValueError(content)
                if kind == "epoch":
                    if pack.progress is not None:
                        pack.progress(index, content, pack.problem.epochs)
                    continue
                del working[one.pipe]
                if waiting:
                    give(one)
                yield content


def answer(pipe: Connection, prepare: Callable[[], TrainOne]) -> None:
    """In such a process: train one replicate after another until the pipe is closed.

    It hears (index, entropy), and answers ("epoch", number) after each epoch and ("replicate", it) at the
    end, or once ("refused", why).

    Args:
        pipe: to the process that asks.
        prepare: gives what trains a replicate; a ValueError says why the network was refused.
    """
    try:
        train = prepare()
    except ValueError as error:  # the builder is refused
        pipe.send(("refused", str(error)))
        return
    while True:
        try:
            index, entropy = pipe.recv()
        except EOFError:
            return
        pipe.send(("replicate", train(index, entropy, lambda epoch: pipe.send(("epoch", epoch)))))


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
