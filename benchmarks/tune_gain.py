"""What a search gains on test, beside plain Optuna that takes its best trial: `benchmarks.tune gain`.

Each table's test rows take no part in the search or its verdict. One search is judged after each budget of
trials, as `tune --continue` would go on with it. Plain Optuna (TPE) has the same space and as many trials;
each trial is one replicate on one held-out fifth of the training rows, and the best value wins. It trains so
little that it is repeated with other seeds: one run of it says what luck gave.

Each search starts at the defaults, or at weaker settings (`WEAK`), where there is something to find.

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

from benchmarks.tasks import main_metric, task_params
from benchmarks.tune_tables import Source, rows_of
from benchmarks.tune_where import on_test, where
from benchmarks.workspaces import prepared, quiet, searched
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.load import Params
from manywalks.params.render import render
from manywalks.replicates.combine import combine, combining_of
from manywalks.split.left_out import left_out, without
from manywalks.split.split import folds, split_molecules
from manywalks.tasks import compare as train_splits
from manywalks.tune.design import FEW, Design
from manywalks.tune.gains import joint_scores
from manywalks.tune.history import suggest
from manywalks.tune.material import Material
from manywalks.tune.space.default_space import default_sections, default_space
from manywalks.tune.space.reading import space_of
from manywalks.tune.space.space import Space
from manywalks.workspace import Workspace

TEST_REPLICATES = 16
BUDGETS = (10, 30, 60)
HOLDOUT = 5
# runs of plain Optuna, each with its own seed
RUNS = 5
# settings that somebody might begin with: circular fingerprints alone and a small network. The space is that
# of the defaults, whatever a search starts from
WEAK: dict[str, Any] = {
    "featurize.blocks.rdkit2d.use": False,
    "featurize.blocks.ionization.use": False,
    "featurize.blocks.erg.use": False,
    "families.paths.use": False,
    "network.widths": [64],
    "network.dropout": 0.1,
    "train.learning_rate": 3e-4,
}
STARTS: dict[str, dict[str, Any]] = {"defaults": {}, "weak": WEAK}


class Opened(NamedTuple):
    """A table with the settings that its search starts from.

    Attributes:
        workspace: features of all blocks of the space; its parameters are the present ones.
        metric: the score that decides.
        space, sections: what is searched, also as space.yaml would have it.
    """

    workspace: Workspace
    metric: str
    space: Space
    sections: dict[str, Any]


def sign_of(metric: str) -> float:
    """1 where more is better, -1 where less is."""
    return -1.0 if metric in ("mae", "rmse") else 1.0


def predicted(material: Material, params: Params, subsets: np.ndarray, replicates: int) -> np.ndarray:
    """Replicates trained on a split, at its test rows: (m, n, 1)."""
    workspace = material.workspace
    with quiet(workspace.root):
        for one in material.shares(params, [subsets], [0], replicates):
            train_splits.run(workspace, *one.arguments[1:])
    return material.kept(material.store(params), subsets).predictions[:replicates]


def score(material: Material, subsets: np.ndarray, replicates: np.ndarray) -> float:
    """The score of the ensemble of (m, n, 1) replicates on the split's test rows, more is better."""
    (name, endpoint), *_ = material.present.data.endpoints.items()
    rows, metric = material.curated.loc[subsets == "test"], str(material.design.metric)
    found = endpoint_metrics(
        rows[name].to_numpy(np.float64),
        combine(replicates[:, :, 0], combining_of(endpoint.kind, material.present.ensemble)),
        kind=endpoint.kind,
        relation=rows[f"{name}:relation"].to_numpy(str),
    )
    return sign_of(metric) * float(found[metric] or 0.0)


