"""Mixes of families by scaffold cross-validation inside the rows to train on; never a test row.

    python -m benchmarks.families [--data DIR] [--replicates 6] [--tables caco2_wang,ames] [--keep DIR]

A family is the default network on other blocks. Each is trained once a fold; a mix is the mean of its
families' predictions (of probabilities for classes), and its score is that of the out-of-fold predictions of
all folds put together; "A+A+D" gives A twice the weight of D. "again" is the first family with other random
numbers: twice the replicates, and no other view.
"""

import argparse
import os
import secrets
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.accuracy import DATA, scaffold_folds
from benchmarks.results import table, write_section
from manywalks.data.curate import curate_table
from manywalks.evaluate.scores import auroc
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.families import Family
from manywalks.tables.frame import read_table
from manywalks.train.engines import train_pack
from manywalks.train.prepare import prepare

FAMILIES: dict[str, tuple[str, ...]] = {
    "A": ("morgan_count", "morgan_feature_count", "erg", "rdkit2d", "ionization"),
    "D": ("atom_pair_count", "torsion_count", "avalon_count", "rdkit2d", "ionization"),
    "C": ("morgan_count", "morgan_feature_count", "erg", "atom_pair_count", "torsion_count", "avalon_count"),
    "R": ("rdkit2d", "ionization"),
    "AD": (
        "morgan_count", "morgan_feature_count", "erg", "atom_pair_count", "torsion_count", "avalon_count",
        "rdkit2d", "ionization",
    ),
    "again": ("morgan_count", "morgan_feature_count", "erg", "rdkit2d", "ionization"),
}  # fmt: skip
MIXES = ("A", "A+again", "AD", "D", "C", "R", "A+D", "A+A+D", "A+C", "A+D+C", "A+D+R", "A+D+R+C")


class Source(NamedTuple):
    """A table: its file below the data folder, SMILES column, endpoints with their column, and metric."""

    path: str
    smiles: str
    endpoints: dict[str, str]
    kind: str
    metric: str


BIOGEN = {
    "hlm": "LOG HLM_CLint (mL/min/kg)",
    "mdr1": "LOG MDR1-MDCK ER (B-A/A-B)",
    "solubility": "LOG SOLUBILITY PH 6.8 (ug/mL)",
    "hppb": "LOG PLASMA PROTEIN BINDING (HUMAN) (% unbound)",
    "rppb": "LOG PLASMA PROTEIN BINDING (RAT) (% unbound)",
    "rlm": "LOG RLM_CLint (mL/min/kg)",
}
TABLES = {
    "caco2_wang": Source("tdc/caco2_wang.csv", "Drug", {"Y": "Y"}, "regression", "mae"),
    "clearance_microsome_az": Source(
        "tdc/clearance_microsome_az.csv", "Drug", {"Y": "Y"}, "regression", "spearman"
    ),
    "vdss_lombardo": Source("tdc/vdss_lombardo.csv", "Drug", {"Y": "Y"}, "regression", "spearman"),
    "pgp_broccatelli": Source("tdc/pgp_broccatelli.csv", "Drug", {"Y": "Y"}, "classification", "auroc"),
    "lipophilicity_astrazeneca": Source(
        "tdc/lipophilicity_astrazeneca.csv", "Drug", {"Y": "Y"}, "regression", "mae"
    ),
    "ames": Source("tdc/ames.csv", "Drug", {"Y": "Y"}, "classification", "auroc"),
    "biogen": Source("assay/biogen_adme_3521.csv", "SMILES", BIOGEN, "regression", "rae"),
}  # fmt: skip


class Table(NamedTuple):
    """A curated table's rows to train on, its folds, and its parameters."""

    molecules: pd.DataFrame
    folds: list[tuple[np.ndarray, np.ndarray]]
    params: Params


def read(source: Source, folder: Path, k: int) -> Table:
    """Curate the rows to train on and draw k scaffold folds."""
    frame = read_table(folder / source.path)
    if "split" in frame:
        frame = frame.loc[frame["split"] != "test"].reset_index(drop=True)
    ends = {name: {"kind": source.kind, "column": column} for name, column in source.endpoints.items()}
    raw = {"data": {"path": source.path, "smiles": source.smiles, "endpoints": ends}}
    params = parse_params(raw, source=source.path)
    molecules = curate_table(frame, params).molecules
    return Table(molecules, scaffold_folds(molecules, k), params)


def with_blocks(params: Params, kinds: tuple[str, ...]) -> Params:
    """The defaults with these blocks."""
    raw = params.model_dump(mode="json")
    raw["featurize"] = {"blocks": [{"kind": kind} for kind in kinds]}
    return parse_params(raw, source="benchmarks/families.py")


