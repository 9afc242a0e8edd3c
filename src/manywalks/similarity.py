"""The nearest of many fingerprints by Tanimoto similarity: how near it is, and which ones they are."""

from typing import NamedTuple

import numpy as np
from numba import njit


def nearest_similarity(bits: np.ndarray, among: np.ndarray, *, skip: np.ndarray | None = None) -> np.ndarray:
    """Largest Tanimoto similarity of each fingerprint to any of `among`.

    Args:
        bits: uint64 (n, w).
        among: uint64 (k, w).
        skip: (n,) the row of `among` that each is itself; None where they are others.

    Returns:
        (n,) of 0 to 1; NaN without fingerprints. Two molecules without any bit are alike: 1.
    """
    return most_similar(bits, among, skip=skip)[1]


def most_similar(
    bits: np.ndarray, among: np.ndarray, *, skip: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The row of `among` that each fingerprint is most similar to, and that similarity; `nearest_similarity`.

    Returns:
        rows (n,), -1 where nothing shares a bit or there are no fingerprints; similarities (n,).
    """
    mine = np.full(len(bits), -1) if skip is None else np.asarray(skip)
    return _most_similar(bits, among, mine, np.arange(len(among)))


def similarity_to_other_groups(bits: np.ndarray, groups: np.ndarray, most: int) -> np.ndarray:
    """Largest Tanimoto similarity of each fingerprint to one of another group; `nearest_similarity`.

    Args:
        bits: uint64 (n, w).
        groups: int (n,).
        most: of more molecules only so many are looked at, or a few more; NaN at the others.
    """
    found, own = np.full(len(bits), np.nan), np.arange(len(bits))
    own = own[:: max(1, len(own) // most)]
    found[own] = _most_similar(bits[own], bits, groups[own], groups)[1]
    return found


def _most_similar(
    bits: np.ndarray, among: np.ndarray, mine: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`most_similar` among those (k, w) whose label (k,) is not the fingerprint's own (n,)."""
    if bits.shape[1] == 0:
        return np.full(len(bits), -1), np.full(len(bits), np.nan)
    counts, own = (np.bitwise_count(each).sum(axis=1).astype(np.int64) for each in (among, bits))
    order = np.argsort(counts, kind="stable")
    sought = (np.ascontiguousarray(among[order]), counts[order], labels[order].astype(np.int64))
    found = _nearest(bits, own, mine.astype(np.int64), *sought)
    return np.where(found[0] >= 0, order[found[0]], -1), found[1]


@njit(cache=True, nogil=True)
def _nearest(
    bits: np.ndarray,
    own: np.ndarray,
    mine: np.ndarray,
    among: np.ndarray,
    counts: np.ndarray,
    labels: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """`_most_similar` with `among` and its labels sorted by number of bits.

    Tanimoto is at most the ratio of the numbers of bits, so the search goes outwards from those with as many
    and ends, on either side, where that ratio is no better than what was found.
    """
    found, rows = np.zeros(len(bits)), np.full(len(bits), -1, dtype=np.int64)
    for i in range(len(bits)):
        best = 0.0
        start = np.searchsorted(counts, own[i])
        for step in (-1, 1):
            j = start - 1 if step < 0 else start
            while 0 <= j < len(counts):
                low, high = min(own[i], counts[j]), max(own[i], counts[j])
                if high > 0 and low <= best * high:
                    break
                if labels[j] != mine[i]:
                    shared = _shared(bits[i], among[j])
                    either = own[i] + counts[j] - shared
                    similarity = shared / either if either > 0 else 1.0
                    if similarity > best:
                        best, rows[i] = similarity, j
                j += step
        found[i] = best
    return rows, found


class Neighbours(NamedTuple):
    """The k molecules nearest to each of n: `rows` of where they were sought (n, k), `similarity` (n, k)."""

    rows: np.ndarray
    similarity: np.ndarray


def nearest_rows(bits: np.ndarray, among: np.ndarray, k: int) -> Neighbours:
    """The k most similar fingerprints (Tanimoto), the most similar first; of equals the lower row.

    Args:
        bits: uint64 (n, w).
        among: uint64 (m, w), m >= k.
        k: how many.
    """
    own, counts = (np.bitwise_count(each).sum(axis=1).astype(np.int64) for each in (bits, among))
    return Neighbours(*_nearest_rows(bits, own, among, counts, k))


@njit(cache=True, nogil=True)
def _nearest_rows(
    bits: np.ndarray, own: np.ndarray, among: np.ndarray, counts: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """`nearest_rows` with the numbers of bits; each list is kept sorted while it fills."""
    rows = np.full((len(bits), k), -1, dtype=np.int64)
    best = np.full((len(bits), k), -1.0)
    for i in range(len(bits)):
        for j in range(len(among)):
            shared = _shared(bits[i], among[j])
            either = own[i] + counts[j] - shared
            found = shared / either if either > 0 else 1.0
            if found <= best[i, k - 1]:
                continue
            place = k - 1
            while place > 0 and best[i, place - 1] < found:
                best[i, place], rows[i, place] = best[i, place - 1], rows[i, place - 1]
                place -= 1
            best[i, place], rows[i, place] = found, j
    return rows, best


@njit(cache=True, nogil=True)
def _shared(one: np.ndarray, other: np.ndarray) -> int:
    """Number of bits set in both (w,) fingerprints (LLVM makes one instruction of the counting)."""
    total = 0
    for k in range(len(one)):
        x = one[k] & other[k]
        x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
        x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
        x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        total += int((x * np.uint64(0x0101010101010101)) >> np.uint64(56))
    return total
