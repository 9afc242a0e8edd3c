"""dvc.yaml as the one definition: its code lists are true, and records hold exactly while they should."""

from pathlib import Path

import pytest

from manywalks.tasks import pipeline
from manywalks.tasks.code import FOLDER, source_files
from manywalks.tasks.pipeline import content_hash
from manywalks.tasks.workspace import Workspace

from .conftest import SMALL, run

STAGES = ("curate", "featurize", "split", "train", "ensemble", "evaluate", "report")


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_lists_exactly_the_code_that_its_step_imports(name: str) -> None:
    listed = [
        dep for dep in pipeline.read_yaml(FOLDER / "dvc.yaml")["stages"][name]["deps"] if dep.endswith(".py")
    ]
    assert listed == list(source_files(f"manywalks.tasks.steps.{name}")), "run `make fix`"


def test_imports_are_followed_into_functions_and_named_engines() -> None:
    found = source_files("manywalks.tasks.steps.train")
    assert "tasks/engine_dense.py" in found  # import_module(f"...engine_{name}")
    assert "tasks/curate.py" not in found


def test_tasks_import_neither_flows_nor_prefect_nor_dvc_but_in_one_file_each() -> None:
    importing = {"flows": set(), "prefect": set(), "dvc": set()}
    for path in (FOLDER / "tasks").rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] in ("from", "import"):
                for name in importing:
                    if words[1].split(".")[0] == name or words[1].startswith(f"manywalks.{name}"):
                        importing[name].add(path.name)
    assert importing == {"flows": set(), "prefect": {"stage.py"}, "dvc": {"versions.py"}}


def test_content_hash_is_dvcs_own(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "b.txt").write_text("b", encoding="utf-8")
    (folder / "sub" / "a.txt").write_text("a", encoding="utf-8")
    (folder / "sub.txt").write_text("s", encoding="utf-8")
    (tmp_path / "file.txt").write_text("alone", encoding="utf-8")
    for line in ("git init -q", "dvc init -q", "dvc add -q folder file.txt"):
        done = run([*line.split()], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    for name in ("folder", "file.txt"):
        recorded = pipeline.read_yaml(tmp_path / f"{name}.dvc")["outs"][0]["md5"]
        assert content_hash(tmp_path / name) == recorded


@pytest.fixture
def finished(tmp_path: Path) -> tuple[Workspace, pipeline.Stage]:
    """A workspace in which stage split has just been recorded."""
    (tmp_path / "params.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "table.csv").write_text("a", encoding="utf-8")
    workspace = Workspace.open(tmp_path)
    stage = pipeline.load_stages(workspace)["split"]
    for name in (*stage.data_deps, *stage.outs):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    pipeline.write_record(stage, workspace, pipeline.inputs_of(stage, workspace))
    return workspace, stage


def test_a_record_holds_while_nothing_changes(finished: tuple[Workspace, pipeline.Stage]) -> None:
    workspace, stage = finished
    assert pipeline.is_current(stage, workspace)


@pytest.mark.parametrize(
    ("old", "new", "current"),
    [
        ("method: random", "method: scaffold", False),
        ("curate: {}", "curate: {}  # a comment", True),
        ("epochs: 4", "epochs: 5", True),  # another stage's key
    ],
)
def test_a_record_depends_on_the_stages_own_params(
    finished: tuple[Workspace, pipeline.Stage], old: str, new: str, current: bool
) -> None:
    workspace, stage = finished
    text = workspace.params_file.read_text(encoding="utf-8")
    workspace.params_file.write_text(text.replace(old, new), encoding="utf-8")
    assert pipeline.is_current(stage, workspace) is current


@pytest.mark.parametrize("change", ["dep", "out", "gone", "record"])
def test_a_changed_file_ends_a_record(finished: tuple[Workspace, pipeline.Stage], change: str) -> None:
    workspace, stage = finished
    if change == "gone":
        (workspace.root / stage.outs[0]).unlink()
    elif change == "record":
        (workspace.state / "done" / "split.json").write_text("{", encoding="utf-8")
    else:
        name = stage.data_deps[0] if change == "dep" else stage.outs[0]
        (workspace.root / name).write_text("other", encoding="utf-8")
    assert not pipeline.is_current(stage, workspace)
