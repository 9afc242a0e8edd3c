"""Predict a table with an ensemble: chunk by chunk, an output row for every input row."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from manywalks.tasks import files, progress
from manywalks.tasks.ensemble import Ensemble
from manywalks.tasks.inspect_table import find_smiles
from manywalks.tasks.tables import read_table

CHUNK = 4096


class Scored(NamedTuple):
    """How many rows were written, and how many of them have no prediction."""

    rows: int
    rejected: int


def score_table(model: Path, table: Path, output: Path, *, smiles: str | None = None) -> Scored:
    """Predict every row of `table` and write `output` (.parquet or .csv), whole or not at all.

    The input's columns come first, then those of `Ensemble.predict`.
    """
    if output.suffix not in (".parquet", ".csv"):
        raise ValueError(
            f"{output}: {output.suffix!r} is no format of predictions; end it in .parquet or .csv"
        )
    ensemble = Ensemble.load(model)
    frame = read_table(table)
    column = smiles or _smiles_column(frame, ensemble, table)
    if column not in frame.columns:
        raise ValueError(
            f"{table}: no column {column!r} (columns: {', '.join(frame.columns)}); give --smiles"
        )
    cores = os.cpu_count() or 1
    parts = []
    with progress.telling("score") as tell:
        for start in range(0, len(frame), CHUNK):
            chunk = frame.iloc[start : start + CHUNK]
            predicted = ensemble.predict(chunk[column].tolist(), cores=cores)
            parts.append(_beside(chunk.reset_index(drop=True), predicted))
            tell(min(start + CHUNK, len(frame)), len(frame), "molecules")
    result = pd.concat(parts, ignore_index=True)
    with files.atomic_path(output) as path:
        if output.suffix == ".csv":
            result.to_csv(path, index=False)
        else:
            result.to_parquet(path, index=False)
    return Scored(len(result), int(np.sum(result["rejected"].to_numpy() != "")))


def _smiles_column(frame: pd.DataFrame, ensemble: Ensemble, table: Path) -> str:
    """The column that the model was trained with where it is there, else the one that holds molecules."""
    trained = ensemble.about["params"]["data"]["smiles"]
    return trained if trained in frame.columns else find_smiles(frame, str(table))


def _beside(chunk: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Input and predictions side by side; an input column gives way where it has a prediction's name."""
    kept = chunk[[column for column in chunk.columns if column not in predicted.columns]]
    return pd.concat([kept, predicted], axis=1)
