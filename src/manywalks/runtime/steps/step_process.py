"""Run a step in a process of its own: its progress followed, its end enforced, its failure named."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from manywalks.runtime import interrupt, progress, run_log

BAD_INPUT = 2
# EX_TEMPFAIL of sysexits.h: what failed may pass (disk, memory, a file that is just being written)
RETRYABLE = 75
NOISE_OFF = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "DO_NOT_TRACK": "1",
    "PYTHONUNBUFFERED": "1",
}
PARENT_PIPE = "MANYWALKS_PARENT_PIPE"
# the argument of a process that stays for several steps, and what it says at the end of each
STAY, DONE = "--stay", "@done"


class StepFailed(RuntimeError):
    """A step's process failed for a reason that can pass: killed, out of time, I/O, memory."""


class OutOfMemory(StepFailed):
    """A step's process had too little memory, or was killed by signal 9, as the system does then."""


def run_step(
    arguments: list[str],
    *,
    folder: Path,
    time_limit: float,
    tell: progress.Tell | None = None,
    threads: int | None = None,
) -> None:
    """Run `python -m manywalks.tasks ARGUMENTS` in `folder`.

    Raises:
        ValueError: the step refused its input (exit status 2); the message is its own line.
        StepFailed: the process was killed, took longer than `time_limit` seconds, or met an I/O or
            memory error; another try may pass.
        RuntimeError: anything else, with the end of what the process printed.
    """
    interrupt.wait_if_stopping()
    # nothing is ever written to its input: it closes when this process ends, however that is (see
    # `die_with_parent`)
    process = start_process(arguments, folder, threads)
    heard: list[str] = []
    what = " ".join(arguments)
    began = time.monotonic()
    run_log.note(what, "started")
    listen = partial(hear, what, heard)
    readers = [_reader(process.stdout, listen, tell), _reader(process.stderr, listen, None)]
    try:
        status = process.wait(timeout=time_limit)
    except subprocess.TimeoutExpired:
        end_group(process)
        raise StepFailed(
            f"{what}: ended after its time limit of {time_limit:g} s (orchestrate.time_limit)"
        ) from None
    except BaseException:
        end_group(process)
        raise
    finally:
        for reader in readers:
            reader.join(timeout=5)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
    interrupt.wait_if_stopping()
    run_log.note(what, f"ended with status {status} after {time.monotonic() - began:.1f} s")
    judge(status, what, heard)


def start_process(arguments: list[str], folder: Path, threads: int | None) -> subprocess.Popen:
    """Start `python -m manywalks.tasks ARGUMENTS`, with pipes for all that it reads and says."""
    environment = {**os.environ, **NOISE_OFF, "MANYWALKS_PROGRESS": "lines", PARENT_PIPE: "1"}
    if threads:
        environment |= {
            name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        }
    return subprocess.Popen(
        [sys.executable, "-m", "manywalks.tasks", *arguments],
        cwd=folder, env=environment, text=True, errors="replace", stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # a group of its own, so that whatever the step started ends with it
        start_new_session=True,
    )  # fmt: skip


def die_with_parent() -> None:
    """In a step's process: end it, and whatever it started, once the process that started it is gone.

    A flow that is killed cannot end its steps; left alone, they would write into the next flow's outputs.
    """
    if os.environ.pop(PARENT_PIPE, None) is None:
        return

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def asked_by_parent() -> Iterator[list[str]]:
    """In a process that stays: the steps that it is asked for. It ends, at once, with the one that asks."""
    os.environ.pop(PARENT_PIPE, None)
    asked: queue.Queue[list[str]] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            asked.put(json.loads(line))
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield asked.get()


def _reader(stream, hear: Callable[[str], None], tell: progress.Tell | None) -> threading.Thread:
    """Follow one stream of a child to its end, so that it never blocks on a full pipe."""

    def follow() -> None:
        with stream:
            for line in stream:
                told = progress.parse(line)
                if told is None:
                    hear(line.rstrip())
                elif tell is not None:
                    tell(*told)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    return thread


def hear(what: str, heard: list[str], line: str) -> None:
    """Keep a step's line for its failure and for the log."""
    heard.append(line)
    del heard[:-200]
    run_log.note(what, line)


def end_group(process: subprocess.Popen) -> None:
    """Kill a child and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def judge(status: int, what: str, heard: list[str]) -> None:
    """Turn an exit status into nothing or the right exception."""
    if status == 0:
        return
    last = next((line for line in reversed(heard) if line.strip()), "no word")
    if status == BAD_INPUT:
        raise ValueError(last)
    if status < 0:
        kind = OutOfMemory if -status == signal.SIGKILL else StepFailed
        raise kind(f"{what}: killed by signal {-status}; last it said: {last}")
    if status == RETRYABLE:
        raise (OutOfMemory if last.startswith("MemoryError") else StepFailed)(f"{what}: {last}")
    raise RuntimeError(f"{what}: failed with exit status {status}\n" + "\n".join(heard[-30:]))
