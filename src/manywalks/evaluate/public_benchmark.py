"""Public tables with a published split: train on the rows for it, score the test rows once.

A table has the columns `Drug` (SMILES), `Y` (0 and 1 alone: a class) and `split` (`test`, anything else is
trained on), as Therapeutics Data Commons serves its ADMET tasks. Rows to train on are curated; of the test
rows none is dropped or merged, since published scores are over all of them.
"""

import resource
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.data.curate import curate_table, standardize_smiles
from manywalks.evaluate.scores import auroc, classification_metrics, regression_metrics
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params, parse_params
from manywalks.params.split import SplitParams
from manywalks.split.split import split_molecules
from manywalks.tables.frame import read_table
from manywalks.train.engines import train_pack
from manywalks.train.prepare import Prepared, prepare

ENDPOINT = "Y"
Tell = Callable[[str], None]


class Published(NamedTuple):
    """A task's metric, and test scores reported on the TDC leaderboard, None where not known here."""

    metric: str
    morgan_mlp: float | None = None
    rdkit2d_mlp: float | None = None
    maplight: float | None = None
    best: float | None = None


PUBLISHED = {
    "caco2_wang": Published("mae", 0.908, 0.393, 0.276, 0.256),
    "lipophilicity_astrazeneca": Published("mae", 0.701, 0.574, 0.539, 0.456),
    "vdss_lombardo": Published("spearman", 0.493, 0.561, 0.707, 0.713),
    "clearance_microsome_az": Published("spearman", 0.492, 0.586, 0.626, 0.630),
    "pgp_broccatelli": Published("auroc", 0.880, 0.918, 0.930, 0.942),
    "ames": Published("auroc", 0.794, 0.823, 0.868, 0.883),
    "clearance_hepatocyte_az": Published("spearman"),
    "half_life_obach": Published("spearman"),
    **{f"cyp{name}_veith": Published("auprc") for name in ("2c9", "2d6", "3a4")},
    **{f"cyp{name}_substrate_carbonmangels": Published("auprc") for name in ("2c9", "2d6")},
}


class TaskScore(NamedTuple):
    """What the defaults reach on one task.

    Attributes:
        name: of the file, without its suffix.
        published: the metric, and what others reached.
        train, test: how many molecules.
        ensemble: score of the mean of all replicates, on the test rows.
        replicates: (m,) the replicates' own scores.
        seconds: wall clock, from reading the table to the scores.
    """

    name: str
    published: Published
    train: int
    test: int
    ensemble: float
    replicates: np.ndarray
    seconds: float


class Table(NamedTuple):
    """A task's rows: those to train on curated, then the test rows as published, and what those measured."""

    molecules: pd.DataFrame
    subsets: np.ndarray
    observed: np.ndarray


def run_folder(
    folder: Path, *, replicates: int, cores: int, settings: dict[str, Any] | None = None, tell: Tell = print
) -> list[TaskScore]:
    """Score every CSV of a folder with the defaults, one after another.

    `settings` are sections of params that stand in for the defaults; `tell` gets a line a task as it ends.
    """
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise ValueError(f"{folder}: holds no .csv; give the folder of the tasks")
    scores = []
    for path in paths:
        scores.append(run_task(path, replicates=replicates, cores=cores, settings=settings))
        tell(one_line(scores[-1]))
    return scores


def run_task(path: Path, *, replicates: int, cores: int, settings: dict[str, Any] | None = None) -> TaskScore:
    """Curate, featurize, train `replicates` replicates, and score the test rows.

    All other rows are trained on, unless `settings` ask for early stopping: it gets a valid subset by
    scaffold.
    """
    start = time.perf_counter()
    frame = read_table(path)
    params = task_params(path, frame, cores, settings)
    table = read_task(frame, params, cores)
    features = featurize(list(table.molecules["smiles"]), params.featurize.blocks, cores=cores)
    prepared = prepare(table.molecules, features, table.subsets, params)
    # what is predicted are the valid rows, if there are any, and behind them the test rows
    predictions = train_and_predict(prepared, replicates, cores)[:, -len(table.observed) :]
    published = published_of(path.stem, classes=bool(prepared.problem.targets.classes[0]))
    return TaskScore(
        name=path.stem,
        published=published,
        train=len(prepared.problem.train),
        test=len(table.observed),
        ensemble=score(published.metric, table.observed, predictions.mean(axis=0)),
        replicates=np.array(
            [score(published.metric, table.observed, replicate) for replicate in predictions]
        ),
        seconds=time.perf_counter() - start,
    )


def task_params(
    path: Path, frame: pd.DataFrame, cores: int, settings: dict[str, Any] | None = None
) -> Params:
    """The defaults, for a table of this form."""
    missing = {"Drug", ENDPOINT, "split"} - set(frame.columns)
    if missing:
        raise ValueError(f"{path}: no column {', '.join(sorted(missing))}; tasks have Drug, Y and split")
    values = _numbers(frame)
    kind = "classification" if np.isin(values[~np.isnan(values)], (0, 1)).all() else "regression"
    raw = {
        "data": {"path": path.name, "smiles": "Drug", "endpoints": {ENDPOINT: {"kind": kind}}},
        "orchestrate": {"cores": cores},
        **(settings or {}),
    }
    return parse_params(raw, source=str(path))


