"""Compiling: one process at a time, and only until it is done once."""

import subprocess
import sys
from pathlib import Path

import pytest

from manywalks.runtime.compiled import compiled_once, is_compiled

CODE = """
import sys, time
from manywalks.runtime.compiled import compiled_once
with compiled_once("thing"):
    print("in", time.monotonic(), flush=True)
    time.sleep(0.5)
    print("out", time.monotonic(), flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "compiled-0"))
    return tmp_path / "compiled-0"


def test_of_two_processes_one_compiles_at_a_time(folder: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    spans = []
    for process in started:
        lines = process.communicate(timeout=100)[0].split()
        assert process.returncode == 0
        spans.append((float(lines[1]), float(lines[3])))
    (_, first_end), (second_start, _) = sorted(spans)
    assert second_start >= first_end


def test_once_it_is_done_nobody_waits(folder: Path) -> None:
    with compiled_once("thing"):
        assert not (folder / "thing.done").exists()
    with compiled_once("thing"), compiled_once("thing"):
        assert (folder / "thing.done").exists()


def test_what_was_compiled_with_more_is_compiled(folder: Path) -> None:
    assert not is_compiled("a-b")
    with compiled_once("a-b-c"):
        pass
    assert is_compiled("a-b")
    assert not is_compiled("a-d")


def test_a_failure_is_not_taken_for_done(folder: Path) -> None:
    with pytest.raises(ValueError, match="no compiler"), compiled_once("thing"):
        raise ValueError("no compiler")
    assert not (folder / "thing.done").exists()


def test_a_folder_that_cannot_be_made_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file/compiled-0"))
    with compiled_once("thing"):
        pass
