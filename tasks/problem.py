"""From the pipeline's tables to what every replicate shares: scaled features, targets, rows."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from manywalks.tasks.features import Features
from manywalks.tasks.params import Params
from manywalks.tasks.scaling import FeatureScaler
from manywalks.tasks.targets import TargetTransform
from manywalks.tasks.walk import Problem


class Prepared(NamedTuple):
    """A problem and the transforms that were fitted on its train part alone."""

    problem: Problem
    scaler: FeatureScaler
    transform: TargetTransform


def prepare(curated: pd.DataFrame, features: Features, parts: np.ndarray, params: Params) -> Prepared:
    """Fit scaling and target transforms on the train rows, apply them to all.

    Args:
        curated: the curated table, n rows.
        features: raw features of the same rows.
        parts: str (n,), "train", "valid" or "test".
    """
    train, valid, test = (np.flatnonzero(parts == part) for part in ("train", "valid", "test"))
    if len(train) == 0:
        raise ValueError(
            "data/split.parquet: no molecule in the train part; lower split.test and split.valid"
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


def out_of_sample(parts: np.ndarray) -> np.ndarray:
    """Rows of the valid and test parts, ascending: what replicates predict."""
    return np.flatnonzero((parts == "valid") | (parts == "test"))
