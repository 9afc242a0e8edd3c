"""Probabilities that come true: maps from the ensemble's probability to a calibrated one.

Logistic: a line on the logit (Platt), two numbers, rises strictly, so the order of molecules stays.
Isotonic: any rising curve, which follows probabilities that are off in a bent way and needs more molecules.
Which of them does better is told by cross-fitting: each fold's molecules by a map fitted on the other folds.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

Method = Literal["logistic", "isotonic", "auto"]
Map = Callable[[np.ndarray], np.ndarray]
FOLDS = 5
# of each class; below, a curve of many steps would follow single molecules
LEAST = 20
# float32 probabilities reach 0 and 1
CLIP = 1e-7


class PlattMap(NamedTuple):
    """Calibrated logit = intercept + slope * logit."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, probability: np.ndarray) -> np.ndarray:
        """Calibrated probability, of any shape."""
        return special.expit(self.intercept + self.slope * logit(probability))


class IsotonicMap(NamedTuple):
    """Calibrated probability between knots, linear on the logit, flat beyond the ends.

    Attributes:
        logits: rising (k,).
        values: calibrated probabilities there, not falling.
    """

    logits: np.ndarray
    values: np.ndarray

    def __call__(self, probability: np.ndarray) -> np.ndarray:
        """Calibrated probability, of any shape."""
        return np.interp(logit(probability), self.logits, self.values)


def logit(probability: np.ndarray) -> np.ndarray:
    """Finite logit of probabilities, of any shape."""
    return special.logit(np.clip(np.asarray(probability, dtype=np.float64), CLIP, 1 - CLIP))


def fit_platt(positive: np.ndarray, probability: np.ndarray) -> PlattMap:
    """Platt's line by maximum likelihood; N(0, 1) priors on intercept and log slope hold few data.

    Args:
        positive: bool (n,).
        probability: (n,).
    """
    from scipy import optimize  # a quarter of a second to import

    at, signed = logit(probability), np.where(positive, 1.0, -1.0)

    def cost(x: np.ndarray) -> float:
        margin = signed * (x[1] + math.exp(x[0]) * at)
        return float(np.sum(np.logaddexp(0, -margin))) + 0.5 * float(x @ x)

    best = optimize.minimize(cost, np.zeros(2), bounds=[(-4, 4), (-10, 10)], method="L-BFGS-B").x
    return PlattMap(math.exp(best[0]), float(best[1]))


def fit_isotonic(positive: np.ndarray, probability: np.ndarray) -> IsotonicMap:
    """A rising curve, no nearer to 0 or 1 than one molecule more of each class would leave it.

    Args:
        positive: bool (n,).
        probability: (n,).
    """
    knots, values = mean_isotonic(positive, probability)
    least = 1 / (len(positive) + 2)
    return IsotonicMap(knots, np.clip(values, least, 1 - least))


def mean_isotonic(positive: np.ndarray, probability: np.ndarray) -> IsotonicMap:
    """The mean of the isotonic regressions that leave one fold out each.

    The mean of rising curves rises; it has more and smaller steps than any of them, so fewer molecules tie.
    """
    folds = folds_of(positive)
    curves = [_isotonic(positive[folds != fold], probability[folds != fold]) for fold in range(FOLDS)]
    knots = np.unique(np.concatenate([curve.logits for curve in curves]))
    values = np.mean([np.interp(knots, *curve) for curve in curves], axis=0)
    bent = np.ones(len(knots), dtype=bool)  # a knot on the line between its neighbours says nothing
    if len(knots) > 2:
        across = values[:-2] + np.diff(knots)[:-1] / (knots[2:] - knots[:-2]) * (values[2:] - values[:-2])
        bent[1:-1] = ~np.isclose(values[1:-1], across, rtol=0, atol=1e-9)
    return IsotonicMap(knots[bent], values[bent])


def _isotonic(positive: np.ndarray, probability: np.ndarray) -> IsotonicMap:
    """The rising step curve of least squares, by its corners."""
    from sklearn.isotonic import IsotonicRegression  # half a second to import

    fitted = IsotonicRegression(out_of_bounds="clip").fit(logit(probability), positive.astype(np.float64))
    return IsotonicMap(np.asarray(fitted.X_thresholds_), np.asarray(fitted.y_thresholds_))


def folds_of(positive: np.ndarray) -> np.ndarray:
    """A fold a molecule, int (n,): both classes dealt evenly, by chance but the same each time."""
    rng = np.random.default_rng(0)  # which molecules share a fold is no part of any replicate
    folds = np.empty(len(positive), dtype=np.int64)
    for rows in (np.flatnonzero(positive), np.flatnonzero(~positive)):
        folds[rng.permutation(rows)] = np.arange(len(rows)) % FOLDS
    return folds


def cross_fitted(positive: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Log-loss (nats) of each way on molecules that its map was not fitted on, and of none at all."""
    folds = folds_of(positive)
    ways: dict[str, Callable[[np.ndarray, np.ndarray], Map]] = {
        "logistic": fit_platt,
        "isotonic": fit_isotonic,
    }
    found = {"none": log_loss(positive, probability)}
    for name, fit in ways.items():
        fresh = np.empty(len(positive))
        for fold in range(FOLDS):
            out = folds == fold
            fresh[out] = fit(positive[~out], probability[~out])(probability[out])
        found[name] = log_loss(positive, fresh)
    return found


def log_loss(positive: np.ndarray, probability: np.ndarray) -> float:
    """Mean negative logarithm of the probability of what was observed, in nats."""
    p = np.clip(probability, CLIP, 1 - CLIP)
    return float(-np.mean(np.log(np.where(positive, p, 1 - p))))


def replicate_range(probabilities: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends (n,) of the middle `coverage` of single replicates' probabilities (m, n).

    What another replicate would have said; how sure the class is, the ensemble's probability itself says.
    """
    ends = np.quantile(probabilities, [(1 - coverage) / 2, (1 + coverage) / 2], axis=0)
    return ends[0], ends[1]


def enough_for_isotonic(positive: np.ndarray) -> bool:
    """Whether there are enough of both classes for a curve, and for judging it by folds."""
    ones = int(positive.sum())
    return min(ones, positive.size - ones) >= LEAST
