"""dvc.yaml as the one definition: its code lists are true, and records hold exactly while they should."""

from pathlib import Path

import pytest

from manywalks.pipeline import definition
from manywalks.pipeline.definition import content_hash
from manywalks.workspace import Workspace
from tests.conftest import SMALL, run
from tests.support.imports import PACKAGE, closure, modules

STAGES = ("curate", "featurize", "split", "train", "draws", "ensemble", "evaluate", "report")


# They decide how a step runs, not what it makes: values of params count, and the content of files.
NEUTRAL = ("files.py", "params/", "pipeline/", "runtime/", "units.py", "workspace.py", "tasks/__init__.py")


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_declares_the_folders_of_all_that_its_step_imports(name: str) -> None:
    deps = definition.read_yaml(definition.definition_file())["stages"][name]["deps"]
    declared = [dep.removeprefix("src/manywalks/") for dep in deps if dep.startswith(definition.CODE)]
    used = {
        modules()[module].relative_to(PACKAGE).as_posix() for module in closure(f"manywalks.tasks.{name}")
    }
    strange = {path for path in used if Path(path).name != "__init__.py" and not path.startswith(NEUTRAL)}
    assert not {path for path in strange if not any(path == d or path.startswith(f"{d}/") for d in declared)}
    unused = {d for d in declared if not any(path == d or path.startswith(f"{d}/") for path in used)}
    assert unused <= {"tasks/pack.py"}  # train starts it as a process


def test_imports_are_followed_into_functions_and_named_engines() -> None:
    found = closure("manywalks.tasks.train") | closure("manywalks.tasks.pack")
    assert "manywalks.train.dense_engine.engine" in found  # named in a dict, imported by import_module
    assert "manywalks.data.curate" not in found


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
        recorded = definition.read_yaml(tmp_path / f"{name}.dvc")["outs"][0]["md5"]
        assert content_hash(tmp_path / name) == recorded


@pytest.fixture
def finished(tmp_path: Path) -> tuple[Workspace, definition.Stage]:
    """A workspace in which stage split has just been recorded."""
    (tmp_path / "params.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "table.csv").write_text("a", encoding="utf-8")
    workspace = Workspace.open(tmp_path)
    stage = definition.load_stages(workspace)["split"]
    for name in (*stage.data_deps, *stage.outs):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    definition.write_record(stage, workspace, definition.inputs_of(stage, workspace))
    return workspace, stage


def test_a_record_holds_while_nothing_changes(finished: tuple[Workspace, definition.Stage]) -> None:
    workspace, stage = finished
    assert definition.is_current(stage, workspace)


@pytest.mark.parametrize(
    ("old", "new", "current"),
    [
        ("method: random", "method: scaffold", False),
        ("curate: {}", "curate: {}  # a comment", True),
        ("epochs: 4", "epochs: 5", True),  # another stage's key
    ],
)
def test_a_record_depends_on_the_stages_own_params(
    finished: tuple[Workspace, definition.Stage], old: str, new: str, current: bool
) -> None:
    workspace, stage = finished
    text = workspace.params_file.read_text(encoding="utf-8")
    workspace.params_file.write_text(text.replace(old, new), encoding="utf-8")
    assert definition.is_current(stage, workspace) is current


@pytest.mark.parametrize("change", ["dep", "out", "gone", "record"])
def test_a_changed_file_ends_a_record(finished: tuple[Workspace, definition.Stage], change: str) -> None:
    workspace, stage = finished
    if change == "gone":
        (workspace.root / stage.outs[0]).unlink()
    elif change == "record":
        (workspace.state / "done" / "split.json").write_text("{", encoding="utf-8")
    else:
        name = stage.data_deps[0] if change == "dep" else stage.outs[0]
        (workspace.root / name).write_text("other", encoding="utf-8")
    assert not definition.is_current(stage, workspace)
