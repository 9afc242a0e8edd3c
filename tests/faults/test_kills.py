"""SIGKILL at random moments: the next run ends with the outputs of an undisturbed one."""

import random
import shutil
import sys
import time
from pathlib import Path

import psutil
import pytest

from manywalks.pipeline import definition
from manywalks.pipeline.server import DATABASE, MODULE
from manywalks.workspace import Workspace
from tests.conftest import command, run
from tests.faults.conftest import KILLS, Begun, ended, flow, note, outputs, step, steps_in, undo, wait_for
from tests.faults.forked import Forked, fork_server
from tests.runtime.test_dask import free_port

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
    stages = definition.load_stages(Workspace.open(folder))
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
            if MODULE in (process.info["cmdline"] or []) and f"{folder}/" in process.environ()[DATABASE]:
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


def kill_the_flow(folder: Path, api: str | None) -> bool:
    """Kill the flow at a random moment of its start or its work; False where it had ended."""
    begun = flow(folder, api)
    if MOMENTS.random() < 0.8:
        wait_for(lambda: steps_in(folder) or not begun.lives(), 180, 0.5)
    time.sleep(MOMENTS.uniform(0, 12))
    lived = begun.lives()
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
    done = command("train", cwd=undone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outputs(undone) == outputs(trained)


def test_the_server_of_a_killed_flow_ends_with_it(undone: Path) -> None:
    begun = flow(undone)
    assert wait_for(lambda: servers_of(undone), 120)
    begun.kill()
    assert wait_for(lambda: not servers_of(undone), 10)


def test_a_server_that_is_not_there_is_one_line(undone: Path) -> None:
    done = run(
        [str(Path(sys.executable).with_name("manywalks")), "train"], cwd=undone,
        PREFECT_API_URL=f"http://127.0.0.1:{free_port()}/api",
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("PREFECT_API_URL: no Prefect server answers at http://127.0.0.1:")


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
def test_flows_killed_at_random_moments(trained: Path, tmp_path: Path, home: Path, number: int) -> None:
    work = unmake(trained, tmp_path / "work", "curate")
    # a server of its own takes longer than all else that a killed run does
    server, api = (None, None) if number == KILLS // AGAIN - 1 else fork_server(home)
    kept: dict[str, int] = {}
    kills = 0
    while kills < AGAIN:
        if kill_the_flow(work, api):
            kills += 1
        else:  # it ended before its moment came: from the start again
            assert outputs(work) == outputs(trained)
            shutil.rmtree(work)
            unmake(trained, work, "curate")
            kept = {}
        now = times_in(work)
        assert {name: now.get(name) for name in kept} == kept, "a whole replicate was trained again"
        kept = now
    status, said = ended(flow(work, api))
    assert status == 0, said
    assert outputs(work) == outputs(trained)
    assert wait_for(lambda: not servers_of(work), 20), "a killed flow's server lives on"
    said = f"same outputs in the run after {AGAIN} kills in a row, no whole replicate trained again"
    if server is None:
        note("SIGKILL to a flow with a server of its own", f"{said}; that server ended with it", AGAIN)
    else:
        server.kill()
        note("SIGKILL to a flow with a server elsewhere", said, AGAIN)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where servers that stand by themselves keep their database, one after the other."""
    return tmp_path_factory.mktemp("home")


def kill_own_server(work: Path) -> tuple[bool, Begun | Forked]:
    """Run the flow and kill the server that it started at a random moment; False where that was gone."""
    begun = flow(work)
    if not wait_for(lambda: servers_of(work) or not begun.lives(), 120, 0.5):
        return False, begun
    time.sleep(MOMENTS.uniform(0, 25))
    servers = servers_of(work)
    for server in servers:
        server.kill()
    return bool(servers), begun


def kill_other_server(work: Path, home: Path) -> tuple[bool, Begun | Forked]:
    """Run the flow against a server elsewhere, killed at a random moment; False where the run had ended."""
    server, api = fork_server(home)
    begun = flow(work, api)
    time.sleep(MOMENTS.uniform(0, 12))
    lived = begun.lives()
    server.kill()
    return lived, begun


@pytest.mark.faults
@pytest.mark.parametrize("number", range(KILLS))
def test_servers_killed_at_random_moments(trained: Path, tmp_path: Path, home: Path, number: int) -> None:
    """Runs with all, or with the last stages alone, still to make: of any length."""
    left = MOMENTS.choice(["curate", "train", "ensemble", *["evaluate"] * 2, *["report"] * 5])
    own = number % 25 == 24  # which takes longer than all the rest
    killed, tries, outcome = False, 0, "the run goes on"
    while not killed:  # a run that ended before its moment came is no kill
        work = unmake(trained, tmp_path / f"work-{tries}", left)
        killed, begun = kill_own_server(work) if own else kill_other_server(work, home)
        status, said = ended(begun)
        if status:
            assert killed, said
            assert "Prefect" in said.strip().splitlines()[-1], said
            outcome = "the run ends with a line, the next one finishes"
            server, api = fork_server(home)
            status, said = ended(flow(work, api))
            server.kill()
        assert status == 0, said
        assert outputs(work) == outputs(trained)
        tries += 1
    whose = "the Prefect server that the run started" if own else "a Prefect server elsewhere"
    note(f"SIGKILL to {whose}", f"{outcome}; same outputs")
