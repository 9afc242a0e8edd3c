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
  known
  from the replicates (`noise`): it gets the factor 1/S alone.

benchmarks/compare.py measures the false verdicts, with and without all this.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

from manywalks.compare.studentized_range import range_ppf, range_sf

# assumptions are given up where their tests are this sure
DOUBT = 0.01
# scores that differ by less than this share of the largest are alike: what is left is rounding
_ALIKE = 1e-10
# set by simulation, see above
_SHARED, _REPEATED = 1.5, 0.25


@dataclass(frozen=True)
class ScoreTable:
    """Scores at the infinite ensemble, turned so that more is better.

    Attributes:
        scores: (s, c), NaN where a configuration was not trained on a split.
        noise: (s, c) squared standard errors of the scores from the finite number of replicates.
        ratio: test molecules over training molecules, n_test / n_train.
        folds: splits that share no test molecule.
    """

    scores: np.ndarray
    noise: np.ndarray
    ratio: float
    folds: int


@dataclass(frozen=True)
class Assumptions:
    """What the intervals rest on, as p-values; None where it cannot be tested.

    Attributes:
        sphericity: Mauchly: all differences vary alike.
        normality: Shapiro and Wilk, of the residuals of scores after configuration and split.
        method: "tukey", "own variances" (no sphericity) or "ranks" (no normality).
    """

    sphericity: float | None
    normality: float | None
    method: str


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


def check_assumptions(table: ScoreTable) -> Assumptions:
    """Test what Tukey's intervals assume, on the splits that all configurations share."""
    whole, tried = _complete(table.scores), np.isfinite(table.scores).any(axis=1).sum()
    sphericity, normality = mauchly(whole), _shapiro(whole)
    if normality is not None and normality < DOUBT:
        method = "ranks"
    elif table.scores.shape[1] > 2 and (sphericity is None or sphericity < DOUBT or len(whole) < tried):
        method = "own variances"
    else:
        method = "tukey"
    return Assumptions(sphericity, normality, method)


def pairs_of(table: ScoreTable, confidence: float, method: str) -> list[Pair]:
    """Every pair of the c configurations, its interval simultaneous with all others."""
    found = [_pair(table, i, j, confidence, method) for i, j in _index_pairs(table)]
    if method != "ranks":
        return found
    p_values = rank_p_values(table, found)
    return [Pair(**{**vars(pair), "p": p}) for pair, p in zip(found, p_values, strict=True)]


def _pair(table: ScoreTable, i: int, j: int, confidence: float, method: str) -> Pair:
    """One pair's interval."""
    c = table.scores.shape[1]
    rounded = _rounded(table.scores)
    differences = rounded[:, i] - rounded[:, j]
    both = np.isfinite(differences)
    s = int(both.sum())
    if method == "tukey":
        variance, freedom = 2 * _residual_variance(_complete(table.scores)), (s - 1) * (c - 1)
    else:
        variance, freedom = float(np.var(differences[both], ddof=1)), s - 1
    noise = float(np.mean(table.noise[both, i] + table.noise[both, j]))
    between, shared = max(variance - noise, 0.0), _SHARED * table.ratio
    error, mean = shared_error(variance, noise, s, table.ratio), float(differences[both].mean())
    plain_half = tukey_quantile(confidence, c, freedom) * math.sqrt(variance / s)
    left = round(freedom * freedom_left(s, table.folds, between / variance if variance else 0.0), 1)
    quantile = tukey_quantile(confidence, c, left)
    half, p = quantile * error, _tukey_p(mean, error, c, left)
    return Pair(
        i, j, s, mean, error, mean - half, mean + half, mean - plain_half, mean + plain_half, p,
        between, noise, quantile, shared,
    )  # fmt: skip


def shared_error(variance: float, noise: float, splits: int, ratio: float) -> float:
    """Standard error of a mean over splits that share molecules (Nadeau and Bengio's, widened).

    Args:
        variance: of a split's value.
        noise: the part of it that is fresh in every split.
        splits: how many the mean is over.
        ratio: test molecules over training molecules.
    """
    return math.sqrt(variance / splits + _SHARED * ratio * max(variance - noise, 0.0))


def freedom_left(splits: int, folds: int, between: float) -> float:
    """Share of the degrees of freedom that splits have which share molecules.

    Only what differs `between` splits (a share of the variance) is shared; the replicates' noise is fresh.
    """
    repeated = max(splits - folds, 0)
    return 1 - between * (1 - _REPEATED) * repeated / (splits - 1)


def rank_p_values(table: ScoreTable, pairs: Sequence[Pair]) -> list[float]:
    """Conover's comparison after Friedman, Holm-adjusted; Wilcoxon's signed ranks for two configurations.

    The shared molecules shrink each statistic as they widen the pair's interval.
    """
    whole = _complete(table.scores)
    shrink = [
        (pair.high - pair.low) / (pair.plain_high - pair.plain_low) if pair.plain_high > pair.plain_low else 1
        for pair in pairs
    ]
    if whole.shape[1] == 2:
        if not np.any(whole[:, 0] != whole[:, 1]):
            return [1.0]
        ranked: Any = stats.wilcoxon(whole[:, 0] - whole[:, 1])
        return [float(2 * stats.norm.sf(stats.norm.isf(ranked.pvalue / 2) / shrink[0]))]
    t, freedom = conover(whole)
    raw = [
        float(2 * stats.t.sf(t[pair.one, pair.other] / factor, freedom))
        for pair, factor in zip(pairs, shrink, strict=True)
    ]
    return np.asarray(multipletests(raw, method="holm")[1]).tolist()


