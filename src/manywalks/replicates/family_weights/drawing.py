"""Draw the folds of the training molecules, as the split would; valid and test have no part in them."""

import numpy as np
import pandas as pd

from manywalks.params.load import Params
from manywalks.params.sections.families import families_of
from manywalks.replicates.family_weights.folds import Folds
from manywalks.split.folds import carried, group_times, period_starts, sorted_folds

# Three folds of two replicates train on two thirds of the molecules each: as much work as four replicates.
K, EACH = 3, 2
# another stream than those of the split itself and of the folds of `compare`
STREAM = 7


def draw_folds(curated: pd.DataFrame, subsets: np.ndarray, groups: np.ndarray, params: Params) -> Folds:
    """Folds inside the train subset; none where there are too few groups or times.

    The draw depends on the molecules and `split.seed`, and not on the order of the rows.

    Args:
        curated: the curated table, n rows.
        subsets: of the split, str (n,).
        groups: that the split holds together, int (n,).
        params: all parameters.
    """
    train = np.flatnonzero(subsets == "train")
    # sorted by SMILES
    train = train[np.argsort(curated["smiles"].to_numpy(dtype=object)[train], kind="stable")]
    frame, own = curated.iloc[train], np.unique(groups[train], return_inverse=True)[1]
    k = _most(frame, own, params)
    stops = any(family.params.train.early_stopping is not None for family in families_of(params))
    split = params.split if stops else params.split.model_copy(update={"valid": 0.0})
    rng = np.random.default_rng([params.split.seed % 2**63, STREAM])
    found = []
    for fold in sorted_folds(frame, split, own, k, rng) if k else []:
        if {"train", "test"} <= set(fold):
            whole = np.full(len(curated), "", dtype="<U5")
            whole[train] = fold
            found.append(whole)
    return Folds(np.array(found, dtype="<U5").reshape(len(found), len(curated)), EACH)


def _most(frame: pd.DataFrame, groups: np.ndarray, params: Params) -> int:
    """How many folds these molecules have room for; 0 where it is not even two groups."""
    if len(np.unique(groups)) < 2:
        return 0
    if params.split.method != "time":
        return min(K, len(np.unique(groups)))
    times = group_times(carried(frame, "split:time").astype(np.float64), groups)
    return len(period_starts(times, K)) if np.isfinite(times).any() else 0
