"""Two at work in one workspace, and inputs that change under a run."""

import shutil
from pathlib import Path

import pytest

from manywalks.pipeline import definition, versions
from manywalks.runtime import locks
from manywalks.workspace import Workspace
from tests.conftest import command, copy_repository, run
from tests.faults.conftest import ended, flow, note, steps_in, undo, wait_for


def test_a_second_flow_says_who_is_at_work(undone: Path) -> None:
    with versions.exclusive(Workspace.open(undone)):
        done = command("train", "--workspace", str(undone))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "process" in done.stderr and "is at work here" in done.stderr
    note("two flows at once", "the second says which process is at work, and ends")


def test_a_step_left_over_by_a_killed_dvc_keeps_others_out(
    undone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "WAIT_S", 0.1)
    workspace = Workspace.open(undone)
    with locks.single_process(workspace, "train"):
        with (
            pytest.raises(ValueError, match=r"train still runs here in process \d+"),
            locks.single_process(workspace, "train"),
        ):
            pass
        with locks.single_process(workspace, "split"):
            pass


def test_leftovers_of_killed_processes_are_swept_and_nothing_else(undone: Path) -> None:
    halves = [undone / name for name in ("data/.tmp-a.parquet", "reports/plots/.tmp-b.json")]
    for half in halves:
        half.write_bytes(b"half")
    (undone / "models/.ensemble").mkdir()
    (undone / "models/.ensemble/model.keras").write_bytes(b"half")
    kept = undone / "data/curated.parquet"
    before = kept.read_bytes()
    with versions.exclusive(Workspace.open(undone)):
        pass
    assert not any(half.exists() for half in halves)
    assert not (undone / "models/.ensemble").exists()
    assert kept.read_bytes() == before


def test_a_dependency_that_changed_after_its_stage_ran_is_refused(trained: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(trained, work)
    workspace = Workspace.open(work)
    stage = definition.load_stages(workspace)["curate"]
    with (work / "table.csv").open("a", encoding="utf-8") as handle:
        handle.write("x,CCO,1,train\n")
    with pytest.raises(ValueError, match=r"stage curate changed after it ran; dvc\.lock is left as it was"):
        versions.record(None, workspace, [stage])
    note("a dependency that changes while the flow runs", "refused; dvc.lock is left as it was")


def test_a_dependency_that_changes_while_its_stage_runs_is_named(trained: Path, tmp_path: Path) -> None:
    from manywalks.pipeline.stages import finish

    work = tmp_path / "work"
    shutil.copytree(trained, work)
    workspace = Workspace.open(work)
    stage = definition.load_stages(workspace)["curate"]
    inputs = definition.inputs_of(stage, workspace)
    (work / "table.csv").write_text("changed", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^table\.csv changed while curate ran; run again$"):
        finish(workspace, stage, inputs)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, demo_table) -> Path:
    """A DVC repository in which nothing has run."""
    return copy_repository(tmp_path_factory.mktemp("at_once"), demo_table)


def test_dvc_repro_says_that_a_flow_is_at_work(repository: Path) -> None:
    workspace = Workspace.open(repository)
    with versions.exclusive(workspace):
        done = run(["dvc", "repro", "split"], cwd=repository)
    assert done.returncode != 0
    assert "lock" in done.stderr.lower()
    assert not (repository / "dvc.lock").exists()
    note("`dvc repro` while a flow runs", "DVC says that the workspace is locked, and ends")


def test_a_flow_says_that_dvc_is_at_work(repository: Path) -> None:
    from dvc.repo import Repo
    from dvc.rwlock import rwlock

    repo = Repo(str(repository))
    outs = [str(repository / "data/curated.parquet")]
    with rwlock(repo.tmp_dir, repo.fs, "dvc repro", [], outs, False):
        done = command("train", cwd=repository)
    repo.close()
    assert done.returncode == 2, done.stdout + done.stderr
    assert "DVC is at work here" in done.stderr
    assert "dvc repro" in done.stderr
    note("a flow while `dvc repro` runs", "the flow says which process DVC's lock is held by, and ends")


def test_half_of_dvcs_own_list_of_locks_is_mended(repository: Path) -> None:
    path = repository / ".dvc/tmp/rwlock"
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"write": {"/a', encoding="utf-8")
    with versions.exclusive(Workspace.open(repository)):
        pass


@pytest.mark.faults
def test_two_real_flows_at_once_both_end_right(trained: Path, tmp_path: Path) -> None:
    work = undo(trained, tmp_path / "work")
    first = flow(work)
    assert wait_for(lambda: steps_in(work), 180)
    status, said = ended(flow(work))
    # the second takes its time to start: where the first has ended by then, it has nothing to wait for
    assert status == 2 or (status == 0 and not first.lives()), said
    status, said = ended(first)
    assert status == 0, said
