"""What tune shows on the terminal."""

import io

from rich.console import Console

from manywalks.cli.show.tune_tables import best_trials
from tests.tune.test_figures import found


def shown(beaten: bool) -> str:
    """The table of trials as text."""
    search = {**found(), "cost": None, "metric": {"name": "RMSE", "unit": "", "joint": False}}
    trials = [
        {**one, "splits": 5, "state": "beaten" if beaten and one["number"] > 12 else "done"}
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
