"""How far the test subset is from what was trained on: nearest-neighbour Tanimoto similarity."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from manywalks.similarity import nearest_similarity
from manywalks.split.clusters import similarity_bits

BINS = 20
# 20,000 molecules against 200,000 are 4e9 pairs, minutes; beyond, a sample says the same
MOST_FROM = 5_000
MOST_TRAIN = 200_000
# the folds of a comparison are many (25): so many molecules give their quartiles to 0.01
MOST_OF_FOLD = 1_000


def split_distance(
    smiles: Sequence[str], subsets: np.ndarray, bits: np.ndarray | None = None
) -> dict[str, Any]:
    """The similarity of each test and valid molecule to its nearest train molecule, summed up.

    Args:
        smiles: standardized SMILES (n,); subsets: "train", "valid", "test", or "" where left out (n,).
        bits: the molecules' `similarity_bits` (n, 32), where they are known.

    Returns:
        For "test" and "valid": molecules, quartiles (min, q1, median, q3, max) and a histogram of
        nearest-neighbour Tanimoto (Morgan radius 2, 2048 bits); 1 is the same fingerprint. Plain JSON.
    """
    rows = {subset: np.flatnonzero(np.asarray(subsets) == subset) for subset in ("train", "valid", "test")}
    report: dict[str, Any] = {subset: len(found) for subset, found in rows.items()}
    report["left_out"] = len(smiles) - sum(map(len, rows.values()))
    train = sampled(rows["train"], MOST_TRAIN)
    train_bits = _bits_of(smiles, train, bits)
    report["sampled_train"] = len(train) if len(train) < len(rows["train"]) else None
    report["similarity"] = {}
    for subset in ("test", "valid"):
        chosen = sampled(rows[subset], MOST_FROM)
        if len(chosen) and len(train):
            nearest = nearest_similarity(_bits_of(smiles, chosen, bits), train_bits)
            report["similarity"][subset] = _summary(nearest)
    return report


def _bits_of(smiles: Sequence[str], rows: np.ndarray, bits: np.ndarray | None) -> np.ndarray:
    """The fingerprints of some rows."""
    return similarity_bits([smiles[int(i)] for i in rows]) if bits is None else bits[rows]


def folds_distance(smiles: Sequence[str], folds: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """How far each left-out fold is from its train subset: molecules looked at, and quartiles as above.

    Args:
        smiles: standardized SMILES (n,); folds: subsets (n,) of each split, as `split.folds` draws them.
    """
    bits = similarity_bits(smiles)
    report = []
    for subsets in folds:
        train = bits[sampled(np.flatnonzero(subsets == "train"), MOST_TRAIN)]
        test = bits[sampled(np.flatnonzero(subsets == "test"), MOST_OF_FOLD)]
        report.append({"molecules": len(test)} | _quartiles(nearest_similarity(test, train)))
    return report


def sampled(rows: np.ndarray, most: int) -> np.ndarray:
    """All rows, or `most` of them drawn the same way every time, in order."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, size=most, replace=False))


def _summary(nearest: np.ndarray) -> dict[str, Any]:
    """Quartiles and histogram of similarities (n,)."""
    counts, edges = np.histogram(nearest, bins=BINS, range=(0, 1))
    histogram = {"edges": edges.tolist(), "counts": counts.tolist()}
    return {"molecules": len(nearest)} | _quartiles(nearest) | {"histogram": histogram}


def _quartiles(nearest: np.ndarray) -> dict[str, float]:
    """Quartiles of similarities (n,), with both ends."""
    names = ("min", "q1", "median", "q3", "max")
    return dict(zip(names, np.quantile(nearest, [0, 0.25, 0.5, 0.75, 1]).tolist(), strict=True))
