"""What a search gains on test, beside plain Optuna that takes its best trial: `benchmarks.tune gain`.

Each table's test rows take no part in the search or its verdict. One search is judged after each budget of
trials, as `tune --continue` would go on with it. Plain Optuna (TPE) has the same space and as many trials;
each trial is one replicate on one held-out fifth of the training rows, and the best value wins.

All replicates and trials are kept in .manywalks/validity/gain-*: a run that was ended goes on where it was.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna

from benchmarks.results import table
from benchmarks.tasks import main_metric, task_params
from benchmarks.tune_tables import TABLES, Source, rows_of
from benchmarks.workspaces import prepared, quiet, searched
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.load import Params
from manywalks.replicates.combine import combine, combining_of
from manywalks.split.left_out import left_out, without
from manywalks.split.split import folds, split_molecules
from manywalks.tasks import compare as train_splits
from manywalks.tune.design import Design
from manywalks.tune.history import RANDOM, suggest
from manywalks.tune.material import Material
from manywalks.tune.space.default_space import default_space
from manywalks.workspace import Workspace

TEST_REPLICATES = 16
BUDGETS = (10, 30, 60)
BOOTSTRAPS = 2000
HOLDOUT = 5


class Test(NamedTuple):
    """What an ensemble predicts on test rows, beside what was observed: (n,) each."""

    observed: np.ndarray
    relation: np.ndarray
    predicted: np.ndarray

    def score(self, metric: str, rows: np.ndarray | slice = slice(None)) -> float:
        """The score on some of the rows, more is better."""
        found = endpoint_metrics(
            self.observed[rows], self.predicted[rows], kind="regression",
            relation=self.relation[rows], threshold=0.5,
        )  # fmt: skip
        return sign_of(metric) * float(found[metric] or 0.0)


def sign_of(metric: str) -> float:
    """1 where more is better, -1 where less is."""
    return -1.0 if metric in ("mae", "rmse") else 1.0


def tested(workspace: Workspace, params: Params, subsets: np.ndarray, replicates: int) -> Test:
    """An ensemble trained on a split, on its test rows."""
    material = Material(workspace, workspace, Design())
    curated, (name, endpoint) = material.curated, next(iter(params.data.endpoints.items()))
    with quiet(workspace.root):
        for one in material.shares(params, [subsets], [0], replicates):
            train_splits.run(workspace, *one.arguments[1:])
    made = material.kept(material.store(params), subsets).predictions[:replicates, :, 0]
    rows = curated.loc[subsets == "test"]
    observed, relation = rows[name].to_numpy(np.float64), rows[f"{name}:relation"].to_numpy(str)
    return Test(observed, relation, combine(made, combining_of(endpoint.kind, params.ensemble)))


def gained(one: Test, other: Test, metric: str) -> dict[str, float]:
    """How much better the first is on the same test rows: 95 % of bootstraps over them."""
    rng, n = np.random.default_rng(0), len(one.observed)
    draws = [rng.integers(n, size=n) for _ in range(BOOTSTRAPS)]
    differences = [one.score(metric, rows) - other.score(metric, rows) for rows in draws]
    low, high = np.quantile(differences, [0.025, 0.975])
    gain = one.score(metric) - other.score(metric)
    return {"gain": gain, "low": float(low), "high": float(high)}


def plain_optuna(workspace: Workspace, metric: str, trials: int) -> Iterator[tuple[float, Params]]:
    """The best gain so far over the defaults and its parameters, after 0, 1 .. `trials` trials."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space, present = default_space(workspace.params), workspace.params
    material = Material(workspace, workspace, Design())
    out = left_out(material.curated, workspace.not_featurized)
    subsets = without(folds(material.curated, present.split, 1, HOLDOUT)[0], out)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    default = tested(workspace, present, subsets, 1).score(metric)
    best = (0.0, present)
    yield best
    for _ in range(trials):
        trial = study.ask()
        made = space.params(space.draw(partial(suggest, trial)))
        value = tested(workspace, made, subsets, 1).score(metric)
        study.tell(trial, value)
        best = max(best, (value - default, made), key=lambda one: one[0])
        yield best


def opened(source: Source, data: Path, kept: Path) -> tuple[Workspace, str]:
    """The table's workspace, prepared the first time; and its metric."""
    frame, path = rows_of(source, data), data / source.path
    given = {"split": {"method": "column", "column": "split"}, "replicates": {"seed": 1}}
    params = task_params(path, frame, len(os.sched_getaffinity(0)), given)
    params = params.model_copy(update={"data": params.data.model_copy(update={"path": "table.csv"})})
    folder = kept / source.name.replace(" ", "-")
    done = folder / "prepared"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        prepared(folder, params, frame)
        done.touch()
    return Workspace.open(folder), main_metric(path.stem, params)


