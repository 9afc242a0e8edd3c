"""Train, valid and test: drawn over whole groups, so that no molecule or tautomer is in two subsets."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from manywalks.chemistry.tautomers import joined, tautomer_key
from manywalks.data.dates import decimal_years
from manywalks.data.guess.split_columns import PRECEDENCE, TAUTOMERS
from manywalks.params.sections.split import SplitParams
from manywalks.split import clusters
from manywalks.split.distance import MOST_TRAIN
from manywalks.split.draw import draw, sized
from manywalks.split.facts import Facts, facts_of
from manywalks.split.folds import carried, group_times, sorted_folds, strata_of

SUBSETS = ("train", "valid", "test")


class Subsets(NamedTuple):
    """The subset of each molecule, str (n,), and the group, int (n,), that was drawn as a whole."""

    subsets: np.ndarray
    groups: np.ndarray


def split_molecules(curated: pd.DataFrame, params: SplitParams, facts: Facts | None = None) -> np.ndarray:
    """The subset of each molecule, str (n,): "train", "valid" or "test"; see `split_groups`."""
    return split_groups(curated, params, facts).subsets


def split_groups(curated: pd.DataFrame, params: SplitParams, facts: Facts | None = None) -> Subsets:
    """The subset of each molecule, "train", "valid" or "test", and which molecules stay together.

    The draw depends on the molecules and params.seed, and not on the order of the rows. `facts` are those of
    `split_facts`, where they are known.
    """
    order = np.argsort(curated["smiles"].to_numpy(dtype=object), kind="stable")
    known = (split_facts(curated, params, distance=False) if facts is None else facts).take(order)
    frame = curated.iloc[order]
    subsets, groups = np.empty(len(curated), dtype="<U5"), np.empty(len(curated), dtype=np.int64)
    groups[order] = together = groups_of(frame, params, known)
    subsets[order] = _split_sorted(frame, params, together)
    return Subsets(checked(subsets, params), groups)


def split_facts(curated: pd.DataFrame, params: SplitParams, *, distance: bool = True) -> Facts:
    """What a split of these molecules asks, and the distance between its subsets, reading each once."""
    return facts_of(
        curated["smiles"].tolist(),
        key=None if TAUTOMERS in curated else tautomer_key,
        scaffolds=params.method == "scaffold",
        # of more, only a sample is compared
        bits=(distance or params.method == "cluster") and len(curated) <= MOST_TRAIN,
    )


def folds(curated: pd.DataFrame, params: SplitParams, repeats: int, k: int) -> list[np.ndarray]:
    """Repeated k-fold of the split's method: repeats * k arrays str (n,), each with its own test subset.

    Within a repeat every molecule is in one test subset. The valid subset is a share `params.valid` of the
    rest. Two methods leave molecules out of some folds, marked "": `time` tests each of k later periods on
    what was measured before it, and `column` keeps the given test subset out of all folds.
    """
    if k < 2 or repeats < 1:
        raise ValueError(f"folds: repeats {repeats} and k {k} are too few; take 1 or more, and 2 or more")
    order = np.argsort(curated["smiles"].to_numpy(dtype=object), kind="stable")
    frame = curated.iloc[order]
    groups = groups_of(frame, params)
    drawn = []
    for repeat in range(repeats):
        rng = np.random.default_rng([params.seed % 2**63, repeat, 1])
        left_out = _given(frame, params, groups, rng) == "test" if params.method == "column" else None
        for fold in sorted_folds(frame, params, groups, k, rng, left_out=left_out):
            subsets = np.empty(len(frame), dtype="<U5")
            subsets[order] = fold
            drawn.append(subsets)
    return drawn


def checked(subsets: np.ndarray, params: SplitParams) -> np.ndarray:
    """The same subsets, if there is something to train on and to test on."""
    for subset in ("train", "test"):
        if not (subsets == subset).any():
            raise ValueError(
                f"split: the {subset} subset has no molecules (method {params.method}, test {params.test:g}, "
                f"{len(subsets)} molecules); give more molecules or another split"
            )
    return subsets


def _split_sorted(frame: pd.DataFrame, params: SplitParams, groups: np.ndarray) -> np.ndarray:
    """The subsets of molecules that are sorted by SMILES, of these groups (n,)."""
    rng = np.random.default_rng(params.seed % 2**63)
    if params.method == "column":
        return _given(frame, params, groups, rng)
    if params.method == "time":
        return _by_time(frame, groups, params, rng)
    shares = {"test": params.test, "valid": params.valid}
    if params.method == "stratified":
        return _stratified(frame, groups, params, shares, rng)
    return draw(groups, shares, rng)


def groups_of(frame: pd.DataFrame, params: SplitParams, facts: Facts | None = None) -> np.ndarray:
    """Which molecules stay together, int (n,): tautomers always, and what the method holds together."""
    facts = split_facts(frame, params, distance=False) if facts is None else facts
    keys = [_tautomers(frame, facts)]
    if params.method == "scaffold":
        keys.append(facts.scaffolds or [])
    elif params.method == "cluster":
        found = clusters.clusters(list(frame["smiles"]), params.similarity, facts.bits)
        keys.append([str(label) for label in found])
    elif params.method == "group":
        cells = carried(frame, "split:group").astype(object)
        # molecules of no group are no group
        keys.append([cell or f"\0{i}" for i, cell in enumerate(cells)])
    return joined(keys)


def _tautomers(frame: pd.DataFrame, facts: Facts) -> list[str]:
    """Keys that tautomers share (n,): those that curation made, where the split is given by a column."""
    return list(frame[TAUTOMERS]) if TAUTOMERS in frame else facts.tautomers or []


def _given(
    frame: pd.DataFrame, params: SplitParams, groups: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The given subsets; where none is called valid, a share of train is drawn for it."""
    subsets = carried(frame, "split:subset").astype("<U5")
    rank = np.array([PRECEDENCE[subset] for subset in subsets])
    best = np.full(int(groups.max(initial=-1)) + 1, len(PRECEDENCE))
    np.minimum.at(best, groups, rank)
    subsets = np.array(list(PRECEDENCE), dtype="<U5")[best[groups]]
    if not (subsets == "valid").any() and params.valid > 0:
        train = np.flatnonzero(subsets == "train")
        subsets[train] = draw(groups[train], {"valid": params.valid}, rng)
    return subsets


