"""A log file a run: what the steps printed, and how long they took."""

from pathlib import Path

import pytest

from manywalks.runtime import run_log


def test_lines_of_steps_are_kept_and_runs_inside_share_the_file(tmp_path: Path) -> None:
    with run_log.kept(tmp_path, "refresh") as outer:
        run_log.note("curate", "one")
        with run_log.kept(tmp_path, "train") as inner:
            run_log.note("split", "two")
    assert inner == outer
    said = [line.split(" ", 1)[1] for line in outer.read_text(encoding="utf-8").splitlines()]
    assert said == ["curate: one", "split: two"]


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for number in range(30):
        (tmp_path / f"logs/2020-01-{number:02d}-train.log").touch()
    with run_log.kept(tmp_path, "train") as log:
        run_log.note("a", "b")
    left = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert len(left) == run_log.KEPT
    assert log.name in left
    assert "2020-01-29-train.log" in left


def test_verbose_shows_them_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(run_log.VERBOSE, "1")
    run_log.note("curate", "a line")
    assert capsys.readouterr().err == "curate: a line\n"
