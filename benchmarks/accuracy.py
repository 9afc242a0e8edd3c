"""Recipes beside each other by scaffold cross-validation inside the rows to train on; never a test row.

    python -m benchmarks.accuracy [--data DIR] [--replicates 4] [--folds 5] [--tasks caco2_wang,ames]

benchmarks/accuracy.md has the protocol. Each recipe is what differs from the defaults in params.yaml.
"""

import argparse
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.results import table, write_section
from benchmarks.tasks import ENDPOINT, main_metric, predictions, task_params
from manywalks.benchmark.scores import score
from manywalks.data.curate import curate_table
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params
from manywalks.replicates.statistics.mixing import Mixing
from manywalks.split.clusters import scaffolds
from manywalks.tables.frame import read_table
from manywalks.train.prepare import prepare_families

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))


def blocks(*kinds: str) -> dict[str, Any]:
    """The featurize section of these blocks."""
    return {"featurize": {"blocks": [{"kind": kind} for kind in kinds]}}


RECIPES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "no ionization": blocks("morgan_count", "morgan_feature_count", "erg", "rdkit2d"),
    "Avalon too": blocks(
        "morgan_count", "morgan_feature_count", "avalon_count", "erg", "rdkit2d", "ionization"
    ),
    "Avalon, no feature Morgan": blocks("morgan_count", "avalon_count", "erg", "rdkit2d", "ionization"),
    "binary counts": {"transform": {"counts": "binary"}},
    "counts times 1": {"transform": {"count_scale": 1.0}},
    "counts times 2": {"transform": {"count_scale": 2.0}},
    "counts times 0.25": {"transform": {"count_scale": 0.25}},
    "standard descriptors": {"transform": {"descriptors": "standard"}},
    "SiLU": {"network": {"activation": "silu"}},
    "no normalization": {"network": {"normalization": "none"}},
    "widths 512, 256, dropout 0.5": {"network": {"widths": [512, 256], "dropout": 0.5}},
    "dropout 0.5": {"network": {"dropout": 0.5}},
    "100 epochs": {"train": {"epochs": 100}},
    "batch 32": {"train": {"batch_size": 32}},
    "L2 1e-4": {"train": {"l2": 1e-4}},
    "squared loss": {"train": {"loss": "mse"}},
}


class Task(NamedTuple):
    """The curated rows to train on, and the folds as pairs of row indices (train, left out)."""

    name: str
    metric: str
    molecules: pd.DataFrame
    folds: list[tuple[np.ndarray, np.ndarray]]


def read(path: Path, k: int, cores: int) -> Task:
    """Curate a task's rows to train on and draw k folds."""
    frame = read_table(path)
    params = task_params(path, frame, cores)
    known = frame.loc[frame["split"] != "test"].reset_index(drop=True)
    molecules = curate_table(known, params).molecules
    return Task(path.stem, main_metric(path.stem, params), molecules, scaffold_folds(molecules, k))


def scaffold_folds(molecules: pd.DataFrame, k: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """k folds (train rows, valid rows) over whole scaffolds; those above half a fold always train."""
    _, group, size = np.unique(scaffolds(list(molecules["smiles"])), return_inverse=True, return_counts=True)
    small = np.flatnonzero(size <= len(molecules) / k / 2)
    fold, filled = np.full(len(size), -1), np.zeros(k)
    for one in np.random.default_rng(0).permutation(small):
        fold[one] = np.argmin(filled)
        filled[fold[one]] += size[one]
    return [(np.flatnonzero(fold[group] != f), np.flatnonzero(fold[group] == f)) for f in range(k)]


def evaluate(task: Task, features: Features, params: Params, replicates: int, cores: int) -> float:
    """The mean over folds of the ensemble's score on the rows that the fold leaves out."""
    scores = []
    for train, valid in task.folds:
        subsets = np.full(len(task.molecules), "", dtype="<U5")
        subsets[train], subsets[valid] = "train", "valid"
        prepared = prepare_families(task.molecules, features, subsets, params)
        predicted = predictions(prepared, replicates, cores, Mixing.of(params)).mean(axis=0)
        observed = np.array(task.molecules[ENDPOINT], dtype=np.float64)[valid]
        scores.append(score(task.metric, observed, predicted))
    return float(np.mean(scores))


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA / "tdc")
    parser.add_argument("--replicates", type=int, default=4)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--tasks", default="")
    asked = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    wanted = asked.tasks.split(",") if asked.tasks else [path.stem for path in asked.data.glob("*.csv")]
    columns = {name: column(asked.data / f"{name}.csv", asked, cores) for name in sorted(wanted)}
    lines = [[recipe, *(f"{column[recipe]:.4f}" for column in columns.values())] for recipe in RECIPES]
    text = (
        f"## Recipes by cross-validation\n\nInside the rows to train on: {asked.folds} scaffold folds, "
        f"ensembles of {asked.replicates} (`python -m benchmarks.accuracy`).\n\n"
        + table(["recipe", *columns], lines)
    )
    print(text)
    write_section("recipes", text)


def column(path: Path, asked: argparse.Namespace, cores: int) -> dict[str, float]:
    """The score of every recipe on one task."""
    task = read(path, asked.folds, cores)
    frame, made, found = read_table(path), {}, {}
    for recipe, settings in RECIPES.items():
        params = task_params(path, frame, cores, settings)
        key = params.featurize.blocks
        if key not in made:
            made[key] = featurize(list(task.molecules["smiles"]), key, cores=cores)
        found[recipe] = evaluate(task, made[key], params, asked.replicates, cores)
        print(f"{task.name}: {recipe}: {task.metric} {found[recipe]:.4f}", flush=True)
    return found


if __name__ == "__main__":
    main()
