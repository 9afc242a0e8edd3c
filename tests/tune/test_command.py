"""The command as a whole: a search with its verdict, and what ^C and a kill leave."""

import json
import shutil
import signal
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from manywalks import files
from manywalks.params.load import load_params
from manywalks.tune.design import seconds_of
from tests.conftest import command, copy_repository, run
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


def test_a_time_limit_that_holds_no_search_says_which_one_does_and_loses_nothing(small: Path) -> None:
    done = command("tune", "--workspace", str(small), "--trials", "2", "--time", "1s", *QUICK)
    assert done.returncode == 2, done.stdout + done.stderr
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith("--time 1s: is too short; one trial and its verdict need about ")
    asked = said.partition("Give --time ")[2].partition(" or more")[0]
    kept = {path: path.stat().st_mtime_ns for path in small.glob(".manywalks/compare/*/*-*.npz")}
    assert kept
    again = command("tune", "--workspace", str(small), "--trials", "2", "--continue", *QUICK)
    assert again.returncode == 0, again.stdout + again.stderr
    assert seconds_of(asked) > 0
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    design = files.read_json(small / "reports/tune.json")["design"]
    assert design["kept"] == 2 * len(kept)


def test_the_default_space_is_shown(small: Path) -> None:
    done = command("tune", "--workspace", str(small), "--show-space")
    assert "learning_rate: {low: 0.0002, high: 0.005, log: true}" in done.stdout


@pytest.mark.long
def test_trials_are_experiments_of_dvc_where_asked(tmp_path: Path, demo_table: pd.DataFrame) -> None:
    folder = copy_repository(tmp_path / "recorded", demo_table)
    said(folder, "git", "config", "user.name", "n")
    said(folder, "git", "config", "user.email", "a@b")
    said(folder, "git", "add", "-A")
    said(folder, "git", "commit", "-qm", "base")
    done = command("tune", "--workspace", str(folder), "--trials", "2", "--dvc", *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "saved    2 trials: dvc exp show --only-changed" in done.stdout
    found = files.read_json(folder / "reports/tune.json")
    dvc = (sys.executable, "-m", "dvc", "exp")
    (_, base) = json.loads(said(folder, *dvc, "show", "--json"))
    rows = {one["name"]: one["revs"][0]["data"] for one in base["experiments"]}
    assert sorted(rows) == ["search-1-trial-1", "search-1-trial-2"]
    for trial in found["trials"]:
        row = rows[f"search-1-trial-{trial['number']}"]
        (scores,) = [one["data"] for name, one in row["metrics"].items() if name.endswith("trial.json")]
        assert scores["gain"] == pytest.approx(trial["gain"], abs=1e-5)
        shown = row["params"]["params.yaml"]["data"]["train"]["learning_rate"]
        assert shown == trial["values"]["train.learning_rate"]
    # a pipeline that never ran has no outputs that DVC could bring, so it complains of them
    run([*dvc, "apply", "search-1-trial-2"], cwd=folder)
    applied = load_params(folder / "params.yaml").train.learning_rate
    assert applied == found["trials"][1]["values"]["train.learning_rate"]


def said(folder: Path, *words: str) -> str:
    """What a program says."""
    done = run([*words], cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
    program = [
        str(Path(sys.executable).with_name("manywalks")),
        "tune",
        "-w",
        str(small),
        "--trials",
        "40",
        *QUICK,
    ]
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
