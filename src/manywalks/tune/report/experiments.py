"""Trials as DVC experiments."""

from typing import Any

from manywalks.pipeline import experiments
from manywalks.pipeline.experiments import Experiment
from manywalks.tune.search import Search
from manywalks.tune.space.written import tuned_text


def save_trials(search: Search, found: dict[str, Any]) -> int:
    """Save every trial that was scored, with its parameters and scores; how many."""
    workspace, name = search.material.workspace, search.history.path.parent.name
    text = workspace.params_file.read_text(encoding="utf-8")
    made = [
        Experiment(
            f"{name}-trial-{one['number']}",
            tuned_text(text, search.trials[one["number"]].params, f"Trial {one['number']} of {name}."),
            trial_scores(found, one),
        )
        for one in found["trials"]
        if one["gain"] is not None
    ]
    experiments.save(workspace, made)
    return len(made)


def trial_scores(found: dict[str, Any], trial: dict[str, Any]) -> dict[str, Any]:
    """What `dvc exp show` has in columns."""
    scores: dict[str, Any] = {}
    if not found["metric"]["joint"]:
        (present,) = found["present"].values()
        # on the splits of the trial alone, scores of 2 splits and of 10 could not be compared
        scores[found["metric"]["key"]] = round(present + found["metric"]["sign"] * trial["gain"], 6)
    scores |= {name: round(trial[name], 6) for name in ("gain", "low", "high")}
    if found["cost"]:
        scores[found["cost"]["key"]] = trial["cost"]
    scores |= {"splits": trial["splits"], "state": trial["state"]}
    winner, verdict = found["winner"], found["verdict"]
    if winner is not None and verdict is not None and winner["number"] == trial["number"]:
        scores["verdict"] = verdict["word"]
    return scores
