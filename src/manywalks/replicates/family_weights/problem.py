"""What the networks of a fold are trained on."""

import numpy as np
import pandas as pd

from manywalks.features import Features
from manywalks.graph_layout import larger
from manywalks.params.sections.families import Family
from manywalks.replicates.family_weights.folds import Folds
from manywalks.train.prepare import Prepared, Transforms, columns_of, prepare
from manywalks.train.scaling import FeatureScaler
from manywalks.train.targets import TargetTransform


def prepare_fold(
    curated: pd.DataFrame, features: Features, folds: Folds, number: int, family: Family
) -> Prepared:
    """One family's problem in fold `number`.

    All values of an endpoint may be of molecules that this fold predicts, such as those of one series. Then
    it teaches these networks nothing, and its scale is that of all training molecules.
    """
    subsets, params, own = folds.subsets[number], family.params, columns_of(features, family.params)
    train = np.flatnonzero((subsets == "train") & ~larger(own))
    if not len(train) or all(_has_value(curated.iloc[train], name) for name in params.data.endpoints):
        return prepare(curated, features, subsets, family)
    every = np.flatnonzero((folds.subsets != "").any(axis=0))
    scaler = FeatureScaler.fit(own.take(train), params.transform)
    fitted = Transforms(scaler, TargetTransform.fit(curated.iloc[every], params))
    return prepare(curated, features, subsets, family, fitted)


def _has_value(rows: pd.DataFrame, name: str) -> bool:
    """Whether one of these molecules has a value of an endpoint that counts."""
    values = rows[name].to_numpy(dtype=np.float64)
    return bool(np.isfinite(values[rows[f"{name}:weight"].to_numpy(dtype=np.float64) > 0]).any())
