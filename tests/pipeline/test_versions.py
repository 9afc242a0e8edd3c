"""Training on any version of the data, and telling two versions apart."""

import hashlib
import shutil
from pathlib import Path

import pandas as pd
import pytest

from manywalks import files
from manywalks.cli.show.tables import diff_lines
from manywalks.data.diff import diff_tables
from manywalks.params.load import parse_params
from manywalks.pipeline import definition, preflight, versions
from manywalks.pipeline.lineage import version_of
from manywalks.pipeline.versions import table_at
from manywalks.tasks import curate
from manywalks.workspace import Workspace
from tests.conftest import SMALL, command, run

OLD = "id,smiles,logS\n1,CCO,-1\n2,CCC,-2\n3,CCCC,-3\n4,c1ccccc1,-2\n"
NEW = "id,smiles,logS\n1,OCC,-1\n2,CCC,-2.5\n4,C1=CC=CC=C1,-2\n5,CCCCC,-4\n"
PARAMS = {"data": {"path": "table.csv", "id": "id", "endpoints": {"logS": {}}}}


@pytest.fixture(scope="module")
def versioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DVC repository with two versions of a table, the first one tagged."""
    folder = tmp_path_factory.mktemp("versioned")
    (folder / "params.yaml").write_text(SMALL, encoding="utf-8")
    (folder / "table.csv").write_text(OLD, encoding="utf-8")
    for line in ("git init -q", "git config user.email a@b", "git config user.name a", "dvc init -q"):
        assert run([*line.split()], cwd=folder).returncode == 0
    for text, tag in ((OLD, "v1"), (NEW, "v2")):
        (folder / "table.csv").write_text(text, encoding="utf-8")
        for line in ("dvc add -q table.csv", "git add .", f"git commit -qm {tag}", f"git tag {tag}"):
            done = run([*line.split()], cwd=folder)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_tag_names_the_table_as_it_was(versioned: Path) -> None:
    workspace = Workspace.open(versioned)
    assert table_at(workspace, "v1").file.read_text(encoding="utf-8") == OLD
    assert table_at(workspace, "v2").file.read_text(encoding="utf-8") == NEW
    assert table_at(workspace, None) == (workspace.table, None)


def test_the_commit_is_named_in_full(versioned: Path) -> None:
    workspace = Workspace.open(versioned)
    whole = run(["git", "rev-parse", "v1"], cwd=versioned).stdout.strip()
    assert {table_at(workspace, rev).commit for rev in ("v1", whole, whole[:9])} == {whole}


def test_an_unknown_revision_is_named(versioned: Path) -> None:
    with pytest.raises(ValueError, match=r"table\.csv at 'v9'.*data\.rev"):
        table_at(Workspace.open(versioned), "v9")


def test_a_workspace_inside_a_repository_reads_its_own_table(versioned: Path, tmp_path: Path) -> None:
    shutil.copytree(versioned, tmp_path / "top")
    inside = tmp_path / "top" / "sub"
    inside.mkdir()
    (inside / "params.yaml").write_text(SMALL.replace("table.csv", "t.csv"), encoding="utf-8")
    (inside / "t.csv").write_text(OLD, encoding="utf-8")
    for line in ("dvc add -q t.csv", "git add .", "git commit -qm sub"):
        assert run([*line.split()], cwd=inside).returncode == 0
    (inside / "t.csv").unlink()
    assert table_at(Workspace.open(inside), "HEAD").file.read_text(encoding="utf-8") == OLD


@pytest.fixture
def reading(versioned: Path, tmp_path: Path) -> Path:
    """A workspace whose parameters name a branch, now at the second version."""
    folder = tmp_path / "reading"
    shutil.copytree(versioned, folder)
    text = SMALL.replace("path: table.csv", "path: table.csv\n  rev: team")
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    assert run(["git", "branch", "-f", "team", "v2"], cwd=folder).returncode == 0
    return folder


def curated(folder: Path) -> tuple[Workspace, definition.Stage]:
    """Run stage curate and record it, as a flow does."""
    workspace = Workspace.open(folder)
    stage = definition.load_stages(workspace)["curate"]
    inputs = definition.inputs_of(stage, workspace)
    curate.run(workspace)
    definition.write_record(stage, workspace, inputs)
    return workspace, stage


def test_a_run_says_which_data_it_read(reading: Path) -> None:
    workspace, _ = curated(reading)
    assert files.read_json(reading / "reports/data.json")["source"] == {
        "path": "table.csv",
        "rev": "team",
        "commit": run(["git", "rev-parse", "v2"], cwd=reading).stdout.strip(),
        "md5": hashlib.md5(NEW.encode()).hexdigest(),
        "rows": 4,
    }
    assert version_of(workspace) == run(["git", "rev-parse", "v2"], cwd=reading).stdout.strip()


def test_a_branch_that_moved_on_is_read_again(reading: Path) -> None:
    workspace, stage = curated(reading)
    assert definition.is_current(stage, workspace)
    assert run(["git", "branch", "-f", "team", "v1"], cwd=reading).returncode == 0
    assert not definition.is_current(stage, workspace)
    curated(reading)
    assert definition.is_current(stage, workspace)


def test_a_revision_does_not_need_todays_file(reading: Path) -> None:
    (reading / "table.csv").unlink()
    workspace, stage = curated(reading)
    assert definition.is_current(stage, workspace)
    (reading / "table.csv").write_text("another", encoding="utf-8")
    assert definition.is_current(stage, workspace)


def frame(text: str) -> pd.DataFrame:
    """A raw table of text cells."""
    return pd.DataFrame([line.split(",") for line in text.split()[1:]], columns=["id", "smiles", "logS"])


def test_a_diff_sees_molecules_and_values_not_ways_of_writing() -> None:
    old, new = frame(OLD), frame(NEW)
    found = diff_tables(old, new, parse_params(PARAMS))
    assert found["added"] == ["CCCCC"]
    assert found["removed"] == ["CCCC"]
    change = found["endpoints"]["logS"]
    assert change["changed"] == 1
    assert [(one["smiles"], one["before"], one["after"]) for one in change["changes"]] == [
        ("CCC", -2.0, -2.5)
    ]
    same = diff_tables(old, old.iloc[::-1], parse_params(PARAMS))
    assert (same["added"], same["removed"], same["endpoints"]["logS"]["changed"]) == ([], [], 0)


def test_a_diff_shows_that_a_value_became_a_bound() -> None:
    new = frame(OLD.replace("CCCC,-3", "CCCC,>-3"))
    lines = diff_lines(diff_tables(frame(OLD), new, parse_params(PARAMS)))
    assert lines[1:] == ["logS: 1 values changed, 0 measured since, 0 measured no more", "  CCCC  -3 -> >-3"]


def test_a_diff_names_the_first_molecules_or_all() -> None:
    many = OLD + "".join(f"{n},{'C' * n}O,{-n}\n" for n in range(5, 20))
    found = diff_tables(frame(OLD), frame(many), parse_params(PARAMS))
    lines = diff_lines(found, most=3)
    assert [line[:6] for line in lines[1:4]] == ["  + CC"] * 3
    assert lines[4] == "  and 12 more (--all names them)"
    assert sum(line.startswith("  + ") for line in diff_lines(found, most=None)) == 15


def test_a_diff_reads_tables_as_curation_does(tmp_path: Path) -> None:
    data = "path: table.csv\n  delimiter: '~'\n  encoding: utf-16-le"
    (tmp_path / "params.yaml").write_text(SMALL.replace("path: table.csv", data), encoding="utf-8")
    (tmp_path / "table.csv").write_text(OLD.replace(",", "~"), encoding="utf-16-le")
    done = command("data", "diff", ".", ".", "--workspace", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "4 molecules before, 4 after" in done.stdout


@pytest.mark.parametrize("remote", [None, "/nowhere/store"])
def test_a_clone_without_the_content_says_dvc_pull_and_the_remote(
    versioned: Path, tmp_path: Path, remote: str | None
) -> None:
    clone = tmp_path / "clone"
    assert run(["git", "clone", "-q", str(versioned), str(clone)], cwd=tmp_path).returncode == 0
    text = "stages: {curate: {cmd: python -m manywalks.tasks curate}}\n"
    (clone / "dvc.yaml").write_text(text, encoding="utf-8")
    if remote:
        assert run(["dvc", "remote", "add", "-d", "store", remote], cwd=clone).returncode == 0
    there = Workspace.open(clone)
    said = rf"remote store \({remote}\) failed: " if remote else "no DVC remote is set; add the one"
    with versions.exclusive(there) as repo, pytest.raises(ValueError, match=said) as refusal:
        versions.fetch(repo, there)
    assert "`dvc pull table.csv.dvc`" in str(refusal.value)
    (clone / "dvc.yaml").unlink()
    with pytest.raises(ValueError, match=r"is not here, only table\.csv\.dvc is; `dvc pull"):
        preflight.check(there)
