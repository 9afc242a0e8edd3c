"""Scores of configurations on splits, and what intervals for their differences may assume."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

# assumptions are given up where their tests are this sure
DOUBT = 0.01
# scores that differ by less than this share of the largest are alike: what is left is rounding
_ALIKE = 1e-10


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

    @property
    def rounded(self) -> np.ndarray:
        """Scores (s, c) that are alike but for rounding made equal: tests of ranks would see order in it."""
        largest = float(np.nanmax(np.abs(self.scores), initial=0.0)) or 1.0
        step = 2.0 ** math.floor(math.log2(_ALIKE * largest))  # of a power of two multiples are exact
        return np.where(np.isnan(self.scores), np.nan, np.round(self.scores / step) * step)

    @property
    def complete(self) -> np.ndarray:
        """Rounded scores of the splits that all configurations were trained on."""
        return self.rounded[np.isfinite(self.scores).all(axis=1)]


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


def check_assumptions(table: ScoreTable) -> Assumptions:
    """Test what Tukey's intervals assume, on the splits that all configurations share."""
    whole, tried = table.complete, np.isfinite(table.scores).any(axis=1).sum()
    sphericity, normality = mauchly(whole), _shapiro(whole)
    if normality is not None and normality < DOUBT:
        method = "ranks"
    elif table.scores.shape[1] > 2 and (sphericity is None or sphericity < DOUBT or len(whole) < tried):
        method = "own variances"
    else:
        method = "tukey"
    return Assumptions(sphericity, normality, method)


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
    return float(special.chdtrc(p * (p + 1) // 2 - 1, -scale * log_w))


def _shapiro(scores: np.ndarray) -> float | None:
    """p of the residuals being normal."""
    if len(scores) < 3:
        return None
    from scipy import stats  # half a second to import

    residuals = _residuals(scores)
    # of equal scores the means leave rounding, which no test can call normal or not
    if np.ptp(residuals) <= 10 * _ALIKE * np.abs(scores).max():
        return None
    # of two columns the residuals are each other's mirror: one of them holds all there is
    return float(stats.shapiro(residuals[:, 0] if scores.shape[1] == 2 else residuals.ravel()).pvalue)


def _residuals(scores: np.ndarray) -> np.ndarray:
    """What configuration and split leave of (s, c) scores."""
    return scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()


def residual_variance(scores: np.ndarray) -> float:
    """Residual mean square of (s, c) scores after configuration and split."""
    s, c = scores.shape
    return float(np.sum(_residuals(scores) ** 2) / ((s - 1) * (c - 1)))
