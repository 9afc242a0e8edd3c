"""Validity of `manywalks tune`, and what it gains on test beside plain Optuna that takes its best trial.

    python -m benchmarks.tune validity [--searches 100] [--seconds 3600]
    python -m benchmarks.tune gain [--data DIR] [--trials 10 30 60] [--seconds 14400]

Every search's outcome is kept in .manywalks/validity, so a run that was ended goes on where it was; with
--seconds no new search begins after so long.

Validity: samples of the solubility table, and a space in which nothing is better: ranges so narrow that no
value differs from another beyond the luck of replicates. A "better" is false.

Gain: each table's test rows take no part in the search or its verdict. Plain Optuna (TPE) is given the same
space and trials; each trial is one replicate on one validation split, and the best value wins.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import yaml

from benchmarks.compare import SOLUBILITY
from benchmarks.experiments import wilson
from benchmarks.results import table, write_section
from benchmarks.tasks import main_metric, task_params
from benchmarks.tune_tables import TABLES, Source, rows_of
from manywalks import files
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.load import Params, parse_params
from manywalks.params.render import render
from manywalks.replicates.combine import combine, combining_of
from manywalks.split.left_out import left_out, without
from manywalks.split.split import split_molecules
from manywalks.tasks import compare as train_splits
from manywalks.tasks import curate, featurize
from manywalks.tune import gains, search, splits, verdict
from manywalks.tune.design import Design
from manywalks.tune.history import History, suggest
from manywalks.tune.material import Material
from manywalks.tune.result import result
from manywalks.tune.running import run_here
from manywalks.tune.search import Search
from manywalks.tune.space.default_space import default_space
from manywalks.tune.space.reading import space_of
from manywalks.tune.verdict import Contest
from manywalks.workspace import Workspace

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
KEPT = Path(__file__).resolve().parent.parent / ".manywalks" / "validity"
# what decides an outcome: other code, and it is made again
CODE = (gains, search, splits, verdict)
MOLECULES = 200
SMALL = """
data: {path: table.csv, id: id, endpoints: {logS: {unit: log10 mol/L}}}
featurize: {blocks: [{kind: morgan_count, n_bits: 256}, {kind: physchem}]}
split: {method: random, test: 0.2, valid: 0}
network: {widths: [16], dropout: 0.1}
train: {epochs: 10, batch_size: 16}
"""
# no value of these differs from another by more than the luck of replicates
WITHOUT_EFFECT = {
    "network": {"dropout": {"low": 0.1, "high": 0.102}},
    "train": {
        "weight_decay": {"low": 1e-4, "high": 1.1e-4},
        "learning_rate": {"low": 1e-3, "high": 1.02e-3},
    },
}
TEST_REPLICATES = 16


def prepared(folder: Path, params: Params, rows: pd.DataFrame) -> Workspace:
    """A workspace with these molecules, curated and featurized."""
    rows.to_csv(folder / params.data.path, index=False)
    (folder / "params.yaml").write_text(render(params), encoding="utf-8")
    workspace = Workspace.open(folder)
    with _quiet(folder):
        curate.run(workspace)
        featurize.run(workspace)
    return workspace


@contextlib.contextmanager
def _quiet(folder: Path):
    """Work in a folder without progress on the screen."""
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(None),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        yield


def searched(workspace: Workspace, space: dict[str, Any] | None, design: Design) -> dict[str, Any]:
    """A search in this process, with its verdict: as tune.json has it."""
    params, train = workspace.params, lambda share: train_splits.run(workspace, *share.arguments[1:])
    asked = default_space(params) if space is None else space_of(space, params, "space")
    history = History(workspace.state / "tune/search-1", params.replicates.seed)
    with _quiet(workspace.root):
        made = Search(Material(workspace, workspace, design), asked, history)
        run_here(made, train)
        contest = Contest.of(made)
        for one in [] if contest is None else contest.shares(1):
            train(one)
        return result(made, None if contest is None else contest.result())


def without_effect(seed: int, trials: int) -> dict[str, Any]:
    """One search where nothing is better: its verdict, and what it promised."""
    rows = pd.read_csv(SOLUBILITY, dtype=str).sample(MOLECULES, random_state=seed)
    with tempfile.TemporaryDirectory() as folder:
        workspace = prepared(Path(folder), parse_params(yaml.safe_load(SMALL)), rows)
        found = searched(workspace, WITHOUT_EFFECT, Design(trials=trials, replicates=4))
    judged = found["verdict"]
    if judged is None:
        return {"word": "none", "promised": 0.0, "fresh": 0.0, "surely": False}
    sure = found["winner"]["low"] > 0
    return {
        "word": judged["word"], "promised": found["winner"]["gain"], "fresh": judged["gain"], "surely": sure,
    }  # fmt: skip


def kept(name: str, count: int, seconds: float, one: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """Outcomes 0 .. `count` - 1, or as many as there is time for; those that are kept are not made again."""
    code = "".join(files.md5_file(Path(str(module.__file__))) for module in CODE)
    path = KEPT / f"{files.sha256_bytes((name + code).encode())[:16]}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + seconds
    with path.open("a+", encoding="utf-8") as lines:
        lines.seek(0)
        found = [json.loads(line) for line in lines]
        for number in range(len(found), count):
            if time.monotonic() > until:
                break
            found.append(one(number))
            lines.write(json.dumps(found[-1]) + "\n")
            lines.flush()
            print(name, number, found[-1], flush=True)
    return found[:count]


def validity(searches: int, trials: int, seconds: float) -> str:
    """The section of false verdicts."""
    found = kept(f"no effect, {trials}", searches, seconds, lambda n: without_effect(n, trials))
    words, surely = [one["word"] for one in found], sum(one["surely"] for one in found)
    rows = [
        ["called better (false)", wilson(words.count("better"), len(found))],
        ["no better than luck", wilson(words.count("undecided"), len(found))],
        ["equivalent", wilson(words.count("equivalent"), len(found))],
        ["worse", wilson(words.count("worse"), len(found))],
        ["no trial ahead of the present settings", wilson(words.count("none"), len(found))],
        ["best trial ahead by the search's own interval", wilson(surely, len(found))],
        ["mean gain promised (log10 mol/L)", f"{np.mean([one['promised'] for one in found]):+.4f}"],
        ["mean gain on fresh folds", f"{np.mean([one['fresh'] for one in found]):+.4f}"],
    ]
    return (
        f"## Tune: verdicts where nothing is better\n\n{len(found)} searches of {trials} trials, each on "
        f"{MOLECULES} other molecules of the solubility table, in a space whose values all train the same "
        "network (`python -m benchmarks.tune validity`). In brackets 95 % intervals. "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}.\n\n"
        + table(["outcome", "searches"], rows)
    )


def test_score(workspace: Workspace, params: Params, metric: str) -> float:
    """The test score of an ensemble of TEST_REPLICATES, trained on all other rows."""
    material = Material(workspace, workspace, Design())
    curated, (name, endpoint) = material.curated, next(iter(params.data.endpoints.items()))
    drawn = split_molecules(curated, params.split)
    subsets = without(drawn, left_out(curated, workspace.not_featurized))
    with _quiet(workspace.root):
        for one in material.shares(params, [subsets], [0], TEST_REPLICATES):
            train_splits.run(workspace, *one.arguments[1:])
    replicates = material.kept(material.store(params), subsets).predictions[:TEST_REPLICATES, :, 0]
    rows = curated.loc[subsets == "test"]
    observed = rows[name].to_numpy(dtype=np.float64)
    known = np.isfinite(observed)
    predicted = combine(replicates, combining_of(endpoint.kind, params.ensemble))
    relation = rows[f"{name}:relation"].to_numpy(dtype=str)
    found = endpoint_metrics(
        observed[known], predicted[known], kind=endpoint.kind, relation=relation[known], threshold=0.5
    )
    return float(found[metric] or 0.0)


def plain_optuna(workspace: Workspace, metric: str, trials: int) -> list[tuple[float, Params]]:
    """The best value and its parameters after 0, 1 .. `trials` trials; the first are the defaults."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = default_space(workspace.params)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    best = [(single_score(workspace, workspace.params, metric), workspace.params)]
    for _ in range(trials):
        trial = study.ask()
        made = space.params(space.draw(partial(suggest, trial)))
        value = single_score(workspace, made, metric)
        study.tell(trial, value)
        best.append(max(best[-1], (value, made), key=lambda one: one[0]))
    return best


