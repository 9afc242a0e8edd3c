"""How many epochs: the defaults trained longer and shorter, by scaffold cross-validation; never a test row.

    python -m benchmarks.epochs [--data DIR] [--replicates 6]

Beside the rows to train on of the TDC tasks stand tables of which every row may be used: BACE, three assays
of Tox21, and Biogen's clearance and solubility. Two tables are also cut to fewer rows to train on. Folds as
in benchmarks/accuracy.md; of tables above 2,000 rows three of the five.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.accuracy import DATA, Task, evaluate, scaffold_folds
from benchmarks.results import table, write_section
from benchmarks.tasks import ENDPOINT, main_metric, task_params
from manywalks.data.curate import curate_table
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params
from manywalks.tables.frame import read_table

EPOCHS = (4, 8, 12, 20, 50)
FEWER = (300, 1000)


class Source(NamedTuple):
    """A table below the data folder; of `tdc/` the rows to train on are taken, of others all."""

    name: str
    path: str
    smiles: str = "Drug"
    value: str | int = ENDPOINT
    fewer: bool = False


TOX, BIOGEN = "assay/tox21.csv", "assay/biogen_adme_3521.csv"
SOURCES = (
    Source("Ames", "tdc/ames.csv", fewer=True),
    Source("Pgp", "tdc/pgp_broccatelli.csv"),
    Source("BACE", "assay/bace.csv", "mol", "Class"),
    Source("Tox21 NR-AhR", TOX, "smiles", "NR-AhR", fewer=True),
    Source("Tox21 SR-ARE", TOX, "smiles", "SR-ARE"),
    Source("Tox21 SR-MMP", TOX, "smiles", "SR-MMP"),
    Source("Caco2", "tdc/caco2_wang.csv"),
    Source("VDss", "tdc/vdss_lombardo.csv"),
    Source("clearance", "tdc/clearance_microsome_az.csv"),
    Source("lipophilicity", "tdc/lipophilicity_astrazeneca.csv"),
    Source("Biogen HLM", BIOGEN, "SMILES", 4),
    Source("Biogen solubility", BIOGEN, "SMILES", 6),
)


def rows_of(source: Source, folder: Path) -> pd.DataFrame:
    """Drug and Y of the rows that may be used and have a measured value."""
    frame = read_table(folder / source.path)
    if "split" in frame:
        frame = frame.loc[frame["split"] != "test"]
    value = frame.columns[source.value] if isinstance(source.value, int) else source.value
    rows = pd.DataFrame({"Drug": frame[source.smiles], ENDPOINT: frame[value], "split": "train_val"})
    return rows.dropna().reset_index(drop=True)


def lines(source: Source, folder: Path, replicates: int, cores: int) -> Iterator[list[str]]:
    """The score at every number of epochs, with all rows to train on and with fewer."""
    rows, path = rows_of(source, folder), folder / source.path
    params = task_params(path, rows, cores)
    molecules = curate_table(rows, params).molecules
    folds = scaffold_folds(molecules, 5)[: 3 if len(molecules) > 2000 else 5]
    features = featurize(list(molecules["smiles"]), params.featurize.blocks, cores=cores)
    for most in (*(FEWER if source.fewer else ()), len(molecules)):
        task = Task(
            source.name,
            main_metric(path.stem, params),
            molecules,
            [(fewer(train, most), valid) for train, valid in folds],
        )
        scores = [
            evaluate(task, features, with_epochs(path, rows, epochs, cores), replicates, cores)
            for epochs in EPOCHS
        ]
        size = round(np.mean([len(train) for train, _ in task.folds]))
        line = [
            source.name,
            f"{size:,}",
            main_metric(path.stem, params),
            *(f"{score:.4f}" for score in scores),
        ]
        print(*line, flush=True)
        yield line


def with_epochs(path: Path, rows: pd.DataFrame, epochs: int, cores: int) -> Params:
    """The defaults with this number of epochs."""
    return task_params(path, rows, cores, {"train": {"epochs": epochs}})


def fewer(train: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows, drawn at random, ascending."""
    if len(train) <= most:
        return train
    return np.sort(np.random.default_rng(1).choice(train, most, replace=False))


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--replicates", type=int, default=6)
    asked = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    found = [line for source in SOURCES for line in lines(source, asked.data, asked.replicates, cores)]
    heads = ["table", "rows to train on", "metric", *(f"{epochs} epochs" for epochs in EPOCHS)]
    write_section(
        "epochs",
        "## How many epochs\n\nThe defaults, scaffold folds, ensembles of "
        f"{asked.replicates} (`python -m benchmarks.epochs`); higher is better, of mae lower.\n\n"
        + table(heads, found),
    )


if __name__ == "__main__":
    main()
