"""Which molecules a search may see, and the fresh folds that judge its winner.

Two fifths of the molecules are kept from the search: no trial is trained or tested on them. So what a search
gains by fitting its choice to the molecules at hand is no part of the verdict, which more folds of the same
molecules would not ensure. The test subset of the pipeline is among those kept, so the report of a model with
the tuned settings is not flattered by the search either. (One that is given by a column is left out of
everything, as `compare` does.)
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from manywalks.params.sections.split import SplitParams
from manywalks.split.left_out import without
from manywalks.split.split import folds, split_molecules

# of OUTER parts of the molecules KEPT are kept from the search, the test subset as one of them
OUTER, KEPT = 5, 2
# folds of the search (in each repeat), and of the verdict: the first that leave enough in each
SEARCH_FOLDS, FRESH_FOLDS = (5, 3), (10, 5, 3)
REPEATS = 2
FEWEST = 8


@dataclass(frozen=True)
class Splits:
    """Splits of a search and of its verdict, each str (n,): "train", "valid", "test" or "".

    Attributes:
        search: splits whose molecules the verdict does not test.
        fresh: splits whose test molecules no trial has seen; each tests others.
        folds: of one repeat of `search`.
    """

    search: list[np.ndarray]
    fresh: list[np.ndarray]
    folds: int


def draw_splits(curated: pd.DataFrame, params: SplitParams, out: np.ndarray, classes: list[str]) -> Splits:
    """Splits of the molecules by the method of the parameters.

    Args:
        curated: n molecules.
        params: method, share of the valid subset, seed.
        out: bool (n,), molecules in no subset.
        classes: endpoints of which both classes must be in every test subset.
    """
    fresh, seen = kept_from_search(curated, params)
    repeats = 1 if params.method == "time" else REPEATS  # periods are the same in every repeat
    for count in SEARCH_FOLDS:
        drawn = folds(curated.loc[seen], params, repeats, count)
        placed = [_placed(subsets, seen) for subsets in drawn]
        search = [without(subsets, out) for subsets in placed]
        if _enough(curated, search, classes):
            break
    else:
        raise _too_few(curated, params.method, classes)
    for k in FRESH_FOLDS:
        drawn = folds(curated.loc[fresh], params, 1, k)
        judged = [
            without(_beside(_placed(subsets, fresh), placed[n % len(placed)], seen), out)
            for n, subsets in enumerate(drawn)
        ]
        if _enough(curated, judged, classes):
            return Splits(search, judged, count)
    raise _too_few(curated, params.method, classes)


def _too_few(curated: pd.DataFrame, method: str, classes: list[str]) -> ValueError:
    """What to say of a table that leaves too little in each fold."""
    measured = {
        name: int(np.isfinite(curated[name].to_numpy(dtype=np.float64)).sum()) for name in _endpoints(curated)
    }
    name = min(measured, key=measured.__getitem__)
    remedies = ["give more molecules"]
    if measured[name] < len(curated):
        remedies.append(f"remove the endpoint with the fewest values ({name}: {measured[name]})")
    if method not in ("random", "stratified"):
        remedies.append("use split.method random or stratified")
    elif method == "random" and classes:
        remedies.append("use split.method stratified")
    return ValueError(
        f"tune: {len(curated)} molecules are too few for a search and a verdict on molecules that it has "
        f"not seen (at least {FEWEST} measured ones of each endpoint in each of {FRESH_FOLDS[-1]} folds, "
        f"both classes among them); {', or '.join(remedies)}"
    )


def _endpoints(curated: pd.DataFrame) -> list[str]:
    """Names of the endpoints of a curated table."""
    return [column.removesuffix(":relation") for column in curated if column.endswith(":relation")]


def kept_from_search(curated: pd.DataFrame, params: SplitParams) -> tuple[np.ndarray, np.ndarray]:
    """Molecules that no trial sees, and those that trials see: bool (n,) each."""
    if params.method == "column":
        test, parts, more = np.zeros(len(curated), dtype=bool), OUTER, KEPT
    else:
        test = split_molecules(curated, params) == "test"
        parts, more = OUTER - 1, KEPT - 1
    drawn = [_placed(subsets, ~test) for subsets in folds(curated.loc[~test], params, 1, parts)]
    fresh = np.any([test, *(subsets == "test" for subsets in drawn[-more:])], axis=0)
    seen = np.any([subsets != "" for subsets in drawn], axis=0) & ~fresh
    return fresh, seen


def _placed(subsets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Subsets of some of the molecules (bool (n,)) as subsets of all, "" elsewhere."""
    whole = np.full(len(rows), "", dtype="<U5")
    whole[rows] = subsets
    return whole


def _beside(fresh: np.ndarray, search: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """A fresh split that trains on the molecules of the search too; the valid ones are valid here as well."""
    return np.where(seen, np.where(search == "valid", "valid", "train"), fresh)


def _enough(curated: pd.DataFrame, splits: list[np.ndarray], classes: list[str]) -> bool:
    """Whether every test subset has enough measured molecules of every endpoint."""
    for subsets in splits:
        for name in _endpoints(curated):
            values = curated[name].to_numpy(dtype=np.float64)[subsets == "test"]
            values = values[np.isfinite(values)]
            least = min((values > 0.5).sum(), (values <= 0.5).sum()) if name in classes else 1
            if len(values) < FEWEST or least < 1:
                return False
    return True
