"""What benchmarks/graph_tuning.py trains on, made once: tables, features, the dense families' predictions.

A machine with an accelerator then has no molecule to read, and no dense network to train.
"""

import argparse
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.families import (
    FAMILIES,
    TABLES,
    Source,
    Table,
    block,
    family_of,
    out_of_fold,
    params_of,
    read,
)
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.files import read_npz, write_npz
from manywalks.params.sections.model import FeaturizeParams

# the endpoints of Tox21's challenge
TOX21 = (
    "NR-AR", "NR-AR-LBD", "NR-AhR", "NR-Aromatase", "NR-ER", "NR-ER-LBD", "NR-PPAR-gamma",
    "SR-ARE", "SR-ATAD5", "SR-HSE", "SR-MMP", "SR-p53",
)  # fmt: skip
# beside the tables of benchmarks/families.py
MORE = {
    "tox21": Source(
        "assay/tox21.csv",
        "smiles",
        {name.replace("-", "_"): name for name in TOX21},
        "classification",
        "auroc",
    ),
    "maoa": Source(
        "assay/chembl_raw_maoa_human_ic50.csv", "Smiles", {"pIC50": "pChEMBL Value"}, "regression", "mae"
    ),
}
ALL = {**TABLES, **MORE}
DENSE = ("A", "D")
FOLD = "fold"


class Material(NamedTuple):
    """Of one table.

    Attributes:
        table: its rows to train on, and their folds.
        features: graph and descriptors of these rows, raw.
        dense: out-of-fold predictions (n, t) of the dense families, by name.
    """

    table: Table
    features: Features
    dense: dict[str, np.ndarray]

    def observed(self, name: str) -> np.ndarray:
        """The measured values (n, t); NaN where there are none."""
        return self.table.molecules[list(ALL[name].endpoints)].to_numpy(dtype=np.float64)


def make(name: str, folder: Path, asked: argparse.Namespace) -> None:
    """Featurize a table, train the dense families, and keep both."""
    table = read(ALL[name], asked.data, asked.folds)
    kinds = dict.fromkeys(kind for family in (*DENSE, "G") for kind in FAMILIES[family].blocks)
    blocks = FeaturizeParams.model_validate({"blocks": [block(kind, table.slots) for kind in kinds]}).blocks
    features = featurize(list(table.molecules["smiles"]), blocks, cores=asked.cores)
    dense = {
        family: out_of_fold(table, features, family_of(table, FAMILIES[family]), asked) for family in DENSE
    }
    fold = np.full(len(table.molecules), -1)
    for number, (_, valid) in enumerate(table.folds):
        fold[valid] = number
    folder.mkdir(parents=True, exist_ok=True)
    features.of_blocks(FAMILIES["G"].blocks).save(folder / f"{name}-features.npz")
    table.molecules.assign(**{FOLD: fold}).to_parquet(folder / f"{name}.parquet")
    write_npz(folder / f"{name}-dense.npz", dense)
    print(f"{name}: {len(fold):,} molecules, {table.slots} slots", flush=True)


def names(folder: Path) -> list[str]:
    """The tables that were made, in the order of `ALL`."""
    return [name for name in ALL if (folder / f"{name}-dense.npz").is_file()]


@cache
def load(name: str, folder: Path) -> Material:
    """What `make` has kept."""
    molecules = pd.read_parquet(folder / f"{name}.parquet")
    fold = molecules.pop(FOLD).to_numpy()
    folds = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(fold.max() + 1)]
    table = Table(molecules, folds, params_of(ALL[name]))
    dense = read_npz(folder / f"{name}-dense.npz")
    return Material(table, Features.load(folder / f"{name}-features.npz"), dense)
