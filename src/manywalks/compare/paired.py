"""Paired differences of configurations over splits, with simultaneous intervals.

Tukey's honestly significant difference for repeated measures (Ash et al. 2025): splits are the blocks. Two
things are added, since the splits of a repeated k-fold share most of their training molecules:

- After Nadeau and Bengio (2003): a difference's squared standard error over S splits is s^2 (1/S + 1.5 r),
  r = n_test/n_train, where s^2/S would treat the splits as independent. Theirs has r alone; with that, twins
  (equal over all data sets, not on any one of them) were called different in 9 to 14 % of simulated
  comparisons, since the luck of the training molecules hardly shows within one data set, and since splits
  that share molecules say less of s^2 than their number: those of the repeats after the first count for a
  quarter of a degree of freedom each.
- What the finite number of replicates adds to s^2 is fresh in every split (each has its own streams), and
  known from the replicates (`noise`): it gets the factor 1/S alone.

benchmarks/compare.py measures the false verdicts, with and without all this.
"""

import itertools
import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import special

from manywalks.compare.rank_tests import rank_p_values
from manywalks.compare.report.score_table import ScoreTable, residual_variance
from manywalks.compare.studentized_range import range_ppf, range_sf

# set by simulation, see above
SHARED, _REPEATED = 1.5, 0.25
# as good as infinitely many degrees of freedom
_MANY = 1e4


@dataclass(frozen=True)
class Pair:
    """One pair, in the metric's unit; positive where the first is better.

    Attributes:
        one, other: column numbers.
        splits: how many both were trained on.
        difference: mean over splits.
        error: its standard error, corrected for shared molecules.
        low, high: simultaneous interval.
        plain_low, plain_high: the same as if splits were independent (as published comparisons have it).
        p: adjusted for all pairs.
        variance: of a split's difference, without the replicates' noise.
        noise: the replicates' noise in a split's difference, squared.
        quantile: of the interval's half width over `error`.
        shared: what of `variance` no number of splits takes away from `error` squared.
        freedom: degrees of freedom that `error` is known with.
        wider: how many times as wide the interval is as it would be if `error` were known for sure.
    """

    one: int
    other: int
    splits: int
    difference: float
    error: float
    low: float
    high: float
    plain_low: float
    plain_high: float
    p: float
    variance: float
    noise: float
    quantile: float
    shared: float
    freedom: float
    wider: float

    @property
    def widening(self) -> float:
        """The interval's width over that for independent splits; 1 where neither has a width."""
        plain = self.plain_high - self.plain_low
        return (self.high - self.low) / plain if plain > 0 else 1.0


def pairs_of(table: ScoreTable, confidence: float, method: str) -> list[Pair]:
    """Every pair of the c configurations, its interval simultaneous with all others."""
    columns = list(itertools.combinations(range(table.scores.shape[1]), 2))
    found = [_pair(table, i, j, confidence, method) for i, j in columns]
    if method != "ranks":
        return found
    p_values = rank_p_values(table, columns, [pair.widening for pair in found])
    return [replace(pair, p=p) for pair, p in zip(found, p_values, strict=True)]


def _pair(table: ScoreTable, i: int, j: int, confidence: float, method: str) -> Pair:
    """One pair's interval."""
    c = table.scores.shape[1]
    rounded = table.rounded
    differences = rounded[:, i] - rounded[:, j]
    both = np.isfinite(differences)
    s = int(both.sum())
    if method == "tukey":
        variance, freedom = 2 * residual_variance(table.complete), (s - 1) * (c - 1)
    else:
        variance, freedom = float(np.var(differences[both], ddof=1)), s - 1
    noise = float(np.mean(table.noise[both, i] + table.noise[both, j]))
    between, shared = max(variance - noise, 0.0), SHARED * table.ratio
    error, mean = shared_error(variance, noise, s, table.ratio), float(differences[both].mean())
    plain_half = tukey_quantile(confidence, c, freedom) * math.sqrt(variance / s)
    left = round(freedom * freedom_left(s, table.folds, between / variance if variance else 0.0), 1)
    quantile = tukey_quantile(confidence, c, left)
    half, p = quantile * error, _tukey_p(mean, error, c, left)
    wider = quantile / tukey_quantile(confidence, c, _MANY)
    return Pair(
        i, j, s, mean, error, mean - half, mean + half, mean - plain_half, mean + plain_half, p,
        between, noise, quantile, shared, left, wider,
    )  # fmt: skip


def shared_error(variance: float, noise: float, splits: int, ratio: float) -> float:
    """Standard error of a mean over splits that share molecules (Nadeau and Bengio's, widened).

    Args:
        variance: of a split's value.
        noise: the part of it that is fresh in every split.
        splits: how many the mean is over.
        ratio: test molecules over training molecules.
    """
    return math.sqrt(variance / splits + SHARED * ratio * max(variance - noise, 0.0))


def freedom_left(splits: int, folds: int, between: float) -> float:
    """Share of the degrees of freedom that splits have which share molecules.

    Only what differs `between` splits (a share of the variance) is shared; the replicates' noise is fresh.
    """
    repeated = max(splits - folds, 0)
    return 1 - between * (1 - _REPEATED) * repeated / (splits - 1)


@lru_cache(maxsize=512)
def tukey_quantile(confidence: float, c: int, freedom: float) -> float:
    """Half width of a simultaneous interval over the difference's standard error; Student's for c = 2."""
    if c == 2:
        return float(special.stdtrit(freedom, 0.5 + confidence / 2))
    return range_ppf(confidence, c, freedom) / math.sqrt(2)


def _tukey_p(mean: float, error: float, c: int, freedom: float) -> float:
    """p adjusted for all pairs."""
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    if c == 2:
        return float(2 * special.stdtr(freedom, -abs(mean) / error))
    return range_sf(abs(mean) / error * math.sqrt(2), c, freedom)
