"""Steps in processes of their own: what each way of ending becomes."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from manywalks.runtime.steps import step_process
from manywalks.runtime.steps.step_process import StepFailed


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make `run_step([...])` run the given Python text instead of a step."""

    def write(text: str) -> Path:
        program = tmp_path / "python"
        (tmp_path / "step.py").write_text(text, encoding="utf-8")
        program.write_text(
            f'#!/bin/sh\nshift 2\nexec {sys.executable} {tmp_path}/step.py "$@"\n', encoding="utf-8"
        )
        program.chmod(0o755)
        monkeypatch.setattr(step_process.sys, "executable", str(program))
        return tmp_path

    return write


def test_progress_lines_reach_the_caller(script) -> None:
    folder = script("print('@progress [1, 2, \"a\"]'); print('noise'); print('@progress [2, 2, \"b\"]')")
    told = []
    step_process.run_step(["x"], folder=folder, time_limit=20, tell=lambda *said: told.append(said))
    assert told == [(1.0, 2.0, "a"), (2.0, 2.0, "b")]


def test_bad_input_is_a_value_error_with_the_steps_own_line(script) -> None:
    folder = script("import sys; print('table.csv: no column x', file=sys.stderr); sys.exit(2)")
    with pytest.raises(ValueError, match=r"^table\.csv: no column x$"):
        step_process.run_step(["x"], folder=folder, time_limit=20)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by signal 9"),
        ("import sys; print('disk full'); sys.exit(75)", "disk full"),
    ],
)
def test_what_can_pass_is_a_step_failed(script, text: str, said: str) -> None:
    with pytest.raises(StepFailed, match=said):
        step_process.run_step(["x"], folder=script(text), time_limit=20)


def test_a_bug_is_a_runtime_error_with_its_traceback(script) -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError") as caught:
        step_process.run_step(["x"], folder=script("1 / 0"), time_limit=20)
    assert not isinstance(caught.value, StepFailed)


def test_a_hanging_step_is_ended_with_its_own_children(script, tmp_path: Path) -> None:
    text = (
        "import subprocess, time, pathlib\n"
        "p = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(p.pid))\n"
        "time.sleep(60)"
    )
    folder = script(text)
    with pytest.raises(StepFailed, match=r"time limit of 3 s"):
        step_process.run_step(["x"], folder=folder, time_limit=3)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        if not _alive(pid):
            break
        time.sleep(0.1)
    assert not _alive(pid)


def test_much_output_does_not_block(script) -> None:
    folder = script("import sys\nfor _ in range(20000): print('x' * 100); print('y' * 100, file=sys.stderr)")
    thread = threading.Thread(
        target=step_process.run_step, args=(["x"],), kwargs={"folder": folder, "time_limit": 30}
    )
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def _alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        os.kill(pid, signal.SIG_DFL)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
