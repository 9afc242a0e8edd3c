"""How skewed targets are scaled, and in which space replicates are averaged, by scaffold cross-validation.

    python -m benchmarks.targets [--data DIR] [--replicates 4] [--folds 5]

No test row is read. Beside tables that have only positive values there are some with zeros, as assays report
what they cannot measure: the lowest values of clearances and solubilities are set to 0.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.accuracy import DATA, scaffold_folds
from benchmarks.results import table, write_section
from benchmarks.tasks import ENDPOINT, predictions, task_params
from manywalks.benchmark.scores import score
from manywalks.data.curate import curate_table
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params
from manywalks.params.sections.families import Family
from manywalks.tables.frame import read_table
from manywalks.train.prepare import Transforms, fit, prepare
from manywalks.train.targets import TargetStep, TargetTransform

BIOGEN = "assay/biogen_adme_3521.csv"


class Source(NamedTuple):
    """Structures and values of one endpoint, in its unit."""

    name: str
    smiles: list[str]
    values: np.ndarray


def sources(folder: Path) -> Iterator[Source]:
    """The tables."""
    for name in ("vdss_lombardo", "clearance_microsome_az"):
        frame = read_table(folder / f"tdc/{name}.csv")
        frame = frame.loc[frame["split"] != "test"]
        values = np.array(pd.to_numeric(frame["Y"]))
        yield Source(name, list(frame["Drug"]), values)
        if name == "clearance_microsome_az":
            yield Source(f"{name}, zeros", list(frame["Drug"]), np.where(values > values.min(), values, 0))
    frame = read_table(folder / BIOGEN)
    for column in (4, 6, 9):
        logs = np.array(pd.to_numeric(frame.iloc[:, column], errors="coerce"), dtype=float)
        there = np.isfinite(logs)
        values, smiles = 10 ** logs[there], list(frame["SMILES"][there])
        name = str(frame.columns[column]).split("(")[0].strip().removeprefix("LOG ")
        yield Source(f"Biogen {name}", smiles, values)
        low = np.quantile(values, 0.05)
        yield Source(f"Biogen {name}, zeros", smiles, np.where(values > low, values, 0))
    frame = read_table(folder / "assay/chembl_raw_maoa_human_ic50.csv")
    exact = (frame["Standard Relation"].str.strip("'") == "=") & (frame["Standard Units"] == "nM")
    frame = frame.loc[exact]
    values = np.array(pd.to_numeric(frame["Standard Value"]), dtype=float)
    yield Source("MAO-A IC50", list(frame["Smiles"]), values)


def half_smallest(values: np.ndarray) -> float:
    """The former rule: half the smallest positive value, where there are zeros."""
    return 0.0 if values.min() > 0 else float(values[values > 0].min()) / 2


def symmetric(values: np.ndarray) -> float:
    """The offset that leaves the train values most symmetric."""
    least = values[values > 0].min()
    offsets = [*([0.0] if values.min() > 0 else []), *np.geomspace(least / 2, np.quantile(values, 0.9), 40)]
    return float(min(offsets, key=lambda c: abs(stats.skew(np.log10(values + c)))))


def symmetric_with_zeros(values: np.ndarray) -> float:
    """The same, only where there are zeros."""
    return symmetric(values) if values.min() <= 0 else 0.0


RULES = {
    "half the smallest": (half_smallest, np.inf),
    "half the smallest, clipped": (half_smallest, 3.0),
    "symmetric": (symmetric, np.inf),
    "symmetric, clipped": (symmetric, 3.0),
    "symmetric if zeros, clipped": (symmetric_with_zeros, 3.0),
}


def measure(source: Source, replicates: int, k: int, cores: int) -> list[list[str]]:
    """Each rule and each way of averaging: Spearman, relative error in the unit and in log10(value + 1)."""
    rows = pd.DataFrame({"Drug": source.smiles, ENDPOINT: source.values.astype(str), "split": "train_val"})
    params = task_params(Path(source.name), rows, cores)
    molecules = curate_table(rows, params).molecules
    folds = scaffold_folds(molecules, k)
    features = featurize(list(molecules["smiles"]), params.featurize.blocks, cores=cores)
    observed = molecules[ENDPOINT].to_numpy(dtype=np.float64)
    lines, done = [], {}
    for name, (offset_of, clip) in RULES.items():
        found = {way: np.full(len(observed), np.nan) for way in ("unit", "log")}
        chosen = []
        for train, valid in folds:
            subsets = np.full(len(molecules), "", dtype="<U5")
            subsets[train], subsets[valid] = "train", "valid"
            step = log_step(observed[train], offset_of(observed[train]))
            chosen.append(step.offset)
            key = (
                tuple(train),
                step.offset,
                clip if np.abs(step.forward(observed[train])).max() > clip else 0,
            )
            if key not in done:
                done[key] = fold(molecules, features, subsets, params, step, clip, replicates, cores)
            predicted = done[key]
            found["unit"][valid] = predicted.mean(axis=0)
            logs = np.log10(np.maximum(predicted + step.offset, 1e-30)).mean(axis=0)
            found["log"][valid] = np.maximum(10**logs - step.offset, 0)
        for way, values in found.items():
            left = np.isfinite(values)
            y, f = observed[left], values[left]
            lines.append([
                source.name, name, way, f"{np.median(chosen):.3g}", f"{score('spearman', y, f):.4f}",
                f"{score('rae', y, f):.4f}", f"{score('rae', np.log10(y + 1), np.log10(f + 1)):.4f}",
            ])  # fmt: skip
            print(*lines[-1], sep=" | ", flush=True)
    return lines


def log_step(values: np.ndarray, offset: float) -> TargetStep:
    """The logarithm with this offset, fitted on train values (n,)."""
    logs = np.log10(values + offset)
    return TargetStep(ENDPOINT, "log", float(logs.mean()), float(logs.std()), offset)


def fold(molecules, features, subsets, params: Params, step, clip, replicates, cores) -> np.ndarray:
    """Predictions (m, valid rows) of replicates trained on values that are clipped in network space."""
    fitted = fit(molecules, features, subsets, params)
    prepared = prepare(
        molecules, features, subsets, Family("", params), Transforms(fitted.scaler, TargetTransform((step,)))
    )
    np.clip(prepared.problem.targets.values, -clip, clip, out=prepared.problem.targets.values)
    return np.maximum(predictions([prepared], replicates, cores), 0)


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--replicates", type=int, default=4)
    parser.add_argument("--folds", type=int, default=5)
    asked = parser.parse_args()
    cores, lines = len(os.sched_getaffinity(0)), []
    for source in sources(asked.data):
        lines += measure(source, asked.replicates, asked.folds, cores)
        titles = [
            "table",
            "offset",
            "averaged in",
            "median offset",
            "Spearman ↑",
            "RAE ↓",
            "RAE of log10(value + 1) ↓",
        ]
        write_section(
            "targets",
            f"## Skewed targets\n\n{asked.folds} scaffold folds, ensembles of {asked.replicates} "
            f"(`python -m benchmarks.targets`).\n\n{table(titles, lines)}",
        )


if __name__ == "__main__":
    main()
