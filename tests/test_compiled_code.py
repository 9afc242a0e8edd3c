"""Where compiled code is kept: never what another version of the package has compiled."""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import manywalks

PACKAGE = Path(manywalks.__file__).parent
CODE = "import os, manywalks; print(os.environ['NUMBA_CACHE_DIR'])"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's source, to be changed."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, folder / "manywalks", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def kept_in(source: Path, **environment: str) -> Path:
    """Where a process that imports the package from there keeps compiled code."""
    known = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=known | {"PYTHONPATH": str(source)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


def listed(path: Path) -> bool:
    """Whether a file of the package is among those whose content names the folder."""
    name = path.relative_to(PACKAGE).as_posix()
    return name in manywalks._COMPILED or path.parent.relative_to(PACKAGE).as_posix() in manywalks._COMPILED


def test_every_compiled_file_names_the_folder() -> None:
    compiled = [path for path in PACKAGE.rglob("*.py") if "numba" in _imported(path)]
    assert len(compiled) > 15
    assert [path for path in compiled if not listed(path)] == []


def test_compiled_functions_take_constants_from_listed_files_alone() -> None:
    for path in (path for path in PACKAGE.rglob("*.py") if "numba" in _imported(path)):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {
            name.id
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and any("jit" in ast.unparse(d) for d in node.decorator_list)
            for name in ast.walk(node)
            if isinstance(name, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("manywalks."):
                names = {alias.asname or alias.name for alias in node.names}
                there = PACKAGE.parent / f"{str(node.module).replace('.', '/')}.py"
                assert not names & used or not there.is_file() or listed(there), (path, names & used)


def test_a_change_in_a_file_that_is_called_changes_the_folder(copy: Path) -> None:
    before = kept_in(copy)
    assert kept_in(copy) == before
    assert before.parent == copy / "manywalks/__pycache__"
    with (copy / "manywalks/featurize/rdkit2d/rings.py").open("a", encoding="utf-8") as file:
        file.write("\n# another version\n")
    assert kept_in(copy) != before


def test_a_folder_that_is_asked_for_holds_it(copy: Path, tmp_path: Path) -> None:
    found = kept_in(copy, NUMBA_CACHE_DIR=str(tmp_path))
    assert found.parent == tmp_path
    # a child process is given what its parent has set
    assert kept_in(copy, NUMBA_CACHE_DIR=str(tmp_path / "compiled-0123456789ab")) == found


def _imported(path: Path) -> set[str]:
    """The packages that a file imports from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_a_temporary_folder_that_others_can_write_to_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own = Path(manywalks._temporary())
    assert own.parent == tmp_path and own.stat().st_mode & 0o777 == 0o700
    assert Path(manywalks._temporary()) == own
    own.chmod(0o777)
    other = Path(manywalks._temporary())
    assert other != own and other.parent == tmp_path and other.stat().st_mode & 0o777 == 0o700
