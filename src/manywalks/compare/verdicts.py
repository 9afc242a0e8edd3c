"""What a pair of configurations comes to: better, equivalent, worse or undecided; what would decide it."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import special

from manywalks.compare.paired import Pair, freedom_left, shared_error

# Bouthillier et al. 2021: one run beats the other so often before the difference means something
MEANINGFUL = 0.75
_FACTORS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 64)


class Interval(Protocol):
    """A difference, positive where the first is better, its interval, and p that there is none."""

    @property
    def difference(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def p(self) -> float: ...


@dataclass(frozen=True)
class Needs:
    """What would decide an undecided pair if all stays as estimated; None where that alone cannot.

    Attributes:
        splits: so many instead.
        replicates: so many of every configuration on every split instead.
        molecules: so many times the molecules.
    """

    splits: int | None
    replicates: int | None
    molecules: float | None


def verdict(pair: Interval, threshold: float, *, by_ranks: bool = False, confidence: float = 0.95) -> str:
    """The first one is "better", "equivalent", "worse", or it is "undecided".

    Equivalent: the interval lies within the threshold on both sides. Better: the interval is above 0 and the
    difference is at least the threshold; by ranks, their p-value says what the interval's side of 0 does.
    """
    if -threshold <= pair.low and pair.high <= threshold:
        return "equivalent"
    sure = pair.p < 1 - confidence if by_ranks else not pair.low <= 0 <= pair.high
    if sure and abs(pair.difference) >= threshold:
        return "better" if pair.difference > 0 else "worse"
    return "undecided"


def needs(pair: Pair, threshold: float, *, replicates: int, k: int) -> Needs:
    """The least splits (in whole repeats of k), replicates, or molecules that would decide."""
    gap = abs(pair.difference)
    goal = gap if gap >= threshold else threshold - gap

    def decided(splits: float, more_replicates: float = 1.0, more_molecules: float = 1.0) -> bool:
        between = pair.variance / more_molecules
        squared = (between + pair.noise / more_replicates) / splits + pair.shared * between
        return pair.quantile * math.sqrt(squared) < goal

    splits = next((pair.splits * f for f in _FACTORS if decided(pair.splits * f)), None)
    more = next((replicates * f for f in _FACTORS if decided(pair.splits, f)), None)
    # replicates spread less with more molecules too, by an amount that nobody can tell: left as they are
    molecules = next((float(f) for f in _FACTORS if decided(pair.splits, more_molecules=f)), None)
    return Needs(None if splits is None else math.ceil(splits / k) * k, more, molecules)


def chance_of_beating(one: np.ndarray, other: np.ndarray, *, ratio: float, folds: int) -> dict[str, Any]:
    """P(A > B): how often one run of the first beats one of the second on the same split.

    The interval is Student's, of the mean over splits, widened for the molecules that splits share as that of
    the scores' difference is: over data sets like this one, not over splits of this one alone.

    Args:
        one, other: (s, m) scores of the replicates, more is better; the same s splits.
        ratio: test molecules over training molecules.
        folds: splits that share no test molecule.

    Returns:
        {"chance", "low", "high" (95 %), "meaningful": one of the two beats the other with a chance of 0.75 at
        least, and surely over a half}.
    """
    wins = (one[:, :, None] > other[:, None, :]) + 0.5 * (one[:, :, None] == other[:, None, :])
    s, a, b = wins.shape
    by_split, chance = wins.mean(axis=(1, 2)), float(wins.mean())
    low, high = 0.0, 1.0
    if s > 1:
        # splits that all came out alike still leave a chance open, as one more of either outcome would show
        pulled = (s * chance + 0.5) / (s + 1)
        variance = max(float(np.var(by_split, ddof=1)), pulled * (1 - pulled) / (a * b))
        noise = _noise(wins)
        error = shared_error(variance, noise, s, ratio)
        freedom = (s - 1) * freedom_left(s, folds, max(1 - noise / variance, 0.0))
        half = float(special.stdtrit(freedom, 0.975)) * error
        low, high = max(chance - half, 0.0), min(chance + half, 1.0)
    sure = low > 0.5 or high < 0.5
    return {
        "chance": chance,
        "low": low,
        "high": high,
        "meaningful": bool(sure and max(chance, 1 - chance) >= MEANINGFUL),
    }


def _noise(wins: np.ndarray) -> float:
    """Mean over splits of the variance that few replicates leave in a split's share of wins (s, a, b)."""
    _, a, b = wins.shape
    rows = np.var(wins.mean(axis=2), axis=1, ddof=1).mean() / a if a > 1 else 0.0
    columns = np.var(wins.mean(axis=1), axis=1, ddof=1).mean() / b if b > 1 else 0.0
    return float(rows + columns)


def luck(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """What the difference of two published-style single runs, one of each, is made of.

    Args:
        one, other: (s, m) scores of the replicates on the same s splits.

    Returns:
        Shares of the mean squared difference: "replicates" (luck of weights, order and dropout), "split"
        (luck of the split) and "real" (the difference itself); and "wrong", how often a single run of each on
        one split puts the wrong one first.
    """
    replicates = float(np.var(one, axis=1, ddof=1).mean() + np.var(other, axis=1, ddof=1).mean())
    by_split = one.mean(axis=1) - other.mean(axis=1)
    squared = float(((one[:, :, None] - other[:, None, :]) ** 2).mean())
    of_means = replicates / one.shape[1]
    split = max(float(np.var(by_split, ddof=1)) - of_means, 0.0) if len(by_split) > 1 else 0.0
    total = squared or 1.0
    real = max(squared - replicates - split, 0.0)
    sign = 1.0 if by_split.mean() >= 0 else -1.0
    wrong = sign * (one[:, :, None] - other[:, None, :]) < 0
    return {
        "replicates": replicates / total,
        "split": split / total,
        "real": real / total,
        "wrong": float(wrong.mean()),
    }
