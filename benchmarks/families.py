"""Mixes of families by scaffold cross-validation inside the rows to train on; never a test row.

    python -m benchmarks.families [--data DIR] [--replicates 6] [--tables caco2_wang,ames] [--keep DIR]

A family is the default network on other blocks. Each is trained once a fold; a mix is the mean of its
families' predictions (of probabilities for classes), and its score is that of the out-of-fold predictions of
all folds put together; "A+A+D" gives A twice the weight of D. "again" is the first family with other random
numbers: twice the replicates, and no other view. Networks on graphs are asked for by name, since each takes
minutes of a core a table: --families A D G.
"""

import argparse
import os
import secrets
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.accuracy import DATA, scaffold_folds
from benchmarks.results import table, write_section
from manywalks.data.curate import curate_table
from manywalks.data.sizes import slots_for
from manywalks.evaluate.scores import auroc
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.families import Family, families_of
from manywalks.params.sections.model import FeaturizeParams
from manywalks.replicates.statistics.mixing import in_endpoint_units
from manywalks.tables.frame import read_table
from manywalks.train.engines import train_pack
from manywalks.train.prepare import Prepared, prepare
from manywalks.train.problem import Pack


class View(NamedTuple):
    """A family: the blocks that it sees, its network, epochs for values and for classes, other training."""

    blocks: tuple[str, ...]
    network: Mapping[str, Any] = MappingProxyType({})
    epochs: tuple[int, int] | None = None
    train: Mapping[str, Any] = MappingProxyType({})


A = ("morgan_count", "morgan_feature_count", "erg", "rdkit2d", "ionization")
D = ("atom_pair_count", "torsion_count", "avalon_count", "rdkit2d", "ionization")
C = ("morgan_count", "morgan_feature_count", "erg", "atom_pair_count", "torsion_count", "avalon_count")
R = ("rdkit2d", "ionization")
SMALL = {"builder": "relational", "units": 64, "layers": 3, "widths": [256], "dropout": 0.2}
DENSE: dict[str, View] = {
    "A": View(A), "D": View(D), "C": View(C), "R": View(R), "AD": View((*C, *R)), "again": View(A),
}  # fmt: skip
# G: on the graph, descriptors beside the readout; g: on the graph alone, as in the preset `best`; P: directed
# message passing
GRAPHS: dict[str, View] = {
    "G": View(("graph", *R), SMALL, (40, 20)),
    "g": View(("graph",), SMALL, (40, 20), {"learning_rate": 0.003, "batch_size": 32, "warmup": 0.1}),
    "P": View(("graph", *R), {**SMALL, "builder": "dmpnn"}, (40, 20)),
}
FAMILIES = DENSE | GRAPHS
MIXES = (
    "A", "A+again", "AD", "D", "C", "R", "A+D", "A+A+D", "A+C", "A+D+C", "A+D+R", "A+D+R+C",
    "G", "g", "P", "A+G", "A+A+D+G", "A+A+D+G+G", "A+A+D+g", "A+A+D+P",
)  # fmt: skip


GRAPH_WORDS = (
    " G, g: the relational network of 64 units and 3 layers; P: the directed one of the same size; 40 "
    "epochs, 20 for classes."
)


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

    @property
    def classes(self) -> bool:
        """Whether all endpoints are classes."""
        return all(one.kind == "classification" for one in self.params.data.endpoints.values())

    @property
    def slots(self) -> int:
        """How many atoms a graph has room for, as `manywalks init` chooses it."""
        return slots_for(self.molecules["smiles"].tolist())


def read(source: Source, folder: Path, k: int) -> Table:
    """Curate the rows to train on and draw k scaffold folds."""
    frame = read_table(folder / source.path)
    if "split" in frame:
        frame = frame.loc[frame["split"] != "test"].reset_index(drop=True)
    params = params_of(source)
    molecules = curate_table(frame, params).molecules
    return Table(molecules, scaffold_folds(molecules, k), params)


def params_of(source: Source) -> Params:
    """The defaults, with a table's columns."""
    ends = {name: {"kind": source.kind, "column": column} for name, column in source.endpoints.items()}
    raw = {"data": {"path": source.path, "smiles": source.smiles, "endpoints": ends}}
    return parse_params(raw, source=source.path)


def family_of(table_: Table, view: View) -> Family:
    """A family as params.yaml would have it beside the dense one that takes what is too large for a graph."""
    raw = table_.params.model_dump(mode="json")
    raw["featurize"] = {"blocks": [block(kind, table_.slots) for kind in dict.fromkeys((*view.blocks, *R))]}
    raw["families"] = [written("own", view, classes=table_.classes), {"name": "dense", "blocks": R}]
    return families_of(parse_params(raw, source="benchmarks/families.py"))[0]


