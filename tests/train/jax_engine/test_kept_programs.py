"""Where compiled programs are kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from manywalks.train.jax_engine import kept_programs
from manywalks.train.jax_engine.kept_programs import folder

COMPILED = """
import jax
from manywalks.train.jax_engine import kept_programs
kept_programs.LEAST_SECONDS = 0
kept_programs.keep_programs()
jax.jit(lambda x: x * 2 + 1)(jax.numpy.ones(3))
"""


@pytest.fixture(autouse=True)
def _own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)


def test_programs_of_another_processor_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    here = folder()
    monkeypatch.setattr(kept_programs.llvm, "get_host_cpu_name", lambda: "another")
    assert folder() != here
    assert folder().parent == here.parent


def test_where_caches_may_not_be_written_a_temporary_folder_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert folder().name.startswith("manywalks-jax-")


@pytest.mark.parametrize("asked", [False, True])
def test_a_program_is_kept_for_the_next_process(
    asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if asked:
        monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "asked"))
    subprocess.run([sys.executable, "-c", COMPILED], check=True)
    assert list((tmp_path / "asked" if asked else folder()).glob("*-cache"))