def single_score(workspace: Workspace, params: Params, metric: str) -> float:
    """One replicate on one validation split, more is better."""
    material = Material(workspace, workspace, Design(metric=metric))
    subsets, scores = material.splits.search[0], material.scores()[0]
    with _quiet(workspace.root):
        for one in material.shares(params, [subsets], [0], 2):
            train_splits.run(workspace, *one.arguments[1:])
    predictions = material.kept(material.store(params), subsets).predictions[:2]
    scores.add(0, 0, np.flatnonzero(subsets == "test"), predictions[:, :, 0])
    return float(scores.singles(0)[0][0])


def gain_of(source: Source, folder: Path, budgets: list[int]) -> dict[str, Any]:
    """One table: promise and test score of both, for every budget."""
    frame, path = rows_of(source, folder), folder / source.path
    given = {"split": {"method": "column", "column": "split"}}
    params = task_params(path, frame, len(os.sched_getaffinity(0)), given)
    metric = main_metric(path.stem, params)
    params = params.model_copy(update={"data": params.data.model_copy(update={"path": "table.csv"})})
    with tempfile.TemporaryDirectory() as place:
        workspace = prepared(Path(place), params, frame)
        sign = -1.0 if metric in ("mae", "rmse") else 1.0
        default = test_score(workspace, params, metric)
        plain = plain_optuna(workspace, metric, max(budgets))
        rows = []
        for budget in budgets:
            found = searched(workspace, None, Design(trials=budget, metric=metric))
            made = {"budget": budget, "word": "none", "promised": 0.0, "fresh": 0.0, "taken": default}
            if found["verdict"] is not None:
                made |= {"word": found["verdict"]["word"], "promised": found["winner"]["gain"]}
                made |= {"fresh": found["verdict"]["gain"]}
                tuned = default_space(params).params(found["winner"]["values"])
                made["winner"] = test_score(workspace, tuned, metric)
                made["taken"] = made["winner"] if made["word"] == "better" else default
            value, taken = plain[budget]
            made |= {"plain_promised": value - plain[0][0], "plain": test_score(workspace, taken, metric)}
            rows.append(made)
    return {"table": source.name, "metric": metric, "sign": sign, "default": default, "rows": rows}