def written(name: str, view: View, *, classes: bool) -> dict[str, Any]:
    """A family as params.yaml has it; `classes`: whether all endpoints are classes."""
    epochs = {} if view.epochs is None else {"epochs": view.epochs[classes]}
    train = {**epochs, **view.train}
    return {"name": name, "blocks": view.blocks, "network": dict(view.network), "train": train}


def block(kind: str, slots: int) -> dict[str, Any]:
    """A block; molecules without room in a graph's `slots` are left to the other families."""
    return {"kind": kind, **({"max_atoms": slots} if kind == "graph" else {})}


def out_of_fold(table_: Table, features: Features, family: Family, asked: argparse.Namespace) -> np.ndarray:
    """The ensemble's predictions (n, t) of each molecule by the fold that left it out; NaN where none did."""
    found = np.full((len(table_.molecules), len(table_.params.data.endpoints)), np.nan)
    for fold, (_, valid) in enumerate(table_.folds):
        prepared = prepare_fold(table_, features, family, fold)
        pack = Pack(prepared.problem, range(asked.replicates), secrets.randbits(128), threads=asked.cores)
        done = train_pack(pack)
        kept = np.stack([prepared.values(one.predictions) for one in done if not one.diverged])
        found[valid] = in_endpoint_units(kept, prepared.transform.classes).mean(axis=0)
    return found


def prepare_fold(table_: Table, features: Features, family: Family, fold: int) -> Prepared:
    """What a family trains on and predicts in one fold."""
    subsets = np.full(len(table_.molecules), "", dtype="<U5")
    for name, rows in zip(("train", "valid"), table_.folds[fold], strict=True):
        subsets[rows] = name
    return prepare(table_.molecules, features, subsets, family)


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


def predictions(name: str, asked: argparse.Namespace) -> dict[str, np.ndarray]:
    """Out-of-fold predictions of every family asked for on one table; "observed" beside them."""
    kept = None if asked.keep is None else asked.keep / f"{name}.npz"
    found: dict[str, np.ndarray] = {}
    if kept is not None and kept.is_file():
        found = dict(np.load(kept))
    source = TABLES[name]
    table_ = read(source, asked.data, asked.folds)
    found["observed"] = table_.molecules[list(source.endpoints)].to_numpy(dtype=np.float64)
    missing = [family for family in asked.families if family not in found]
    if missing:
        kinds = dict.fromkeys(kind for family in missing for kind in FAMILIES[family].blocks)
        raw = {"blocks": [block(kind, table_.slots) for kind in kinds]}
        features = featurize(
            list(table_.molecules["smiles"]), FeaturizeParams.model_validate(raw).blocks, cores=asked.cores
        )
    for family in missing:
        found[family] = out_of_fold(table_, features, family_of(table_, FAMILIES[family]), asked)
        print(f"{name}: {family} {score(source.metric, found['observed'], found[family]):.4f}", flush=True)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, **found)  # pyright: ignore[reportArgumentType]
    return found


def column(name: str, mixes: list[str], asked: argparse.Namespace) -> dict[str, float]:
    """The score of every mix on one table; a molecule too large for a graph is left to the others."""
    found = predictions(name, asked)
    # by fold order some molecules have no prediction at all: NaN, and no warning
    with warnings.catch_warnings(category=RuntimeWarning, action="ignore"):
        means = {mix: np.nanmean([found[family] for family in mix.split("+")], axis=0) for mix in mixes}
    return {mix: score(TABLES[name].metric, found["observed"], mean) for mix, mean in means.items()}


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--replicates", type=int, default=6)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--families", nargs="+", default=list(DENSE), choices=list(FAMILIES))
    parser.add_argument("--keep", type=Path, default=None, help="folder for out-of-fold predictions")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    mixes = [mix for mix in MIXES if set(mix.split("+")) <= set(asked.families)]
    columns = {name: column(name, mixes, asked) for name in asked.tables.split(",")}
    lines = [[mix, *(f"{scores[mix]:.4f}" for scores in columns.values())] for mix in mixes]
    heads = ["mix", *(f"{name} {TABLES[name].metric}" for name in columns)]
    blocks = "; ".join(f"{family}: {', '.join(FAMILIES[family].blocks)}" for family in asked.families)
    graphs = not set(asked.families) <= set(DENSE)
    command = f"python -m benchmarks.families{' --families ' + ' '.join(asked.families) if graphs else ''}"
    text = (
        f"## Families{', graphs among them' if graphs else ''}\n\nOut-of-fold scores, {asked.folds} scaffold "
        f"folds inside the rows to train on, {asked.replicates} replicates a family and fold (`{command}`). "
        "Higher is better for spearman and auroc, lower for mae and rae (mean over endpoints of the mean "
        f"absolute error by the mean absolute deviation). {blocks}.{GRAPH_WORDS if graphs else ''}\n\n"
        + table(heads, lines)
    )
    print(text)
    write_section("families-graphs" if graphs else "families", text)


if __name__ == "__main__":
    main()