def _stratified(
    frame: pd.DataFrame,
    groups: np.ndarray,
    params: SplitParams,
    shares: dict[str, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Subsets drawn within each stratum of an endpoint's values: classes, or tenths of the range of ranks."""
    names = [column.removesuffix(":relation") for column in frame if column.endswith(":relation")]
    name = params.endpoint or names[0]
    if name not in names:
        raise ValueError(
            f"split.endpoint: {name!r} is not among data.endpoints; choose one of {', '.join(names)}"
        )
    values = frame[name].to_numpy(dtype=np.float64)
    # a group is where its first measured molecule is
    strata = pd.Series(strata_of(values)).groupby(groups).transform("max").to_numpy()
    subsets = np.full(len(frame), "train", dtype="<U5")
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        subsets[rows] = draw(groups[rows], shares, rng)
    return subsets


def _by_time(
    frame: pd.DataFrame, groups: np.ndarray, params: SplitParams, rng: np.random.Generator
) -> np.ndarray:
    """Test is what was first measured last; the undated train; valid is drawn from the latest of the rest."""
    times = group_times(carried(frame, "split:time").astype(np.float64), groups)
    start = _test_start(times, params)
    subsets = np.full(len(frame), "train", dtype="<U5")
    subsets[times >= start] = "test"
    earlier = np.flatnonzero(times < start)
    # whole groups, latest first; ties (one year holds many molecules) fall by chance
    code, sizes = sized(groups[earlier])
    latest = np.full(len(sizes), -np.inf)
    np.maximum.at(latest, code, times[earlier])
    target, chosen = round(params.valid * len(frame)), np.zeros(len(sizes), dtype=bool)
    ordered = np.lexsort((rng.permutation(len(sizes)), -latest))
    chosen[ordered[np.cumsum(sizes[ordered]) <= target]] = True
    subsets[earlier[chosen[code]]] = "valid"
    return subsets


def _test_start(times: np.ndarray, params: SplitParams) -> float:
    """The time from which molecules test: given, or the whole time whose share is nearest to the wanted."""
    if params.test_since is not None:
        given = decimal_years(np.array([params.test_since], dtype=object))
        if given.fault or np.isnan(given.years[0]):
            raise ValueError(
                f"split.test_since: {params.test_since!r} is neither a year nor a date that can be read one "
                "way alone; write it as 2020-04-03 (year-month-day)"
            )
        return float(given.years[0])
    candidates = np.unique(times[np.isfinite(times)])
    if not len(candidates):
        raise ValueError(f"split.column: {params.column!r} holds no year or date")
    shares = np.array([(times >= start).mean() for start in candidates])
    return float(candidates[np.argmin(np.abs(shares - params.test))])
