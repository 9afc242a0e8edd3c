"""Tables for `benchmarks.tune`: three tasks of TDC with their test rows, and Biogen's clearance."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.tasks import ENDPOINT
from manywalks.tables.frame import read_table


class Source(NamedTuple):
    """A table below the data folder; where it has no test rows, a fifth is drawn."""

    name: str
    path: str
    smiles: str = "Drug"
    value: str | int = ENDPOINT


TABLES = (
    Source("Caco2", "tdc/caco2_wang.csv"),
    Source("VDss", "tdc/vdss_lombardo.csv"),
    Source("clearance", "tdc/clearance_microsome_az.csv"),
    Source("Biogen HLM", "assay/biogen_adme_3521.csv", "SMILES", 4),
)


def rows_of(source: Source, folder: Path) -> pd.DataFrame:
    """Drug, Y and split (train or test) of the rows with a value."""
    frame = read_table(folder / source.path)
    value = frame.columns[source.value] if isinstance(source.value, int) else source.value
    rows = pd.DataFrame({"Drug": frame[source.smiles], ENDPOINT: frame[value]})
    if "split" in frame:
        rows["split"] = np.where(frame["split"] == "test", "test", "train")
    else:
        drawn = np.random.default_rng(0).random(len(rows)) < 0.2
        rows["split"] = np.where(drawn, "test", "train")
    return rows.dropna().reset_index(drop=True)
