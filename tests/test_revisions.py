"""Training on any version of the data, and telling two versions apart."""

from pathlib import Path

import pandas as pd
import pytest

from manywalks.tasks import files
from manywalks.tasks.data_diff import diff_tables
from manywalks.tasks.params import parse_params
from manywalks.tasks.revisions import table_file
from manywalks.tasks.workspace import Workspace

from .conftest import SMALL, run

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
    assert table_file(workspace, "v1").read_text(encoding="utf-8") == OLD
    assert table_file(workspace, "v2").read_text(encoding="utf-8") == NEW
    assert table_file(workspace, None) == workspace.table


def test_an_unknown_revision_is_named(versioned: Path) -> None:
    with pytest.raises(ValueError, match=r"table\.csv at 'v9'.*data\.rev"):
        table_file(Workspace.open(versioned), "v9")


def test_a_stage_reads_the_revision_that_params_name(versioned: Path) -> None:
    text = SMALL.replace("path: table.csv", "path: table.csv\n  rev: v1")
    (versioned / "params.yaml").write_text(text, encoding="utf-8")
    done = run(["python", "-m", "manywalks.tasks", "curate"], cwd=versioned)
    assert done.returncode == 0, done.stderr
    source = files.read_json(versioned / "reports/data.json")["source"]
    assert source["rev"] == "v1"
    assert len(pd.read_parquet(versioned / "data/curated.parquet")) == 4


def test_a_diff_sees_molecules_and_values_not_ways_of_writing() -> None:
    old, new = (
        pd.DataFrame([line.split(",") for line in text.split()[1:]], columns=["id", "smiles", "logS"])
        for text in (OLD, NEW)
    )
    found = diff_tables(old, new, parse_params(PARAMS))
    assert found["added"] == ["CCCCC"]
    assert found["removed"] == ["CCCC"]
    assert found["endpoints"]["logS"]["changed"] == 1
    assert found["endpoints"]["logS"]["largest"] == [{"smiles": "CCC", "before": -2.0, "after": -2.5}]
    same = diff_tables(old, old.iloc[::-1], parse_params(PARAMS))
    assert (same["added"], same["removed"], same["endpoints"]["logS"]["changed"]) == ([], [], 0)
