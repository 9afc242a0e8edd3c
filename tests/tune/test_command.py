"""The command as a whole: a search with its verdict, and what ^C and a kill leave."""

import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest

from manywalks import files
from tests.conftest import command, run
from tests.support.prefect_server import server
from tests.support.terminal import Terminal

QUICK = ("--replicates", "2")


def test_tune_searches_judges_and_writes_its_reports(small: Path) -> None:
    done = command("tune", "--workspace", str(small), "--trials", "3", *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    found = files.read_json(small / "reports/tune.json")
    assert [one["number"] for one in found["trials"]] == [1, 2, 3]
    assert (found["written"] is not None) == (small / "params.tuned.yaml").is_file()
    assert "tune.html" in done.stdout
    again = command("tune", "--workspace", str(small), "--trials", "4", "--continue", *QUICK)
    assert again.returncode == 0, again.stdout + again.stderr
    more = files.read_json(small / "reports/tune.json")
    assert [one["values"] for one in more["trials"][:3]] == [one["values"] for one in found["trials"]]
    assert len(more["trials"]) == 4


def test_the_default_space_is_shown(small: Path) -> None:
    done = command("tune", "--workspace", str(small), "--show-space")
    assert "learning_rate: {low: 0.0002, high: 0.005, log: true}" in done.stdout


@pytest.mark.long
def test_ctrl_c_says_how_many_trials_are_kept(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    shutil.copytree(trained, folder)  # its features are made already
    terminal = begun(folder)
    try:
        terminal.wait_for("0/40 trials")
        terminal.press_ctrl_c()
        assert terminal.status() == 130, terminal.screen
        assert "of 40 trials kept; run again with --continue to go on" in terminal.screen
        assert terminal.left() == []
    finally:
        terminal.close()


@pytest.mark.long
def test_a_kill_costs_no_trial_that_had_ended(small: Path) -> None:
    program = ["manywalks", "tune", "-w", str(small), "--trials", "40", *QUICK]
    process = psutil.Popen(program, env={**psutil.Process().environ(), "PREFECT_API_URL": server.url()})
    journal = small / ".manywalks/tune/search-1/journal.log"
    deadline = time.monotonic() + 120
    while not (journal.is_file() and journal.read_text().count('"state":1') >= 3):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    for child in process.children(recursive=True):
        child.send_signal(signal.SIGKILL)
    process.kill()
    process.wait()
    ended = journal.read_text().count('"state":1')
    done = run([*program[:5], str(ended + 2), "--continue", *QUICK], PREFECT_API_URL=server.url())
    assert done.returncode == 0, done.stdout + done.stderr
    found = files.read_json(small / "reports/tune.json")
    assert len(found["trials"]) >= ended + 1
    assert all(one["state"] != "failed" for one in found["trials"])


def begun(folder: Path) -> Terminal:
    """A search in a terminal."""
    program = ["python", "-c", "from manywalks.cli.start import main; main()"]
    return Terminal(*program, "tune", "--trials", "40", *QUICK, cwd=folder, PREFECT_API_URL=server.url())