def plain_optuna(opened: Opened, trials: int, seed: int) -> Iterator[tuple[float, Params]]:
    """The best gain so far over the present settings and its parameters, after 0, 1 .. `trials` trials."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    workspace, present = opened.workspace, opened.workspace.params
    material = Material(workspace, workspace, Design(metric=opened.metric))
    out = left_out(material.curated, workspace.not_featurized)
    subsets = without(folds(material.curated, present.split, 1, HOLDOUT)[0], out)

    def value_of(params: Params) -> float:
        return score(material, subsets, predicted(material, params, subsets, 1))

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    default = value_of(present)
    best = (0.0, present)
    yield best
    for _ in range(trials):
        trial = study.ask()
        made = opened.space.params(opened.space.draw(partial(suggest, trial)))
        value = value_of(made)
        study.tell(trial, value)
        best = max(best, (value - default, made), key=lambda one: one[0])
        yield best


def opened_for(source: Source, start: str, data: Path, kept: Path) -> Opened:
    """The table's workspace, prepared the first time, with the settings that a search starts from."""
    frame, path = rows_of(source, data), data / source.path
    given = {"split": {"method": "column", "column": "split"}, "replicates": {"seed": 1}}
    params = task_params(path, frame, len(os.sched_getaffinity(0)), given)
    params = params.model_copy(update={"data": params.data.model_copy(update={"path": "table.csv"})})
    space = default_space(params)
    present = space.params({**(space.present_values(params) or {}), **STARTS[start]})
    folder = kept / f"{source.name.replace(' ', '-')}-{start}"
    done = folder / "prepared"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        prepared(folder, params, frame)  # features of all blocks, those of the defaults
        if STARTS[start]:
            (folder / "params.yaml").write_text(render(present), encoding="utf-8")
        done.touch()
    sections = default_sections(params)
    workspace = Workspace.open(folder)
    return Opened(
        workspace, main_metric(path.stem, params), space_of(sections, workspace.params, "space"), sections
    )


def gain_of(source: Source, start: str, data: Path, kept: Path, budget: int) -> dict[str, Any]:
    """One table after so many trials: promise and test score of both."""
    began = time.monotonic()
    opened = opened_for(source, start, data, kept)
    workspace, metric, present = opened.workspace, opened.metric, opened.workspace.params
    material = Material(workspace, workspace, Design(metric=metric))
    drawn = split_molecules(material.curated, present.split)
    subsets = without(drawn, left_out(material.curated, workspace.not_featurized))
    test = partial(predicted, material, subsets=subsets, replicates=TEST_REPLICATES)
    before, rows = test(present), np.flatnonzero(subsets == "test")

    def gained(params: Params) -> dict[str, float]:
        if params == present:
            return {"gain": 0.0, "low": 0.0, "high": 0.0}
        return on_test(material, (test(params), before), rows)

    found = searched(workspace, opened.sections, Design(trials=budget, metric=metric))
    seconds, verdict = time.monotonic() - began, found["verdict"]
    winner, made = (
        present,
        {"word": "none", "promised": 0.0, "fresh": 0.0, "fresh_low": 0.0, "fresh_high": 0.0},
    )
    if verdict is not None:
        made = {"word": verdict["word"], "promised": found["winner"]["gain"], "fresh": verdict["gain"]}
        made |= {"fresh_low": verdict["low"], "fresh_high": verdict["high"]}
        winner = opened.space.params(found["winner"]["values"])
        made["where"] = where(material, winner)
    plain = []
    for seed in range(RUNS):
        *_, (promised, best) = plain_optuna(opened, budget, seed)
        plain.append({"promised": promised, "seen": seen_by_search(material, best), **gained(best)})
    won = gained(winner)
    return {
        "table": source.name, "start": start, "metric": metric, "budget": budget, "seconds": seconds,
        "beaten": found["design"]["beaten"], "replicates": found["design"]["replicates"],
        "judged": 0 if verdict is None else 2 * verdict["folds"] * verdict["replicates"],
        "present": sign_of(metric) * score(material, subsets, before), **made,
        "taken": won if made["word"] == "better" else gained(present), "winner": won, "plain": plain,
    }  # fmt: skip


def seen_by_search(material: Material, params: Params) -> float:
    """The gain of some settings on the splits of the search, with as many replicates as its trials have."""
    splits, scores, workspace = material.splits.search, material.scores(), material.workspace
    numbers = list(range(len(splits)))
    with quiet(workspace.root):
        for configuration, own in enumerate((material.present, params)):
            for one in material.shares(own, splits, numbers, FEW):
                train_splits.run(workspace, *one.arguments[1:])
            material.add(scores, configuration, own, (splits, numbers, FEW))
    by_split = joint_scores(scores, [1.0])
    return float(np.mean([by_split[1][split].value - by_split[0][split].value for split in numbers]))


def measured(
    asked: Sequence[tuple[Source, str, int]], data: Path, kept: Path, seconds: float
) -> Iterator[list[dict[str, Any]]]:
    """All rows so far, each time one of (table, start, budget) is added."""
    path, until = kept / "rows.jsonl", time.monotonic() + seconds
    kept.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
    yield rows
    for source, start, budget in asked:
        if any((row["table"], row["start"], row["budget"]) == (source.name, start, budget) for row in rows):
            continue
        if time.monotonic() > until:
            return
        rows.append(gain_of(source, start, data, kept, budget))
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(rows[-1]) + "\n")
        yield rows