def gain_of(source: Source, data: Path, kept: Path, budget: int) -> dict[str, Any]:
    """One table after so many trials: promise and test score of both."""
    began = time.monotonic()
    workspace, metric = opened(source, data, kept)
    present = workspace.params
    material = Material(workspace, workspace, Design())
    drawn = split_molecules(material.curated, present.split)
    subsets = without(drawn, left_out(material.curated, workspace.not_featurized))
    test = partial(tested, workspace, subsets=subsets, replicates=TEST_REPLICATES)
    default = test(present)
    found = searched(workspace, None, Design(trials=budget, metric=metric))
    seconds = time.monotonic() - began
    winner = taken = present
    made = {"word": "none", "promised": 0.0, "fresh": 0.0, "fresh_low": 0.0, "fresh_high": 0.0}
    if found["verdict"] is not None:
        judged = found["verdict"]
        made = {"word": judged["word"], "promised": found["winner"]["gain"], "fresh": judged["gain"]}
        made |= {"fresh_low": judged["low"], "fresh_high": judged["high"]}
        winner = default_space(present).params(found["winner"]["values"])
        taken = winner if judged["word"] == "better" else present
    *_, (promised, plain) = plain_optuna(workspace, metric, budget)
    return {
        "table": source.name, "metric": metric, "budget": budget, "seconds": seconds,
        "beaten": found["design"]["beaten"], "replicates": found["design"]["replicates"],
        "default": sign_of(metric) * default.score(metric), **made,
        "taken": gained(test(taken), default, metric), "winner": gained(test(winner), default, metric),
        "plain_promised": promised, "plain": gained(test(plain), default, metric),
    }  # fmt: skip


def measured(
    sources: Sequence[Source], data: Path, kept: Path, budgets: Sequence[int], seconds: float
) -> Iterator[list[dict[str, Any]]]:
    """All rows so far, each time one is added; small budgets of all tables come first."""
    path, until = kept / "rows.jsonl", time.monotonic() + seconds
    kept.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
    yield rows
    for budget in budgets:
        for source in sources:
            if any(row["table"] == source.name and row["budget"] == budget for row in rows):
                continue
            if time.monotonic() > until:
                return
            rows.append(gain_of(source, data, kept, budget))
            with path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(rows[-1]) + "\n")
            yield rows


def section(rows: list[dict[str, Any]]) -> str:
    """The section of gains on test."""
    order = sorted(rows, key=lambda row: (row["table"], row["budget"]))
    cells = [
        [
            row["table"], row["metric"], f"{row['default']:.3f}", str(row["budget"]), WORDS[row["word"]],
            f"{row['promised']:+.3f}", _interval(row["fresh"], row["fresh_low"], row["fresh_high"]),
            _interval(**row["taken"]), _interval(**row["winner"]),
            f"{row['plain_promised']:+.3f}", _interval(**row["plain"]),
        ]
        for row in order
    ]  # fmt: skip
    heads = ["table", "metric", "defaults", "trials", "verdict", "promised by the search", "on fresh folds",
             "on test, by the verdict", "on test, its best trial whatever the verdict",
             "promised by plain Optuna", "on test, plain Optuna's best trial"]  # fmt: skip
    worse = {name: sum(row[name]["high"] < 0 for row in rows) for name in ("taken", "winner", "plain")}
    return (
        "## Tune: gains on test\n\nGains over the defaults, positive is better, in brackets 95 % intervals; "
        f"ensembles of {TEST_REPLICATES} on test rows that took no part in either search (`python -m "
        "benchmarks.tune gain`); the intervals on test are bootstraps over its molecules. By the verdict: "
        "the tuned settings where it says better, else the defaults (a gain of 0). Plain Optuna has the same "
        "space and trials. It scores each trial by one replicate on one held-out fifth of the training rows, "
        "so its trials cost less. Surely worse than the defaults on test, of "
        f"{len(rows)}: {worse['taken']} by the verdict, {worse['winner']} with the search's best trial, "
        f"{worse['plain']} with plain Optuna's. "
        f"Plain Optuna draws its first {RANDOM} trials at random over the space; the search changes a few "
        "keys of the defaults in each of its first ones. "
        + promises(rows)
        + _not_measured(rows)
        + "\n\n"
        + table(heads, cells)
    )


def _not_measured(rows: list[dict[str, Any]]) -> str:
    """Tables and budgets that are still to be run."""
    done = {(row["table"], row["budget"]) for row in rows}
    left = [
        f"{budget} trials on {' and '.join(names)}"
        for budget in BUDGETS
        if (names := [one.name for one in TABLES if (one.name, budget) not in done])
    ]
    return f" Not measured yet: {'; '.join(left)}." if left else ""


WORDS = {
    "better": "better", "undecided": "luck", "equivalent": "equivalent", "worse": "worse",
    "none": "none ahead",
}  # fmt: skip


def promises(rows: list[dict[str, Any]]) -> str:
    """How much of its promise each kept on test, by metric: units must not be mixed."""
    lines = []
    for metric in dict.fromkeys(row["metric"] for row in rows):
        own = [row for row in rows if row["metric"] == metric]
        means = {
            name: np.mean([row[name] if isinstance(row[name], float) else row[name]["gain"] for row in own])
            for name in ("promised", "fresh", "winner", "plain_promised", "plain")
        }
        lines.append(
            f"Mean gains in {metric}: the search promised {means['promised']:+.3f}, fresh folds said "
            f"{means['fresh']:+.3f}, test gave {means['winner']:+.3f}; plain Optuna promised "
            f"{means['plain_promised']:+.3f}, test gave {means['plain']:+.3f}."
        )
    return " ".join(lines)


def _interval(gain: float, low: float, high: float) -> str:
    """A gain with its interval; a plain 0 where nothing differs."""
    if low == high == gain == 0:
        return "0"
    return f"{gain:+.3f} ({low:+.3f} to {high:+.3f})"
