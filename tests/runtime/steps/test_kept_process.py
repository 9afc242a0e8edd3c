"""A process that stays for one step after another."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from manywalks.runtime.steps import kept_process, step_process
from manywalks.runtime.steps.kept_process import KeptProcess, KeptProcesses
from manywalks.runtime.steps.step_process import OutOfMemory, StepFailed

PYTHON = sys.executable
# a step writes its process and arguments into a file of its name, and does what its second argument says
PROGRAM = """
import os, signal, sys, time
from manywalks.runtime.steps.step_process import DONE, asked_by_parent
for name, act in asked_by_parent():
    with open(name, "w") as out:
        out.write(str(os.getpid()))
    if act == "refuse":
        print("table.csv: no column x", file=sys.stderr)
        sys.exit(2)
    if act == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if act == "tell":
        print('@progress [1, 4, "loss 0.5"]', flush=True)
    if act == "hang":
        time.sleep(60)
    print("no end of line", end="")
    print(f"\\n{DONE}", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where PROGRAM is started in place of the steps."""
    program = tmp_path / "python"
    (tmp_path / "step.py").write_text(PROGRAM, encoding="utf-8")
    program.write_text(f"#!/bin/sh\nexec {sys.executable} {tmp_path}/step.py\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(step_process.sys, "executable", str(program))
    return tmp_path


@pytest.fixture
def kept(folder: Path) -> Iterator[KeptProcess]:
    """A process, ended at last."""
    made = KeptProcess(folder, 1)
    yield made
    made.end()


def process_of(folder: Path, name: str) -> int:
    """The process that ran the step of that name."""
    return int((folder / name).read_text())


def test_steps_run_in_one_process(kept: KeptProcess, folder: Path) -> None:
    for name in ("a", "b", "c"):
        kept.run([name, ""], 20)
    assert process_of(folder, "a") == process_of(folder, "b") == process_of(folder, "c")


def test_progress_is_told_to_whom_the_step_is_for(kept: KeptProcess, folder: Path) -> None:
    told: list[tuple] = []
    kept.run(["a", "tell"], 20, lambda *one: told.append(one))
    kept.run(["b", "tell"], 20)
    assert told == [(1, 4, "loss 0.5")]


def test_bad_input_is_the_steps_own_line_and_the_next_step_gets_a_new_process(
    kept: KeptProcess, folder: Path
) -> None:
    with pytest.raises(ValueError, match=r"^table\.csv: no column x$"):
        kept.run(["a", "refuse"], 20)
    kept.run(["b", ""], 20)
    assert process_of(folder, "a") != process_of(folder, "b")


def test_a_killed_step_may_be_tried_again(kept: KeptProcess) -> None:
    with pytest.raises(OutOfMemory, match="a die: killed by signal 9"):
        kept.run(["a", "die"], 20)
    kept.run(["a", ""], 20)


def test_a_process_killed_between_steps_fails_the_next_one_in_a_way_that_can_pass(
    kept: KeptProcess, folder: Path
) -> None:
    kept.run(["a", ""], 20)
    os.kill(process_of(folder, "a"), signal.SIGKILL)
    with pytest.raises(StepFailed, match="killed by signal 9"):
        kept.run(["b", ""], 20)
    kept.run(["b", ""], 20)


def test_a_hanging_step_is_ended_at_its_limit(kept: KeptProcess, folder: Path) -> None:
    kept.run(["a", ""], 20)
    with pytest.raises(StepFailed, match=r"b hang: ended after its time limit of 0\.5 s"):
        kept.run(["b", "hang"], 0.5)
    assert not psutil.pid_exists(process_of(folder, "b"))


def test_after_enough_steps_a_new_process_begins(
    kept: KeptProcess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_process, "STEPS", 2)
    for name in ("a", "b", "c"):
        kept.run([name, ""], 20)
    assert process_of(folder, "a") == process_of(folder, "b") != process_of(folder, "c")


def test_steps_side_by_side_have_a_process_each_which_the_next_ones_take(folder: Path) -> None:
    pool = KeptProcesses(folder)
    threads = [threading.Thread(target=pool.run, args=([name, ""], 20)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.run(["c", ""], 20)
    first = {process_of(folder, name) for name in ("a", "b")}
    assert process_of(folder, "c") in first
    pool.end()
    assert not any(map(psutil.pid_exists, first))


def test_it_ends_with_the_process_that_started_it(folder: Path) -> None:
    text = (
        "import os, signal, sys; from pathlib import Path\n"
        "from manywalks.runtime.steps.kept_process import KeptProcess\n"
        f"sys.executable = {str(folder / 'python')!r}\n"
        f"KeptProcess(Path({str(folder)!r}), 1).run(['a', ''], 20)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([PYTHON, "-c", text], check=False)
    deadline = time.monotonic() + 5
    while psutil.pid_exists(process_of(folder, "a")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(process_of(folder, "a"))
