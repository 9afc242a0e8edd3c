"""What tune shows on the terminal."""

import io
from typing import Any

from rich.console import Console

from manywalks.cli.show.tune_tables import best_trials
from tests.tune.test_figures import found


def shown(beaten: bool, cost: dict[str, Any] | None = None) -> str:
    """The table of trials as text."""
    search = {**found(), "cost": cost, "metric": {"name": "RMSE", "unit": "", "joint": False}}
    trials = [
        {
            **one,
            "splits": 5,
            "cost": 7000.0 + one["number"],
            "state": "beaten" if beaten and one["number"] > 12 else "done",
        }
        for one in search["trials"]
    ]
    out = io.StringIO()
    Console(file=out, width=110).print(best_trials({**search, "trials": trials}))
    return out.getvalue()


def test_a_trial_that_ended_early_is_explained_where_it_is_shown() -> None:
    text = shown(beaten=True)
    assert "ended early: surely worse than the best trial, though perhaps not than the present" in text
    assert "beaten" not in text
    assert "12 more trials on the page" in text
    assert "ended early" not in shown(beaten=False)


def test_the_front_has_the_present_settings_and_says_which_one_was_judged() -> None:
    cost = {"key": "parameters", "name": "parameters of the network", "present": 7000.0, "front": [0, 1, 3]}
    lines = shown(beaten=True, cost=cost).splitlines()
    rows = {line.split()[0]: line.rstrip() for line in lines if line.strip()}
    assert rows["1"].split()[-3:] == ["7,001", "front,", "judged"]
    assert rows["3"].split()[-2:] == ["7,003", "front"]
    assert rows["present"].split() == ["present", "0", "7,000", "front"]
    assert "front: no other one is both better and cheaper" in "\n".join(lines)
    assert "surely worse than another one that costs no more" in " ".join(lines)
