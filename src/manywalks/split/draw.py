"""Groups of molecules that stay together, and subsets or folds drawn over whole groups."""

import numpy as np
import pandas as pd


def draw(groups: np.ndarray, shares: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """Subsets (n,) in about the given shares, whole groups each; what no share takes is train.

    A group larger than half a subset would be most of it, so it trains unless the subset stays half empty.
    The others are drawn at random; a subset is full when the next group would take it further from its share.
    """
    n = len(groups)
    code, sizes = sized(groups)
    order = rng.permutation(len(sizes))
    subset_of = np.full(len(sizes), "train", dtype="<U5")
    for subset, share in shares.items():
        target, filled = round(share * n), 0
        for group in order:
            size = sizes[group]
            if filled >= target:
                break
            fits = (size == 1 or size <= target / 2) and filled + size - target <= target - filled
            if fits and subset_of[group] == "train":
                subset_of[group] = subset
                filled += size
        if filled < target / 2:
            _fill(subset_of, sizes, order, subset, float(target - filled))
    return subset_of[code]


def _fill(subset_of: np.ndarray, sizes: np.ndarray, order: np.ndarray, subset: str, missing: float) -> None:
    """Give a subset that is half empty the group nearest to what is missing, if train can spare it."""
    free = order[(subset_of[order] == "train") & (sizes[order] <= sizes.sum() / 2)]
    if len(free) > 1:
        subset_of[free[np.argmin(np.abs(sizes[free] - missing))]] = subset


def sized(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Groups renumbered 0, 1, ... by first appearance (n,), and their sizes."""
    code, names = pd.factorize(groups)
    return code, np.bincount(code, minlength=len(names))


def deal(groups: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """A fold 0..k-1 for each molecule (n,), whole groups each: the largest first, to the emptiest fold."""
    code, sizes = sized(groups)
    chance = rng.permutation(len(sizes))
    filled = np.zeros(k)
    fold_of = np.empty(len(sizes), dtype=np.int64)
    for group in np.lexsort((chance, -sizes)):
        emptiest = np.flatnonzero(filled == filled.min())
        fold_of[group] = rng.choice(emptiest)
        filled[fold_of[group]] += sizes[group]
    return fold_of[code]
