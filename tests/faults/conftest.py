"""What the fault tests share: a workspace with its replicates gone, what a run left, a table of outcomes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from manywalks import files
from tests.conftest import REPOSITORY
from tests.faults.forked import Forked, fork_flow

# The long form: this many kills of each kind (`make faults`).
KILLS = int(os.environ.get("MANYWALKS_KILLS", "50"))
# how often a fault came to its outcome, in the order in which they were first seen
OUTCOMES: Counter[tuple[str, str]] = Counter()


@pytest.fixture
def undone(trained: Path, tmp_path: Path) -> Path:
    """The trained workspace without its replicates and its model: a run has all of it to make again."""
    return undo(trained, tmp_path / "work")


def undo(trained: Path, folder: Path) -> Path:
    """A copy of a trained workspace without replicates (their entropy kept) and model."""
    shutil.copytree(trained, folder)
    shutil.rmtree(folder / "models/ensemble")
    for path in (folder / "models/replicates").rglob("*.npz"):
        path.unlink()
    return folder


def outputs(folder: Path) -> dict[str, str]:
    """MD5 of everything that a run leaves, half-written files included."""
    return {
        path.relative_to(folder).as_posix(): files.md5_file(path)
        for part in ("data", "models", "reports")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


class Begun(NamedTuple):
    """A command that was started in a workspace, and the file that it writes to."""

    process: subprocess.Popen[bytes]
    said: Path

    def kill(self) -> None:
        """SIGKILL to the process alone."""
        self.process.kill()
        self.process.wait()

    def lives(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def wait(self, timeout: float) -> int:
        """Its status, once it has ended."""
        return self.process.wait(timeout=timeout)


def begin(*arguments: str, cwd: Path) -> Begun:
    """Start a command in a workspace, and do not wait for it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    (cwd / ".manywalks").mkdir(exist_ok=True)
    # a file, not a pipe: a killed flow leaves a server that would keep a pipe open
    said = cwd / ".manywalks" / "said.txt"
    with said.open("wb") as log:
        process = subprocess.Popen(
            arguments, cwd=cwd, env={**os.environ, "PATH": path}, stdout=log, stderr=log
        )
    return Begun(process, said)


def flow(cwd: Path, api: str | None = None) -> Begun | Forked:
    """Start the flow in a workspace: with a server of its own, or forked against the one at `api`."""
    if api is not None:
        return fork_flow(cwd, api)
    return begin(str(Path(sys.executable).with_name("manywalks")), "train", cwd=cwd)


def step(name: str, cwd: Path) -> Begun:
    """Start a stage's command, as DVC does."""
    return begin(sys.executable, "-m", "manywalks.tasks", name, cwd=cwd)


def ended(begun: Begun | Forked, timeout: float = 600) -> tuple[int, str]:
    """Wait for a command: its status, and what it said."""
    status = begun.wait(timeout)
    return status, begun.said.read_text(encoding="utf-8", errors="replace")


def steps_in(folder: Path, *words: str) -> list[psutil.Process]:
    """Processes of steps that work in a folder, those whose command holds the words."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "manywalks.tasks" in line and all(word in line for word in words):
            try:
                if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
    return found


def wait_for(condition, seconds: float = 120, every: float = 0.1) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(every)
    return False


def end_steps(folder: Path) -> None:
    """End what a failed test left running in its folder."""
    for process in steps_in(folder):
        process.send_signal(signal.SIGKILL)


@pytest.fixture(autouse=True)
def nothing_left_running(tmp_path: Path) -> Iterator[None]:
    """A fault test ends its own processes."""
    yield
    for folder in tmp_path.glob("work*"):
        end_steps(folder)


def note(fault: str, outcome: str, times: int = 1) -> None:
    """A row of the table that `make faults` writes; called where a test has seen it."""
    OUTCOMES[fault, outcome] += times


def pytest_sessionfinish() -> None:
    """Write the table of the long form beside the documentation's page, on top of what other parts saw."""
    if OUTCOMES and os.environ.get("MANYWALKS_FAULTS_TABLE"):
        path = REPOSITORY / os.environ["MANYWALKS_FAULTS_TABLE"]
        rows: Counter[tuple[str, str]] = Counter()
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines()[2:]:
                fault, times, outcome = line.strip("| ").split(" | ")
                rows[fault, outcome] = int(times)
        rows.update(OUTCOMES)
        lines = [f"| {fault} | {times} | {outcome} |" for (fault, outcome), times in rows.items()]
        heads = ["| fault | times | what came of it |", "|---|---|---|"]
        files.write_text(path, "\n".join([*heads, *lines]) + "\n")
