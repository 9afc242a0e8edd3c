"""Folds of molecules in whole groups, as each method of splitting draws them."""

import numpy as np
import pandas as pd

from manywalks.params.sections.split import SplitParams
from manywalks.split.draw import deal, draw

STRATA = 10


def carried(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column that curation carries over from the raw table for a split that asks for it."""
    if column not in frame:
        raise ValueError(
            f"the curated table has no column {column!r}; curate it again with this split method"
        )
    return frame[column].to_numpy()


def strata_of(values: np.ndarray) -> np.ndarray:
    """Classes as they are, other values as tenths by rank, -1 where not measured: int (n,)."""
    strata = np.full(len(values), -1)
    measured = ~np.isnan(values)
    if set(np.unique(values[measured])) <= {0.0, 1.0}:
        strata[measured] = values[measured]
    elif measured.any():
        ranks = pd.Series(values[measured]).rank(method="first").to_numpy() - 1
        strata[measured] = np.minimum(ranks * STRATA // measured.sum(), STRATA - 1)
    return strata


def group_times(times: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The time that a group (a molecule and its tautomers) was first measured (n,); -inf where undated."""
    first = np.full(int(groups.max(initial=-1)) + 1, np.inf)
    np.minimum.at(first, groups, np.where(np.isnan(times), np.inf, times))
    return np.where(np.isinf(first), -np.inf, first)[groups]


def sorted_folds(
    frame: pd.DataFrame,
    params: SplitParams,
    groups: np.ndarray,
    k: int,
    rng: np.random.Generator,
    *,
    left_out: np.ndarray | None = None,
) -> list[np.ndarray]:
    """One repeat of k folds of molecules that are sorted by SMILES: k arrays str (n,).

    Args:
        frame: the molecules, as in the curated table.
        params: whose method is followed; `valid` is the share of the rest that validates.
        groups: of the molecules (n,).
        k: how many folds.
        rng: deals them.
        left_out: molecules (n,) that are in no fold, "" in all of them; not where folds follow the time.
    """
    if params.method == "time":
        return _time_folds(frame, params, groups, k, rng)
    strata = np.zeros(len(frame), dtype=np.int64)
    if params.method == "stratified":
        name = params.endpoint or next(c for c in frame if c.endswith(":relation")).removesuffix(":relation")
        values = frame[name].to_numpy(np.float64)
        strata = pd.Series(strata_of(values)).groupby(groups).transform("max").to_numpy()
    fold = np.full(len(frame), -1)
    out = np.zeros(len(frame), dtype=bool) if left_out is None else left_out
    for stratum in np.unique(strata):
        rows = np.flatnonzero((strata == stratum) & ~out)
        fold[rows] = deal(groups[rows], k, rng)
    return [_fold_subsets(fold, one, groups, params.valid, rng) for one in range(k)]


def _fold_subsets(
    fold: np.ndarray, one: int, groups: np.ndarray, valid: float, rng: np.random.Generator
) -> np.ndarray:
    """The subsets of one fold: its molecules test, a share of the others validates; "" where left out."""
    subsets = np.full(len(fold), "train", dtype="<U5")
    subsets[fold == -1] = ""
    subsets[fold == one] = "test"
    rest = np.flatnonzero(subsets == "train")
    subsets[rest] = draw(groups[rest], {"valid": valid}, rng)
    return subsets


def period_starts(times: np.ndarray, k: int) -> np.ndarray:
    """When k periods after a first one start; fewer of them where there are few different times (n,)."""
    return np.unique(np.quantile(times[np.isfinite(times)], np.arange(1, k + 1) / (k + 1), method="higher"))


def _time_folds(
    frame: pd.DataFrame, params: SplitParams, groups: np.ndarray, k: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """k periods after a first one, each tested on all that came before; later molecules are left out."""
    times = group_times(carried(frame, "split:time").astype(np.float64), groups)
    cuts = period_starts(times, k)
    if len(cuts) < k:
        raise ValueError(f"split.column: {params.column!r} has too few different times for {k} folds")
    folds_of = []
    for start, end in zip(cuts, [*cuts[1:], np.inf], strict=True):
        fold = np.where(times < start, 0, np.where(times < end, 1, -1))
        folds_of.append(_fold_subsets(fold, 1, groups, params.valid, rng))
    return folds_of
