"""SIGKILL at random moments: the next run ends with the outputs of an undisturbed one."""

import random
import time
from pathlib import Path

import psutil
import pytest

from .conftest import KILLS, Begun, ended, flow, note, outputs, step, steps_in, undo, wait_for

MOMENTS = random.Random()


def replicates_in(folder: Path) -> dict[str, str]:
    """The replicates' files and their content."""
    return {name: md5 for name, md5 in outputs(folder).items() if name.endswith(".npz") and "repl" in name}


def kill_a_pack(undone: Path) -> None:
    """Kill one pack at a random moment of its life, if it lives that long."""
    assert wait_for(lambda: steps_in(undone, "pack"))
    time.sleep(MOMENTS.uniform(0, 4))
    for process in steps_in(undone, "pack")[:1]:
        process.kill()


def test_a_killed_pack_is_trained_again_and_nothing_else(undone: Path, trained: Path) -> None:
    process = step("train", undone)
    kill_a_pack(undone)
    status, said = ended(process)
    assert status == 0, said
    assert replicates_in(undone) == replicates_in(trained)


def kill_the_flow(undone: Path, seconds: float) -> None:
    """Kill the flow after so many seconds; its steps end by themselves."""
    process = flow(undone)
    time.sleep(seconds)
    process.kill()
    assert wait_for(lambda: not steps_in(undone), 10), "steps outlived the flow that started them"


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


def kill_the_server(begun: Begun, seconds: float) -> bool:
    """Kill the flow's own Prefect server so many seconds after it started; False where there was none."""

    def servers() -> list[psutil.Process]:
        try:
            below = psutil.Process(begun.process.pid).children(recursive=True)
            return [one for one in below if "prefect.server.api.server:create_app" in one.cmdline()]
        except psutil.Error:
            return []

    if not wait_for(lambda: servers() or begun.process.poll() is not None, 120) or not servers():
        return False
    time.sleep(seconds)
    for server in servers():
        server.kill()
        return True
    return False


@pytest.mark.faults
@pytest.mark.parametrize("number", range(KILLS))
def test_packs_killed_at_random_moments(trained: Path, tmp_path: Path, number: int) -> None:
    undone = undo(trained, tmp_path / "work")
    process = step("train", undone)
    kill_a_pack(undone)
    status, said = ended(process)
    assert status == 0, said
    assert replicates_in(undone) == replicates_in(trained)
    if number == KILLS - 1:
        note("SIGKILL to a training process", "same outputs, the same run", str(KILLS))


@pytest.mark.faults
@pytest.mark.parametrize("number", range(KILLS))
def test_flows_killed_at_random_moments(trained: Path, tmp_path: Path, number: int) -> None:
    undone = undo(trained, tmp_path / "work")
    kill_the_flow(undone, MOMENTS.uniform(0, 60))
    status, said = ended(flow(undone))
    assert status == 0, said
    assert outputs(undone) == outputs(trained)
    if number == KILLS - 1:
        note("SIGKILL to the flow's process", "same outputs in the next run", str(KILLS))


@pytest.mark.faults
@pytest.mark.parametrize("number", range(KILLS))
def test_servers_killed_at_random_moments(trained: Path, tmp_path: Path, number: int) -> None:
    undone = undo(trained, tmp_path / "work")
    process = flow(undone)
    killed = kill_the_server(process, MOMENTS.uniform(0, 40))
    status, said = ended(process)
    if status:
        assert killed, said
        assert "Prefect" in said.strip().splitlines()[-1], said
        status, said = ended(flow(undone))
    assert status == 0, said
    assert outputs(undone) == outputs(trained)
    if number == KILLS - 1:
        note(
            "SIGKILL to the Prefect server", "the run goes on, or ends with a line; same outputs", str(KILLS)
        )
