"""refresh as its user meets it: a checkout whose data versions come by git, a challenger, a way back."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from manywalks import files
from manywalks.refresh import refresh
from manywalks.refresh.champions import Champions
from manywalks.workspace import Workspace
from tests.conftest import command, copy_repository, run


def do(folder: Path, *lines: str) -> None:
    """Commands that must end well."""
    for line in lines:
        done = run(line.split(), cwd=folder)
        assert done.returncode == 0, line + done.stdout + done.stderr


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> Path:
    """Folder of both checkouts, a DVC remote and the whole table; the origin has three quarters of it."""
    folder = tmp_path_factory.mktemp("template")
    origin = copy_repository(folder / "origin", demo_table)
    do(origin, "git config user.email a@b", "git config user.name a", "git checkout -qb main",
       "dvc remote add -d store ../store")  # fmt: skip
    table = pd.read_csv(origin / "table.csv", dtype=str, keep_default_na=False)
    table.to_csv(folder / "whole.csv", index=False)
    publish(origin, table.iloc[: 3 * len(table) // 4])
    do(folder, f"git clone -q {origin} {folder / 'clone'}")
    do(folder / "clone", "dvc config --local core.analytics false", "dvc pull -q table.csv.dvc")
    return folder


@pytest.fixture
def origin(template: Path, tmp_path: Path) -> Path:
    """Where data versions are committed."""
    shutil.copytree(template, tmp_path / "both", symlinks=True)
    known = tmp_path / "both/clone/.git/config"
    known.write_text(known.read_text("utf-8").replace(str(template), str(tmp_path / "both")), "utf-8")
    return tmp_path / "both/origin"


@pytest.fixture
def clone(origin: Path) -> Path:
    """The checkout that runs every night; DVC's cache is its own."""
    return origin.with_name("clone")


def publish(folder: Path, table: pd.DataFrame) -> None:
    """Commit and push a version of the table."""
    table.to_csv(folder / "table.csv", index=False)
    do(folder, "dvc add -q table.csv", "dvc push -q table.csv.dvc", "git add table.csv.dvc .",
       "git commit -qm version")  # fmt: skip


def test_a_newer_version_comes_by_git_and_dvc(origin: Path, clone: Path) -> None:
    whole = pd.read_csv(origin.parent / "whole.csv", dtype=str, keep_default_na=False)
    publish(origin, whole)
    before = files.md5_file(clone / "table.csv")
    assert refresh.check_for_change(Workspace.open(clone)).data == "the table as it is"
    assert files.md5_file(clone / "table.csv") == before
    seen = refresh.check_for_change(Workspace.open(clone), pull=True)
    assert seen.changed
    assert " to " in seen.data and seen.data.endswith("; pulled")
    assert files.md5_file(clone / "table.csv") == files.md5_file(origin / "table.csv")
    assert refresh.check_for_change(Workspace.open(clone), pull=True).data.endswith(
        "as before; the table as it is"
    )


def test_a_table_that_was_changed_by_hand_is_used_and_not_lost(origin: Path, clone: Path) -> None:
    publish(origin, pd.read_csv(origin.parent / "whole.csv", dtype=str, keep_default_na=False))
    with (clone / "table.csv").open("a", encoding="utf-8") as handle:
        handle.write("x,CCO,1,train\n")
    edited = files.md5_file(clone / "table.csv")
    seen = refresh.check_for_change(Workspace.open(clone), pull=True)
    assert "with changes that table.csv.dvc does not know" in seen.data
    assert files.md5_file(clone / "table.csv") == edited


def test_a_pull_without_an_upstream_is_one_line(origin: Path) -> None:
    done = command("refresh", "--workspace", str(origin), "--pull", own_server=True)
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert "git rev-parse" in line and "upstream" in line and "--pull" in line


@pytest.mark.long
def test_nights_of_a_checkout(origin: Path, clone: Path) -> None:
    """First model; nothing new; new data and a challenger; promoted by hand and rolled back."""
    said = night(clone)
    assert "the first model" in said
    first = Champions(Workspace.open(clone)).current()
    assert f"Nothing changed: {first} stays the champion" in night(clone)
    stored = len(list((origin.parent / "store").rglob("*")))
    publish(origin, pd.read_csv(origin.parent / "whole.csv", dtype=str, keep_default_na=False))
    said = night(clone)
    assert "the challenger is" in said
    assert len(list((origin.parent / "store").rglob("*"))) > stored + 5
    report = files.read_json(clone / "reports/refresh.json")
    assert report["former"] == first and report["challenger"] != first
    assert report["drift"]["structures"]["molecules"] > 20
    churned = report["churn"]["logS"]
    assert churned["molecules"] > 10 and churned["rms_change"] > 0
    assert churned["sentences"][0] in " ".join(said.split())
    assert (clone / "reports/churn.html").is_file()
    assert "## Churn" in (clone / "reports/refresh.md").read_text(encoding="utf-8")
    assert "## Drift" in (clone / "reports/refresh.md").read_text(encoding="utf-8")
    said = command("record", cwd=clone).stdout
    assert "predicted before, error " in said and "within their intervals (90" in said
    table = pd.read_parquet(clone / "reports/record.parquet")
    assert table["judged_by"].iloc[1] == first and table["judged"].tolist()[1] > 20
    listed = command("models", cwd=clone).stdout
    assert str(first) in listed and report["challenger"] in listed
    done = command("promote", report["challenger"], "--reason", "seen by hand", cwd=clone)
    assert done.returncode == 0, done.stderr
    assert Champions(Workspace.open(clone)).current() == report["challenger"]
    assert command("promote", cwd=clone).stdout.startswith(str(first))


def night(clone: Path) -> str:
    """What a refresh says."""
    done = command("refresh", "--pull", cwd=clone)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_little_worse_every_night_ends_at_the_margin() -> None:
    lost: dict[str, float] = {}
    nights = []
    for _ in range(5):
        night = {"y": {"verdict": "equivalent", "difference": 0.02, "champion": 1.0}}
        after = refresh.losses(night, lost)
        rises, reason = refresh.decide(night, "not_worse", lost=after, margin=0.03)
        lost = after if rises else lost
        nights.append(rises)
    assert nights == [True, False, False, False, False]
    assert "would have lost y 4.0%" in reason
    better = {"y": {"verdict": "better", "difference": -0.05, "champion": 1.0}}
    assert refresh.losses(better, lost) == {"y": 0.0}
    assert refresh.decide(better, "not_worse", lost={"y": 0.0}, margin=0.03)[0]