def gain(folder: Path, budgets: list[int], seconds: float) -> str:
    """The section of gains on test."""
    found = kept(f"gain {budgets}", len(TABLES), seconds, lambda n: gain_of(TABLES[n], folder, budgets))
    lines = [
        [
            one["table"], one["metric"], str(row["budget"]), row["word"], f"{row['promised']:+.4f}",
            f"{row['fresh']:+.4f}", f"{one['sign'] * (row['taken'] - one['default']):+.4f}",
            f"{row['plain_promised']:+.4f}", f"{one['sign'] * (row['plain'] - one['default']):+.4f}",
        ]
        for one in found
        for row in one["rows"]
    ]  # fmt: skip
    heads = ["table", "metric", "trials", "verdict", "promised by the search", "on fresh folds",
             "on test, by the verdict", "promised by plain Optuna", "on test, its best trial"]  # fmt: skip
    return (
        "## Tune: gains on test\n\nGains over the defaults, positive is better; ensembles of "
        f"{TEST_REPLICATES} on test rows that took no part in either search "
        "(`python -m benchmarks.tune gain`). By the verdict: the tuned settings where it says better, "
        "else the defaults. Plain Optuna scores each trial by one replicate on one split and takes the "
        "best.\n\n" + table(heads, lines)
    )


def main() -> None:
    """Measure, print, write the sections."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", default=["validity", "gain"])
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--search-trials", type=int, default=10)
    parser.add_argument("--trials", type=int, nargs="+", default=[10, 30, 60])
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    if "validity" in asked.parts:
        write_section("tune", text := validity(asked.searches, asked.search_trials, asked.seconds))
        print(text, flush=True)
    if "gain" in asked.parts:
        write_section("tune-gain", text := gain(asked.data, sorted(asked.trials), asked.seconds))
        print(text, flush=True)


if __name__ == "__main__":
    main()
