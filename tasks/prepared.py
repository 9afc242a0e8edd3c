"""Read what the steps before training left, and make the problem that replicates share."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from manywalks.tasks.features import Features
from manywalks.tasks.problem import Prepared, prepare
from manywalks.tasks.workspace import Workspace


class Tables(NamedTuple):
    """The curated table, and str (n,) which part each of its molecules stands in."""

    curated: pd.DataFrame
    parts: np.ndarray


def read_tables(workspace: Workspace) -> Tables:
    """Curated table and split; a ValueError where they do not belong together."""
    curated = pd.read_parquet(workspace.curated)
    split = pd.read_parquet(workspace.split).sort_values("row")
    if not np.array_equal(split["row"], np.arange(len(curated))):
        raise ValueError(
            f"{workspace.split}: {len(split)} rows for {len(curated)} molecules; run the split again"
        )
    return Tables(curated, split["part"].to_numpy(dtype=str))


def read_prepared(workspace: Workspace) -> Prepared:
    """The problem, with scaling and target transforms fitted on its train part."""
    curated, parts = read_tables(workspace)
    features = Features.load(workspace.features)
    if len(features) != len(curated):
        raise ValueError(
            f"{workspace.features}: {len(features)} rows for {len(curated)} molecules; featurize again"
        )
    return prepare(curated, features, parts, workspace.params)