def read_task(frame: pd.DataFrame, params: Params, cores: int) -> Table:
    """Curate the rows to train on and put the test rows behind them, unmeasured."""
    is_test = (frame["split"] == "test").to_numpy()
    if not is_test.any() or is_test.all():
        raise ValueError(f"{params.data.path}: column split names no test row, or no other; tasks need both")
    known = curate_table(frame.iloc[np.flatnonzero(~is_test)].reset_index(drop=True), params).molecules
    test = frame.iloc[np.flatnonzero(is_test)]
    standard = standardize_smiles(list(test["Drug"]), params.curate, cores=cores)
    # a structure that curation would reject is still one of the published test rows
    smiles = [s.smiles or raw for s, raw in zip(standard, test["Drug"], strict=True)]
    unmeasured = pd.DataFrame(
        {"smiles": smiles, ENDPOINT: np.nan, f"{ENDPOINT}:weight": 0.0, f"{ENDPOINT}:relation": ""}
    )
    molecules = pd.concat([known.loc[:, list(unmeasured.columns)], unmeasured], ignore_index=True)
    subsets = np.array([*_subsets_of(known, params), *["test"] * len(test)])
    return Table(molecules, subsets, _numbers(test))


def _numbers(frame: pd.DataFrame) -> np.ndarray:
    """Measured values, float64 (n,); NaN where a cell holds none."""
    return np.array(pd.to_numeric(frame[ENDPOINT], errors="coerce"), dtype=np.float64)


def _subsets_of(known: pd.DataFrame, params: Params) -> list[str]:
    """Train, or valid for an eighth of the molecules by scaffold where training stops by it."""
    if params.train.early_stopping is None:
        return ["train"] * len(known)
    split = SplitParams.model_validate({"method": "scaffold", "test": 1 / 8, "valid": 0})
    return ["valid" if subset == "test" else "train" for subset in split_molecules(known, split)]


def train_and_predict(prepared: Prepared, replicates: int, cores: int) -> np.ndarray:
    """Train replicates with fresh entropy: predictions (m, n valid and test) in endpoint units."""
    done = train_pack(prepared.problem, range(replicates), secrets.randbits(128), threads=cores)
    kept = [replicate.predictions for replicate in done if not replicate.diverged]
    if not kept:
        raise ValueError("train: every replicate diverged; lower train.learning_rate")
    return prepared.transform.inverse(np.stack(kept))[..., 0]


def published_of(name: str, *, classes: bool) -> Published:
    """The task's metric and published scores; a task that is not known here has the usual metric."""
    return PUBLISHED.get(name, Published("auroc" if classes else "mae"))


def score(metric: str, observed: np.ndarray, predicted: np.ndarray) -> float:
    """One metric over the test rows (n,); NaN where it is not defined."""
    if metric == "auroc":
        value = auroc(observed == 1, predicted)
    elif metric == "auprc":
        value = classification_metrics(observed, predicted)["auprc"]
    else:
        value = regression_metrics(observed, predicted)[metric]
    return float("nan") if value is None else value


def one_line(task: TaskScore) -> str:
    """A task's outcome while the others still run."""
    return (
        f"{task.name}: {task.published.metric} {task.ensemble:.3f}, "
        f"single replicates {task.replicates.mean():.3f} "
        f"± {task.replicates.std(ddof=1):.3f}, {task.seconds:.0f} s"
    )


def header() -> list[str]:
    """Columns of `rows`."""
    return [
        "task", "metric", "train / test", "ensemble", "single replicates", "worst to best",
        "Morgan + MLP", "RDKit2D + MLP", "MapLight", "best published", "seconds",
    ]  # fmt: skip


def rows(scores: list[TaskScore]) -> list[list[str]]:
    """The table, a row a task; published scores as their authors rounded them."""
    return [_row(task) for task in scores]


def _row(task: TaskScore) -> list[str]:
    lower = task.published.metric == "mae"
    worst, best = (
        (task.replicates.max(), task.replicates.min())
        if lower
        else (task.replicates.min(), task.replicates.max())
    )
    others = [f"{value:.3f}" if value is not None else "" for value in task.published[1:]]
    return [
        task.name,
        f"{task.published.metric} {'↓' if lower else '↑'}",
        f"{task.train} / {task.test}",
        f"{task.ensemble:.3f}",
        f"{task.replicates.mean():.3f} ± {task.replicates.std(ddof=1):.3f}",
        f"{worst:.3f} to {best:.3f}",
        *others,
        f"{task.seconds:.0f}",
    ]


def peak_memory_mb() -> float:
    """The most memory that this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
