"""Parameters that were tried, as DVC experiments: `dvc exp show` has them, the workspace is left alone."""

import json
import sys
from pathlib import Path

import pytest

from manywalks.pipeline import experiments
from manywalks.pipeline.experiments import Experiment
from manywalks.workspace import Workspace
from tests.conftest import run

STAGES = """
stages:
  train:
    cmd: python -m manywalks.tasks train
    deps: [table.csv]
    params: [train]
"""
TRIED = [
    Experiment(f"search-1-trial-{n}", f"train:\n  epochs: {n}\n", {"rmse": 0.5 + n, "gain": n / 10})
    for n in (1, 2)
]


def said(folder: Path, *words: str) -> str:
    """What a program says."""
    done = run([*words], cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dvc(folder: Path, *words: str) -> str:
    """What DVC says."""
    return said(folder, sys.executable, "-m", "dvc", *words)


@pytest.fixture(params=[".", "below/here"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """A recorded workspace at the top of a git repository, or deep in it."""
    for line in ("git init -q", "git config user.name n", "git config user.email a@b"):
        said(tmp_path, *line.split())
    dvc(tmp_path, "init", "-q")
    folder = tmp_path / request.param
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "dvc.yaml": STAGES,
        "params.yaml": "train:\n  epochs: 9\n",
        "table.csv": "a\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    said(tmp_path, "git", "add", "-A")
    said(tmp_path, "git", "commit", "-qm", "base")
    return Workspace.open(folder)


def shown(workspace: Workspace) -> dict[str, tuple[int, float]]:
    """(train.epochs, rmse) of each experiment that `dvc exp show` has."""
    (_, base) = json.loads(dvc(workspace.root, "exp", "show", "--json"))
    found = {}
    for one in base["experiments"] or []:
        (row,) = one["revs"]
        values = {
            key: value
            for part in ("params", "metrics")
            for file in row["data"][part].values()
            for key, value in file["data"].items()
        }
        found[row["name"]] = (values["train"]["epochs"], values["rmse"])
    return found


def test_dvc_shows_parameters_and_scores_of_each(workspace: Workspace) -> None:
    experiments.check(workspace)
    experiments.save(workspace, TRIED)
    assert shown(workspace) == {"search-1-trial-1": (1, 1.5), "search-1-trial-2": (2, 2.5)}
    experiments.save(workspace, [TRIED[0]._replace(scores={"rmse": 7.0})])
    assert shown(workspace)["search-1-trial-1"] == (1, 7.0)


def test_the_workspace_and_what_is_staged_are_left_alone(workspace: Workspace) -> None:
    (workspace.root / "params.yaml").write_text("train:\n  epochs: 5\n", encoding="utf-8")
    (workspace.root / "note.txt").write_text("mine", encoding="utf-8")
    said(workspace.root, "git", "add", "note.txt")
    before = said(workspace.root, "git", "status", "--porcelain")
    experiments.save(workspace, TRIED)
    assert said(workspace.root, "git", "status", "--porcelain") == before
    assert not (workspace.root / "tune").exists()


def test_an_experiment_is_applied_and_removed_as_any_other(workspace: Workspace) -> None:
    experiments.save(workspace, TRIED)
    dvc(workspace.root, "exp", "apply", "search-1-trial-2")
    assert (workspace.root / "params.yaml").read_text(encoding="utf-8") == TRIED[1].params
    dvc(workspace.root, "exp", "remove", "search-1-trial-1")
    assert list(shown(workspace)) == ["search-1-trial-2"]


def test_a_workspace_that_dvc_does_not_record_is_refused(small: Path) -> None:
    with pytest.raises(ValueError, match=r"--dvc: .* is not recorded by DVC; make such a workspace with"):
        experiments.check(Workspace.open(small))


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    said(tmp_path, "git", "init", "-q")
    dvc(tmp_path, "init", "-q")
    (tmp_path / "dvc.yaml").write_text(STAGES, encoding="utf-8")
    with pytest.raises(ValueError, match="has no git commit yet; commit first"):
        experiments.check(Workspace.open(tmp_path))
