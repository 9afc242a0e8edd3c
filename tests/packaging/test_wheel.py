"""The wheel: what a user installs works outside the checkout, beside folders of the same names."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import REPOSITORY, SMALL

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel installed, and this environment's packages for what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    # from a copy: setuptools would take what an earlier build left beside the sources
    checkout = folder / "checkout"
    for name in ("src", "tasks", "flows"):
        shutil.copytree(REPOSITORY / name, checkout / name, symlinks=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "dvc.yaml"):
        shutil.copy(REPOSITORY / name, checkout)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(checkout)], check=True)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    # a line of a .pth file adds the folder, but does not follow the .pth files in it: no editable install
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (wheel,) = folder.glob("*.whl")
    # else pip would take this environment's editable install for it
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed"]
    subprocess.run([*install, str(wheel)], check=True)
    return python


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> Path:
    """A user's folder with packages called tasks and flows of its own, which must never run."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("tasks", "flows"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise RuntimeError('the user's own {name}')\n")
    demo_table.iloc[::8].to_csv(folder / "table.csv", index=False)
    return folder


def run(*words: str | Path, home: Path) -> str:
    """Run a program in the user's folder without anything of the checkout; its output."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words], cwd=home, env=environment, text=True, capture_output=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_package_is_the_installed_one(python: Path, home: Path) -> None:
    code = "import manywalks, manywalks.tasks, manywalks.flows; print(manywalks.tasks.__file__)"
    assert str(python.parent.parent) in run(python, "-c", code, home=home)


def test_import_alone_takes_nothing_heavy(python: Path, home: Path) -> None:
    code = (
        "import sys, manywalks; heavy = {'tensorflow', 'keras', 'rdkit', 'prefect', 'pandas', 'numpy'}; "
        "print(sorted(heavy & set(sys.modules)), manywalks.__version__)"
    )
    assert run(python, "-c", code, home=home).startswith("[] ")


def test_init_train_and_predict(python: Path, home: Path) -> None:
    program = python.with_name("manywalks")
    run(program, "init", "table.csv", "--workspace", "work", home=home)
    (home / "work/table.csv").write_bytes((home / "table.csv").read_bytes())
    (home / "work/params.yaml").write_text(SMALL, encoding="utf-8")
    run(program, "train", "--workspace", "work", home=home)
    assert "up to date" in run(program, "train", "--workspace", "work", home=home)
    run(program, "predict", "work/models/ensemble", "table.csv", "predictions.csv", home=home)
    found = pd.read_csv(home / "predictions.csv")
    assert len(found) == len(pd.read_csv(home / "table.csv"))
    assert len(found["logS"].dropna()) > 0.9 * len(found)
