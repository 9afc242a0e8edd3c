"""`init --dvc`: a workspace in a team's own repository, where DVC alone does what it does in the checkout."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from manywalks.cli.init import run_init
from manywalks.pipeline.definition import CODE, definition_file, read_yaml
from manywalks.pipeline.own_definition import own_definition
from manywalks.workspace import Workspace
from tests.conftest import command


@pytest.fixture
def team(tmp_path: Path, demo_table: pd.DataFrame) -> Path:
    """A git and DVC repository with a table in a folder of it."""
    folder = tmp_path / "models" / "sol"
    folder.mkdir(parents=True)
    said(tmp_path, "git", "init", "--quiet")
    said(tmp_path, sys.executable, "-m", "dvc", "init", "--quiet")
    demo_table.iloc[::8].to_csv(folder / "table.csv", index=False)
    return folder


def said(folder: Path, *words: str) -> str:
    """What a command prints; a failure is shown."""
    settings = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "DVC_NO_ANALYTICS": "1",
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, **settings, "GIT_COMMITTER_EMAIL": "a@b", "PATH": path}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_stages_are_ours_without_the_code() -> None:
    ours, own = read_yaml(definition_file())["stages"], own_definition()["stages"]
    assert list(own) == list(ours)
    for name, stage in own.items():
        assert stage["cmd"] == ours[name]["cmd"]
        assert not any(dep.startswith(CODE) for dep in stage["deps"])
        assert set(stage["deps"]) == {dep for dep in ours[name]["deps"] if not dep.startswith(CODE)}


def test_a_dvc_yaml_that_is_there_is_left_alone(team: Path) -> None:
    (team / "dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
    assert not Workspace.open(team).is_recorded
    with pytest.raises(ValueError, match="exists; remove it, or leave out --dvc"):
        run_init(team / "table.csv", team, dvc=True)


@pytest.mark.long
def test_dvc_alone_does_there_what_it_does_in_the_checkout(team: Path) -> None:
    run_init(team / "table.csv", team, dvc=True)
    written = (team / "params.yaml").read_text(encoding="utf-8")
    for key, value in (("epochs", "3"), ("count", "4"), ("widths", "[16]")):
        written = re.sub(rf"^  {key}: [^#]*#", f"  {key}: {value}  #", written, flags=re.MULTILINE)
    (team / "params.yaml").write_text(written, encoding="utf-8")
    comments = {line.partition("#")[2] for line in written.splitlines() if "#" in line}
    dvc = [sys.executable, "-m", "dvc"]
    said(team, *dvc, "repro")
    assert "Nothing changed" in command("train", cwd=team).stdout
    scores = json.loads(said(team, *dvc, "metrics", "show", "--json"))[""]["data"]
    (found,) = scores.values()
    assert set(found["data"]["logS"]) == {"rmse", "rmse_baseline", "retrained_within", "replicates"}
    said(team, "git", "add", "-A")
    said(team, "git", "commit", "-qm", "first")
    said(team, *dvc, "exp", "run", "-S", "train.epochs=5")
    changed = (team / "params.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(changed)["train"]["epochs"] == 5
    lost = comments - {line.partition("#")[2] for line in changed.splitlines() if "#" in line}
    assert not lost
    assert "rmse" in said(team, *dvc, "exp", "show", "--csv").splitlines()[0]