def chosen(features: Features, wanted: Features) -> Features:
    """The columns of `features` that `wanted` names."""
    places = {name: place for place, name in enumerate(features.names)}
    first = features.width - features.dense.shape[1]
    columns = np.array([places[name] for name in wanted.names])
    counts, dense = columns[columns < first], columns[columns >= first] - first
    return Features(features.counts[:, counts], features.dense[:, dense], wanted.names)


def out_of_fold(table_: Table, features: Features, params: Params, replicates: int, cores: int) -> np.ndarray:
    """The ensemble's predictions (n, t) of each molecule by the fold that left it out; NaN where none did."""
    found = np.full((len(table_.molecules), len(params.data.endpoints)), np.nan)
    for train, valid in table_.folds:
        subsets = np.full(len(table_.molecules), "", dtype="<U5")
        subsets[train], subsets[valid] = "train", "valid"
        problem, _, transform = prepare(table_.molecules, features, subsets, Family("", params))
        done = train_pack(problem, range(replicates), secrets.randbits(128), threads=cores)
        kept = [one.predictions for one in done if not one.diverged]
        found[valid] = transform.inverse(np.stack(kept).astype(np.float64)).mean(axis=0)
    return found


def score(metric: str, observed: np.ndarray, predicted: np.ndarray) -> float:
    """One score over the molecules (n, t) that have values and predictions; the mean over endpoints."""
    scores = []
    for y, f in zip(observed.T, predicted.T, strict=True):
        there = np.isfinite(y) & np.isfinite(f)
        y, f = y[there], f[there]
        if metric == "auroc":
            scores.append(auroc(y == 1, f))
        elif metric == "spearman":
            scores.append(stats.spearmanr(y, f)[0])
        else:
            error = np.abs(y - f).mean()
            scores.append(error if metric == "mae" else error / np.abs(y - y.mean()).mean())
    return float(np.mean(scores))


def families_of(name: str, asked: argparse.Namespace) -> dict[str, np.ndarray]:
    """Out-of-fold predictions of every family on one table, kept where asked; "observed" beside them."""
    kept = None if asked.keep is None else asked.keep / f"{name}.npz"
    found: dict[str, np.ndarray] = {}
    if kept is not None and kept.is_file():
        found = dict(np.load(kept))
    cores, source = len(os.sched_getaffinity(0)), TABLES[name]
    read_one = read(source, asked.data, asked.folds)
    found["observed"] = read_one.molecules[list(source.endpoints)].to_numpy(dtype=np.float64)
    smiles = list(read_one.molecules["smiles"])
    every = tuple(dict.fromkeys(kind for kinds in FAMILIES.values() for kind in kinds))
    missing = {family: kinds for family, kinds in FAMILIES.items() if family not in found}
    if missing:
        features = featurize(smiles, with_blocks(read_one.params, every).featurize.blocks, cores=cores)
    for family, kinds in missing.items():
        params = with_blocks(read_one.params, kinds)
        own = chosen(features, featurize(smiles[:1], params.featurize.blocks))
        found[family] = out_of_fold(read_one, own, params, asked.replicates, cores)
        print(f"{name}: {family} {score(source.metric, found['observed'], found[family]):.4f}", flush=True)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, **found)  # pyright: ignore[reportArgumentType]
    return found


def column(name: str, asked: argparse.Namespace) -> dict[str, float]:
    """The score of every mix on one table."""
    found = families_of(name, asked)
    return {
        mix: score(
            TABLES[name].metric,
            found["observed"],
            np.mean([found[family] for family in mix.split("+")], axis=0),
        )
        for mix in MIXES
    }


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--replicates", type=int, default=6)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--keep", type=Path, default=None, help="folder for out-of-fold predictions")
    asked = parser.parse_args()
    columns: dict[str, dict[str, Any]] = {name: column(name, asked) for name in asked.tables.split(",")}
    lines = [[mix, *(f"{column[mix]:.4f}" for column in columns.values())] for mix in MIXES]
    heads = ["mix", *(f"{name} {TABLES[name].metric}" for name in columns)]
    blocks = "; ".join(f"{family}: {', '.join(kinds)}" for family, kinds in FAMILIES.items())
    text = (
        f"## Families\n\nOut-of-fold scores, {asked.folds} scaffold folds inside the rows to train on, "
        f"{asked.replicates} replicates a family and fold (`python -m benchmarks.families`). Higher is "
        f"better for spearman and auroc, lower for mae and rae (mean over endpoints of the mean absolute "
        f"error by the mean absolute deviation). {blocks}.\n\n{table(heads, lines)}"
    )
    print(text)
    write_section("families", text)


if __name__ == "__main__":
    main()
