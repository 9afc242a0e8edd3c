"""A log file a run, in `.manywalks/logs/`: which steps ran, how long each took, and what they printed."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# the command line's --verbose: what the steps print is shown too
VERBOSE = "MANYWALKS_VERBOSE"
KEPT = 20

_lock = threading.Lock()
_files: list[Path] = []


@contextmanager
def kept(state: Path, name: str) -> Iterator[Path]:
    """Meanwhile, `note` writes to a new file in the workspace's `state`; inside another run, to its file."""
    if _files:
        yield _files[-1]
        return
    folder = state / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("2*.log"))[: 1 - KEPT]:
        old.unlink(missing_ok=True)
    _files.append(folder / f"{time.strftime('%Y-%m-%dT%H-%M-%S')}-{os.getpid()}-{name}.log")
    try:
        yield _files[-1]
    finally:
        _files.pop()


def note(step: str, line: str) -> None:
    """Add a line of a step to the log, if one is kept."""
    if os.environ.get(VERBOSE):
        print(f"{step}: {line}", file=sys.stderr)
    if not _files:
        return
    with _lock, _files[-1].open("a", encoding="utf-8") as log:
        log.write(f"{time.strftime('%H:%M:%S')} {step}: {line}\n")
