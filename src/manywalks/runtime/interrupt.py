"""^C and SIGTERM: one line, the status that a shell expects, and no process left, all within two seconds.

A thread hears of the signal through a pipe that the interpreter itself writes to. So it does not matter
what the main thread does just then: import TensorFlow, wait for a step, or run inside Prefect, which takes
a minute to give up. The process then ends without tidying up. That is safe because everything here is
written so that even a SIGKILL costs nothing that was finished (tests/faults).
"""

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

import psutil

STATUS: dict[int, int] = {signal.SIGINT: 130, signal.SIGTERM: 143}
# for all that is asked of others: how many replicates are kept, the bars, a Prefect server far away
PATIENCE_S = 1.2
FINISHED_KEPT = "what was finished is kept; run again to go on"
SHOW_CURSOR, CLEAR_LINE = "\x1b[?25h", "\r\x1b[K"

_kept: list[Callable[[], str]] = []
_last_acts: list[Callable[[], object]] = []
_watching, _stopping = threading.Event(), threading.Event()


def watch() -> None:
    """From now on, end this process by `^C` and SIGTERM as this module says."""
    if _watching.is_set():
        return
    _watching.set()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(reader,), daemon=True).start()
    keep_watching()


def keep_watching() -> None:
    """Take the signals back from whoever has taken them, where this process watches for them at all."""
    if not _watching.is_set() or threading.current_thread() is not threading.main_thread():
        return
    for number in STATUS:
        # a job in the background is started with ^C ignored
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _hold)


def let_go() -> None:
    """Leave both signals to whoever takes them next, such as a server that answers before it ends."""
    if _watching.is_set():
        signal.set_wakeup_fd(-1)
        _watching.clear()
    for number in STATUS:
        if signal.getsignal(number) is _hold:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def keeping(words: Callable[[], str]) -> Iterator[None]:
    """Meanwhile, `words()` says what an interruption keeps, such as "3 of 8 replicates kept; …"."""
    with _among(_kept, words):
        yield


@contextmanager
def last_act(act: Callable[[], object]) -> Iterator[None]:
    """Meanwhile, an interruption calls `act` before it says its line; it gets a second at most."""
    with _among(_last_acts, act):
        yield


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that is removed with the block, after an interruption too."""
    with (
        tempfile.TemporaryDirectory(prefix="manywalks-") as name,
        last_act(partial(shutil.rmtree, name, ignore_errors=True)),
    ):
        yield Path(name)


def wait_if_stopping() -> None:
    """Never return once this process is being ended: what failed now failed because of that."""
    if _stopping.is_set():
        _hold()


@contextmanager
def _among(acts: list, one: object) -> Iterator[None]:
    acts.append(one)
    try:
        yield
    finally:
        acts.remove(one)


def _hold(*_: object) -> NoReturn:
    """Stand still until `_listen` has ended the process."""
    while True:
        time.sleep(1)


def _listen(reader: int) -> None:
    """Wait for one of the signals."""
    while (number := os.read(reader, 1)[0]) not in STATUS:
        pass
    _end(STATUS[number])


def _end(status: int) -> None:
    """End every child, say the line, end this process."""
    _stopping.set()
    acts, kept = list(_last_acts), list(_kept)
    try:
        _end_children()
        deadline = time.monotonic() + PATIENCE_S
        for act in acts:
            _within(deadline, act)
        words = _within(deadline, kept[-1]) if kept else None
        _say(f"stopped; {words or FINISHED_KEPT}")
        _end_children()
    finally:
        os._exit(status)


def _end_children() -> None:
    """Kill whatever this process started, and whatever that started."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        try:
            child.kill()
        except psutil.Error:  # it ended meanwhile
            continue
    psutil.wait_procs(children, timeout=0.5)


def _within(deadline: float, act: Callable[[], object]) -> object:
    """What `act` returns; None where it takes too long: the main thread may hold a lock that it needs."""
    found: list[object] = []

    def run() -> None:
        # a half-written folder or a server that is gone must not hide the line
        with suppress(Exception):
            found.append(act())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(0.05, deadline - time.monotonic()))
    return found[0] if found else None


def _say(line: str) -> None:
    """Write to standard error without its locks, on a line of its own."""
    before = CLEAR_LINE + SHOW_CURSOR if os.isatty(sys.__stderr__.fileno() if sys.__stderr__ else 2) else ""
    os.write(2, f"{before}{line}\n".encode())
