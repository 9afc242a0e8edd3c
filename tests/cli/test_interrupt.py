"""^C and SIGTERM at any moment of any command: one line in two seconds, its status, no process left."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.prefect_server import server
from tests.support.terminal import Terminal

IN_TIME = 2.0
COMMANDS = [
    "train",
    "compare --set network.dropout=0.1,0.3",
    pytest.param("reproduce", marks=pytest.mark.long),
    pytest.param("refresh", marks=pytest.mark.long),
]
Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `manywalks …` in a terminal, in a folder."""
    begun: list[Terminal] = []

    def run(*arguments: str, cwd: Path = tmp_path, **environment: str) -> Terminal:
        # not the installed program, which may be an older one
        program = ["python", "-c", "from manywalks.cli.start import main; main()"]
        begun.append(Terminal(*program, *arguments, cwd=cwd, **environment))
        return begun[-1]

    yield run
    for terminal in begun:
        terminal.close()


@pytest.fixture
def slow(trained: Path, tmp_path: Path) -> Path:
    """A workspace whose replicates take minutes to train; all before them is done."""
    folder = tmp_path / "slow"
    shutil.copytree(trained, folder)
    path = folder / "params.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("epochs: 4", "epochs: 40000"), encoding="utf-8")
    return folder


def shared() -> dict[str, str]:
    """The session's Prefect server as the user's."""
    return {"PREFECT_API_URL": server.url()}


def assert_stopped(terminal: Terminal, seconds: float, status: int = 130) -> str:
    """One line in time, the status, nothing left; the line."""
    assert terminal.status() == status, terminal.screen
    assert seconds < IN_TIME, terminal.screen
    assert terminal.left() == []
    (line,) = [line for line in terminal.screen.splitlines() if "stopped" in line]
    assert "Traceback" not in terminal.screen
    assert line == terminal.screen.strip().splitlines()[-1]
    return line.strip()


def test_ctrl_c_while_replicates_train_says_how_many_are_kept(start: Start, slow: Path) -> None:
    terminal = start("train", cwd=slow)
    terminal.wait_for("0/4 replicates")
    line = assert_stopped(terminal, terminal.press_ctrl_c())
    assert line == "stopped; 0 of 4 replicates kept; run again to go on"


def test_sigterm_ends_the_server_too(start: Start, slow: Path) -> None:
    terminal = start("train", cwd=slow)
    terminal.wait_for("starting Prefect")
    assert_stopped(terminal, terminal.terminate(), 143)


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_during_start_up(start: Start, slow: Path, command: str) -> None:
    terminal = start(*command.split(), cwd=slow)
    terminal.wait_for("starting Prefect")
    assert_stopped(terminal, terminal.press_ctrl_c())


def test_an_interrupted_run_is_cancelled_on_the_users_server(start: Start, slow: Path) -> None:
    terminal = start("train", cwd=slow, **shared())
    terminal.wait_for("train replicates")
    assert_stopped(terminal, terminal.terminate(), 143)
    query = {"sort": "START_TIME_DESC", "limit": 1, "flows": {"name": {"any_": ["train"]}}}
    (run,) = httpx.post(f"{server.url()}/flow_runs/filter", json=query).raise_for_status().json()
    assert run["state"]["type"] == "CANCELLED"


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_ctrl_c_while_a_command_trains(start: Start, slow: Path, command: str) -> None:
    terminal = start(*command.split(), cwd=slow, **shared())
    terminal.wait_for("train replicates")
    line = assert_stopped(terminal, terminal.press_ctrl_c())
    assert line.endswith("replicates kept; run again to go on")


def test_ctrl_c_while_predicting(start: Start, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("smiles\n" + "CCO\n" * 2_000_000, encoding="utf-8")
    terminal = start("predict", str(trained / "models/ensemble"), "new.csv", "out.csv")
    terminal.wait_for("rows, ")
    line = assert_stopped(terminal, terminal.press_ctrl_c())
    # the first chunk may not be finished
    assert "rows kept; run again to go on" in line or "no rows kept yet" in line


@pytest.mark.parametrize("command", [["init", "table.csv", "-w", "other"], ["train"], ["explain", "CCO"]])
def test_ctrl_c_at_once(start: Start, slow: Path, command: list[str]) -> None:
    terminal = start(*command, cwd=slow, PYTHONPROFILEIMPORTTIME="1")
    # what is imported is listed: the program has just begun
    terminal.wait_for("typer")
    assert_stopped(terminal, terminal.press_ctrl_c())
    assert not (slow / "other").exists()


def test_ctrl_c_ends_a_stage_of_dvcs(slow: Path) -> None:
    terminal = Terminal("python", "-m", "manywalks.tasks", "train", cwd=slow)
    try:
        terminal.wait_for("replicates")
        assert_stopped(terminal, terminal.press_ctrl_c())
    finally:
        terminal.close()
