"""What the fault tests share: a workspace with its replicates gone, what a run left, a table of outcomes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from manywalks.tasks import files

from ..conftest import REPOSITORY

# The long form: this many kills of each kind (`make faults`).
KILLS = int(os.environ.get("MANYWALKS_KILLS", "50"))
OUTCOMES: list[tuple[str, str, str]] = []


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


def flow(cwd: Path) -> Begun:
    """Start the flow in a workspace."""
    return begin(str(Path(sys.executable).with_name("manywalks")), "train", cwd=cwd)


def step(name: str, cwd: Path) -> Begun:
    """Start a stage's command, as DVC does."""
    return begin(sys.executable, "-m", "manywalks.tasks", name, cwd=cwd)


def ended(begun: Begun, timeout: float = 600) -> tuple[int, str]:
    """Wait for a command: its status, and what it said."""
    status = begun.process.wait(timeout=timeout)
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


def wait_for(condition, seconds: float = 120, every: float = 0.02) -> bool:
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
    end_steps(tmp_path / "work")


def note(fault: str, outcome: str, times: str = "1") -> None:
    """A row of the table that `make faults` writes."""
    OUTCOMES.append((fault, times, outcome))


def pytest_sessionfinish() -> None:
    """Write the table of the long form beside the documentation's page."""
    if OUTCOMES and os.environ.get("MANYWALKS_FAULTS_TABLE"):
        lines = ["| fault | times | what came of it |", "|---|---|---|"]
        lines += [f"| {fault} | {times} | {outcome} |" for fault, times, outcome in OUTCOMES]
        files.write_text(REPOSITORY / os.environ["MANYWALKS_FAULTS_TABLE"], "\n".join(lines) + "\n")