def conover(scores: np.ndarray) -> tuple[np.ndarray, int]:
    """Conover and Iman's t statistics (c, c) after Friedman's test of (s, c) scores, and their freedom."""
    s, c = scores.shape
    ranks = stats.rankdata(scores, axis=1)
    sums = ranks.sum(axis=0)
    spread = (np.sum(ranks**2) - c * s * (c + 1) ** 2 / 4) / (c - 1)
    freedom = s * c - c - s + 1
    if spread == 0:
        return np.zeros((c, c)), freedom
    friedman = np.sum((sums - s * (c + 1) / 2) ** 2) / spread
    # ranks that agree in every split leave no variance; half a rank's worth keeps the statistic finite
    left = max(1 - friedman / (s * (c - 1)), 1 / (2 * s))
    scale = spread * 2 * s * (c - 1) / freedom * left
    return np.abs(sums[:, None] - sums) / math.sqrt(scale), freedom


def friedman_p(scores: np.ndarray) -> float | None:
    """Friedman's test that all of 3 or more configurations are alike."""
    whole = _complete(scores)
    if whole.shape[1] < 3 or len(whole) < 2:
        return None
    if not np.ptp(whole, axis=1).any():
        return 1.0
    return float(stats.friedmanchisquare(*whole.T).pvalue)


def mauchly(scores: np.ndarray) -> float | None:
    """p of Mauchly's test of sphericity of (s, c) scores; None where there are too few splits or columns."""
    s, c = scores.shape
    p = c - 1
    if p < 2 or s <= c:
        return None
    # orthonormal contrasts: any basis of what is orthogonal to the constant
    contrasts = np.linalg.qr(np.column_stack([np.ones(c), np.eye(c)[:, : c - 1]]))[0][:, 1:]
    covariance = np.cov(scores @ contrasts, rowvar=False)
    sign, log_det = np.linalg.slogdet(covariance)
    if sign <= 0:
        return None
    log_w = log_det - p * math.log(np.trace(covariance) / p)
    scale = (s - 1) - (2 * p**2 + p + 2) / (6 * p)
    return float(stats.chi2.sf(-scale * log_w, p * (p + 1) // 2 - 1))


def _complete(scores: np.ndarray) -> np.ndarray:
    """Splits that all configurations were trained on."""
    return _rounded(scores)[np.isfinite(scores).all(axis=1)]


def _rounded(scores: np.ndarray) -> np.ndarray:
    """Scores (s, c) that are alike but for rounding made equal: tests of ranks would see order in it."""
    largest = float(np.nanmax(np.abs(scores), initial=0.0)) or 1.0
    step = 2.0 ** math.floor(math.log2(_ALIKE * largest))  # of a power of two multiples are exact
    return np.where(np.isnan(scores), np.nan, np.round(scores / step) * step)


def _shapiro(scores: np.ndarray) -> float | None:
    """p of the residuals being normal."""
    if len(scores) < 3:
        return None
    residuals = _residuals(scores)
    # of equal scores the means leave rounding, which no test can call normal or not
    if np.ptp(residuals) <= 10 * _ALIKE * np.abs(scores).max():
        return None
    # of two columns the residuals are each other's mirror: one of them holds all there is
    return float(stats.shapiro(residuals[:, 0] if scores.shape[1] == 2 else residuals.ravel()).pvalue)


def _residuals(scores: np.ndarray) -> np.ndarray:
    """What configuration and split leave of (s, c) scores."""
    return scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()


def _residual_variance(scores: np.ndarray) -> float:
    """Residual mean square of (s, c) scores after configuration and split."""
    s, c = scores.shape
    return float(np.sum(_residuals(scores) ** 2) / ((s - 1) * (c - 1)))


@lru_cache(maxsize=512)
def tukey_quantile(confidence: float, c: int, freedom: float) -> float:
    """Half width of a simultaneous interval over the difference's standard error; Student's for c = 2."""
    if c == 2:
        return float(stats.t.ppf(0.5 + confidence / 2, freedom))
    return range_ppf(confidence, c, freedom) / math.sqrt(2)


def _tukey_p(mean: float, error: float, c: int, freedom: float) -> float:
    """p adjusted for all pairs."""
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    if c == 2:
        return float(2 * stats.t.sf(abs(mean) / error, freedom))
    return range_sf(abs(mean) / error * math.sqrt(2), c, freedom)


def _index_pairs(table: ScoreTable) -> list[tuple[int, int]]:
    """(i, j) of all pairs, i before j."""
    return list(itertools.combinations(range(table.scores.shape[1]), 2))
