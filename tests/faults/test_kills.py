"""SIGKILL at random moments: the next run ends with the outputs of an undisturbed one."""

import random
import shutil
import time
from pathlib import Path

import psutil
import pytest

from manywalks.flows.settings import DATABASE, SERVER
from manywalks.tasks import pipeline
from manywalks.tasks.workspace import Workspace

from .conftest import KILLS, Begun, ended, flow, note, outputs, step, steps_in, undo, wait_for

MOMENTS = random.Random()
# A workspace's flow is killed this often before a run is let end: what one kill left meets the next.
AGAIN = 5


def replicates_in(folder: Path) -> dict[str, str]:
    """The replicates' files and their content."""
    return {name: md5 for name, md5 in outputs(folder).items() if name.endswith(".npz") and "repl" in name}


def times_in(folder: Path) -> dict[str, int]:
    """When each replicate was written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "models/replicates").rglob("0*.npz")}


def unmake(trained: Path, folder: Path, first: str) -> Path:
    """A copy of a trained workspace in which a stage and all that follow it are still to be made."""
    shutil.copytree(trained, folder, symlinks=True)
    stages = pipeline.load_stages(Workspace.open(folder))
    for name in list(stages)[list(stages).index(first) :]:
        (folder / f".manywalks/done/{name}.json").unlink()
        for out in stages[name].outs:
            path = folder / out
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


def servers_of(folder: Path) -> list[psutil.Process]:
    """Prefect servers whose database lies in the folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            if SERVER in (process.info["cmdline"] or []) and f"{folder}/" in process.environ()[DATABASE]:
                found.append(process)
        except (psutil.Error, KeyError):
            continue
    return found


def kill_a_pack(undone: Path) -> bool:
    """Kill one pack at a random moment of its life; False where it had ended."""
    assert wait_for(lambda: steps_in(undone, "pack"))
    time.sleep(MOMENTS.uniform(0, 4))
    packs = steps_in(undone, "pack")[:1]
    for process in packs:
        process.kill()
    return bool(packs)


def test_a_killed_pack_is_trained_again_and_nothing_else(undone: Path, trained: Path) -> None:
    process = step("train", undone)
    kill_a_pack(undone)
    status, said = ended(process)
    assert status == 0, said
    assert replicates_in(undone) == replicates_in(trained)


def kill_the_flow(folder: Path, *, own_server: bool) -> bool:
    """Kill the flow at a random moment of its start or its work; False where it had ended."""
    begun = flow(folder, own_server=own_server)
    if MOMENTS.random() < 0.8:
        wait_for(lambda: steps_in(folder) or begun.process.poll() is not None, 180, 0.5)
    time.sleep(MOMENTS.uniform(0, 12))
    lived = begun.process.poll() is None
    begun.kill()
    assert wait_for(lambda: not steps_in(folder), 10), "steps outlived the flow that started them"
    return lived


def test_after_a_killed_flow_the_next_run_ends_as_an_undisturbed_one(undone: Path, trained: Path) -> None:
    process = flow(undone)
    assert wait_for(lambda: steps_in(undone, "pack"), 180)
    process.kill()
    assert wait_for(lambda: not steps_in(undone), 10), "steps outlived the flow that started them"
    (undone / "data/.tmp-half.parquet").write_bytes(b"half")
    (undone / ".manywalks/done/split.json").write_text('{"cmd": "pyth', encoding="utf-8")
    status, said = ended(flow(undone))
    assert status == 0, said
    assert outputs(undone) == outputs(trained)


def test_the_server_of_a_killed_flow_is_ended_by_the_next_run(undone: Path) -> None:
    """The command line ends it before it starts anything, so a run that fails at once shows it."""
    begun = flow(undone)
    assert wait_for(lambda: servers_of(undone), 120)
    begun.kill()
    (orphan,) = servers_of(undone)
    assert orphan.is_running()
    (undone / "table.csv").rename(undone / "gone.csv")
    status, said = ended(flow(undone))
    assert status == 2, said
    assert not orphan.is_running()
    assert wait_for(lambda: not servers_of(undone), 20), "the second run left a server of its own"


@pytest.mark.faults
@pytest.mark.parametrize("number", range(KILLS))
def test_packs_killed_at_random_moments(trained: Path, tmp_path: Path, number: int) -> None:
    killed, tries = False, 0
    while not killed:
        undone = undo(trained, tmp_path / f"work-{tries}")
        process = step("train", undone)
        killed = kill_a_pack(undone)
        status, said = ended(process)
        assert status == 0, said
        assert replicates_in(undone) == replicates_in(trained)
        tries += 1
    note("SIGKILL to a training process", "same outputs, in the same run")


@pytest.mark.faults
@pytest.mark.parametrize("number", range(KILLS // AGAIN))
def test_flows_killed_at_random_moments(trained: Path, tmp_path: Path, number: int) -> None:
    work = unmake(trained, tmp_path / "work", "curate")
    own_server = number % 5 == 0  # which takes longer than all else that a killed run does
    kept: dict[str, int] = {}
    kills = 0
    while kills < AGAIN:
        if kill_the_flow(work, own_server=own_server):
            kills += 1
        else:  # it ended before its moment came: from the start again
            assert outputs(work) == outputs(trained)
            shutil.rmtree(work)
            unmake(trained, work, "curate")
            kept = {}
        now = times_in(work)
        assert {name: now.get(name) for name in kept} == kept, "a whole replicate was trained again"
        kept = now
    status, said = ended(flow(work, own_server=own_server))
    assert status == 0, said
    assert outputs(work) == outputs(trained)
    assert wait_for(lambda: not servers_of(work), 20), "a killed flow's server lives on"
    note(
        "SIGKILL to the flow's process",
        f"same outputs in the run after {AGAIN} kills in a row; no whole replicate is trained again; "
        "the server that it leaves is ended by the next run",
        AGAIN,
    )


def kill_the_server(begun: Begun, folder: Path, seconds: float) -> bool:
    """Kill the flow's own Prefect server so many seconds after it started; False where the run had ended."""
    if not wait_for(lambda: servers_of(folder) or begun.process.poll() is not None, 120, 0.5):
        return False
    time.sleep(seconds)
    servers = servers_of(folder)
    for server in servers:
        server.kill()
    return bool(servers)


@pytest.mark.faults
@pytest.mark.parametrize("number", range(KILLS))
def test_servers_killed_at_random_moments(trained: Path, tmp_path: Path, number: int) -> None:
    """Runs with all, or with the last stages alone, still to make: of any length."""
    left = MOMENTS.choice(["curate", "train", "ensemble", *["evaluate"] * 2, *["report"] * 5])
    killed, tries, outcome = False, 0, "the run goes on"
    while not killed:  # a run that ended before its moment came is no kill
        work = unmake(trained, tmp_path / f"work-{tries}", left)
        begun = flow(work)
        killed = kill_the_server(begun, work, MOMENTS.uniform(0, 25 / (1 + tries)))
        status, said = ended(begun)
        if status:
            assert killed, said
            assert "Prefect" in said.strip().splitlines()[-1], said
            outcome = "the run ends with a line, the next one finishes"
            status, said = ended(flow(work, own_server=False))
        assert status == 0, said
        assert outputs(work) == outputs(trained)
        tries += 1
    note("SIGKILL to the Prefect server", f"{outcome}; same outputs")
