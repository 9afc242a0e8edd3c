"""From the pipeline's tables to what every replicate shares: scaled features, targets, rows."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from manywalks.features import Features
from manywalks.params.load import Params
from manywalks.train.problem import Problem
from manywalks.train.scaling import FeatureScaler
from manywalks.train.targets import TargetTransform
from manywalks.workspace import Workspace


class Prepared(NamedTuple):
    """A problem and the transforms that were fitted on its train subset alone."""

    problem: Problem
    scaler: FeatureScaler
    transform: TargetTransform


def prepare(curated: pd.DataFrame, features: Features, subsets: np.ndarray, params: Params) -> Prepared:
    """Fit scaling and target transforms on the train rows, apply them to all.

    Args:
        curated: the curated table, n rows.
        features: raw features of the same rows.
        parts: str (n,), "train", "valid" or "test".
    """
    train, valid, test = (np.flatnonzero(subsets == subset) for subset in ("train", "valid", "test"))
    if len(train) == 0:
        raise ValueError(
            "data/split.parquet: no molecule in the train subset; lower split.test and split.valid"
        )
    scaler = FeatureScaler.fit(features.take(train), params.transform)
    transform = TargetTransform.fit(curated.iloc[train], params)
    problem = Problem(
        features=scaler.transform(features),
        targets=transform.targets(curated),
        train=train,
        valid=valid,
        predict=np.sort(np.concatenate([valid, test])),
        network=params.network,
        train_params=params.train,
    )
    return Prepared(problem, scaler, transform)


def out_of_sample(subsets: np.ndarray) -> np.ndarray:
    """Rows of the valid and test subsets, ascending: what replicates predict."""
    return np.flatnonzero((subsets == "valid") | (subsets == "test"))


class Tables(NamedTuple):
    """The curated table, and str (n,) which part each of its molecules stands in."""

    curated: pd.DataFrame
    subsets: np.ndarray


def read_tables(workspace: Workspace) -> Tables:
    """Curated table and split; a ValueError where they do not belong together."""
    curated = pd.read_parquet(workspace.curated)
    split = pd.read_parquet(workspace.split).sort_values("row")
    if not np.array_equal(split["row"], np.arange(len(curated))):
        raise ValueError(
            f"{workspace.split}: {len(split)} rows for {len(curated)} molecules; run the split again"
        )
    return Tables(curated, split["subset"].to_numpy(dtype=str))


def read_prepared(workspace: Workspace) -> Prepared:
    """The problem, with scaling and target transforms fitted on its train subset."""
    curated, subsets = read_tables(workspace)
    features = Features.load(workspace.features)
    if len(features) != len(curated):
        raise ValueError(
            f"{workspace.features}: {len(features)} rows for {len(curated)} molecules; featurize again"
        )
    return prepare(curated, features, subsets, workspace.params)
