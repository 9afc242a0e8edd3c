"""Progress: the bar says what its numbers are, and fits a terminal of 80 columns."""

import io
import re
import time

import pytest
from rich.console import Console

from manywalks.runtime import progress


def drawn(done: float) -> str:
    """The bar's last line on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with progress.bar(console) as shown:
        task = shown.add_task("compute features", total=1_000_000, note="")
        for so_far in (done / 2, done):  # a speed takes two of them
            progress.update(shown, task, so_far, 1_000_000, "12,345 molecules/s")
            time.sleep(0.01)
    assert isinstance(console.file, io.StringIO)
    return next(line for line in reversed(console.file.getvalue().splitlines()) if "compute" in line)


def test_time_still_to_wait_is_called_so() -> None:
    assert "left" in drawn(400_000)
    assert "left" not in drawn(1_000_000)


def test_rate_and_time_fit_80_columns() -> None:
    line = drawn(400_000)
    assert "12,345 molecules/s" in line
    assert "…" not in line


def test_no_time_is_left_out_rather_than_empty() -> None:
    """Before anything is done nobody can tell; "-:--:-- left" and " left" say nothing."""
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with progress.bar(console) as shown:
        for total in (None, 10):
            shown.add_task("train replicates", total=total, note="")
    assert isinstance(console.file, io.StringIO)
    assert "left" not in console.file.getvalue()


def test_a_total_that_has_just_grown_gives_no_time_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packs that start together tell within a moment: by their speed all would be done at once."""
    with progress.bar(Console(file=io.StringIO())) as shown:
        task = shown.add_task("train replicates", total=None, note="")
        for done, total in [(8, 8), (8, 64), (8.1, 64), (8.2, 64)]:
            progress.update(shown, task, done, total, "")
            time.sleep(0.01)
        assert "left" not in progress.line_of(shown.tasks[0])
        monkeypatch.setattr(progress, "WATCHED_S", 0.0)
        assert "left" in progress.line_of(shown.tasks[0])


def test_a_line_that_two_threads_wrote_at_once_is_no_progress() -> None:
    assert progress.parse('@progress [1, 2, ""]@progress [2, 2, ""]') is None
    assert progress.parse('@progress [1, 2, "x"]') == (1.0, 2.0, "x")


def test_off_a_terminal_a_line_comes_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "WATCHED_S", 0.0)
    shown = progress.bar(Console(file=io.StringIO()))
    with progress.visible(shown, every=0.05):
        task = shown.add_task("train replicates", total=None, note="")
        for done in range(0, 64, 8):
            progress.update(shown, task, done, 64, f"{done} of 64 replicates")
            time.sleep(0.04)
        middle = capsys.readouterr().err.splitlines()
        progress.update(shown, task, 64, 64, "64 of 64 replicates")
    assert len(middle) >= 2
    assert all(line.startswith("train replicates: ") and " %" in line for line in middle)
    assert "left" in middle[-1]
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(r"train replicates: done in 0:\d\d, 64 of 64 replicates", last)


def test_off_a_terminal_a_line_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown = progress.bar(Console(file=io.StringIO()))
    with progress.visible(shown, every=0.02):
        shown.add_task("split", total=None, note="")
        time.sleep(0.2)
    assert capsys.readouterr().err.splitlines() == ["split: started"]


def test_off_a_terminal_a_finished_step_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown = progress.bar(Console(file=io.StringIO()))
    with progress.visible(shown, every=0.02):
        task = shown.add_task("predict", total=None, note="")
        progress.update(shown, task, 13, 13, "13 rows, 4/s")
        time.sleep(0.2)
        progress.update(shown, task, 13, 13, "13 rows, 3/s")
        time.sleep(0.6)
        progress.update(shown, task, 1, 1, "")
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"predict: done in 0:\d\d, 13 rows, 4/s", line)


def test_a_step_of_a_flow_ends_in_its_own_unit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANYWALKS_PROGRESS", "lines")
    with progress.telling("replicates") as tell:
        tell(45.5, 46, "")
    assert progress.parse(capsys.readouterr().out.splitlines()[-1]) == (46, 46, "")


def test_no_rate_is_told_before_anything_is_done() -> None:
    said: list[str] = []
    progress_of = progress.counting(lambda done, total, note: said.append(note))
    progress_of(0, 10)
    progress_of(5, 10)
    assert said[0] == ""
    assert said[1].endswith(" molecules/s")
