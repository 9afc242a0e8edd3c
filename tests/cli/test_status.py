"""Exit statuses: 0 for success, 1 for a broken promise, 2 for bad input (130 and 143: test_interrupt.py)."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from manywalks import files
from tests.conftest import command


def test_help_is_a_success() -> None:
    assert command("--help").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "-w", "gone"],
        ["train", "--params", "gone.yaml"],
        ["init", "gone.csv"],
        ["predict", "gone", "gone.csv", "out.csv"],
        ["explain", "CCO", "--model", "gone"],
        ["reproduce", "gone"],
        ["compare", "--set", "network.droput=1,2"],
        ["tune", "--continue"],
        ["tune", "--space", "gone.yaml"],
        ["tune", "--time", "soon"],
        ["refresh", "-w", "gone"],
        ["models", "-w", "gone"],
        ["promote", "gone"],
        ["data", "diff", "v1", "v2"],
        ["benchmark", "no-suite", "--data", "gone"],
        ["no-such-command"],
        ["train", "--no-such-option"],
    ],
    ids=" ".join,
)
def test_bad_input_is_status_2_in_one_line(small: Path, arguments: list[str]) -> None:
    done = command(*arguments, cwd=small)
    assert done.returncode == 2, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize(("shift", "status"), [(0, 0), (30, 1)], ids=["kept", "broken"])
def test_a_broken_promise_is_status_1(trained: Path, tmp_path: Path, shift: float, status: int) -> None:
    """Broken: the data are not those that the model was trained on, though its manifest says so."""
    work = tmp_path / "work"
    shutil.copytree(trained, work)
    table = pd.read_csv(work / "table.csv", dtype=str)
    table["logS"] = (table["logS"].astype(float) + shift).astype(str)
    table.to_csv(work / "table.csv", index=False)
    about = files.read_json(work / "models/ensemble/manifest.json")
    about["data"]["md5"] = files.md5_file(work / "table.csv")
    files.write_json(work / "models/ensemble/manifest.json", about)
    done = command("reproduce", cwd=work)
    assert done.returncode == status, done.stdout + done.stderr
