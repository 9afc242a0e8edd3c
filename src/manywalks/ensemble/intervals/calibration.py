"""From spread to uncertainty: what molecules that trained nothing teach of the ensemble's errors.

Spread is how far single replicates part, not how far the ensemble is off: all replicates can share an error.
So a residual variance stands beside the spread, fitted on molecules that trained nothing, and intervals are
split-conformal, scaled by the predicted standard deviation. Probabilities: probability_maps.py.
"""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from scipy import special
from threadpoolctl import threadpool_limits

from manywalks.ensemble.intervals import probability_maps
from manywalks.ensemble.intervals.distance_classes import DistanceClasses, fit_classes
from manywalks.ensemble.intervals.error_variance import FEW, cross_fitted_scores, variance_parts
from manywalks.formatting import count

LEVELS = (0.5, 0.8, 0.9, 0.95)
Reference = Literal["valid", "out of bag"]
# how the note ends that says why there is no calibration of a class
NOT_CALIBRATED = "are not calibrated"
_STOPPED = "the valid subset also decided when replicates stopped, so errors there may be a little small"
_CALLED: dict[str, str] = {"valid": "valid", "out of bag": "training"}
# of so few in a class, probabilities are calibrated with a note
_RARE = 10
# below so many of either class a line follows one or two molecules, and in simulations it made probabilities
# worse unless the network was far too sure
_LEAST_OF_CLASS = 3
# so many order statistics tell any quantile; more would only fill the manifest
_MOST_SCORES = 1000


@dataclass(frozen=True)
class Calibration:
    """One endpoint's calibration.

    Attributes:
        kind: "regression" or "classification".
        molecules: how many it was fitted on.
        reference: which these were: "valid", or training molecules "out of bag" (see out_of_bag.py).
        residual: variance beside the spread, in the endpoint's unit squared (regression).
        share: factor of the squared spread in the predicted variance (regression).
        scores: rising |error| / predicted sd of these molecules, or some of them (regression).
        classes: the same by distance from the training molecules, where there are enough (regression).
        slope, intercept: calibrated logit = intercept + slope * logit (classification, without knots).
        knots: (logit, calibrated probability) of the isotonic curve, rising (classification).
        cross_fitted: log-loss by way of calibration, on molecules that the map was not fitted on.
        notes: what the reader must know of it.
    """

    kind: str
    molecules: int
    residual: float = 0.0
    share: float = 1.0
    scores: tuple[float, ...] = ()
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()
    cross_fitted: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    classes: DistanceClasses = field(default_factory=DistanceClasses)
    reference: Reference = "valid"

    def predicted_sd(self, spread: np.ndarray) -> np.ndarray:
        """Standard deviation of the error (n,), from the spread (n,), in the endpoint's unit."""
        return np.sqrt(self.residual + self.share * np.square(np.asarray(spread, dtype=np.float64)))

    def interval(
        self, mean: np.ndarray, spread: np.ndarray, coverage: float, similarity: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end (n,) of intervals that hold the truth with probability `coverage`.

        With the `similarity` (n,) to the nearest training molecule, that is so for near and far ones alike,
        where there were enough valid molecules; else on average over molecules like the valid ones.

        A class has none, since what is observed is 0 or 1: NaN. See `probability_maps.replicate_range`.
        """
        mean = np.asarray(mean, dtype=np.float64)
        if self.kind == "classification":
            return np.full(mean.shape, np.nan), np.full(mean.shape, np.nan)
        quantile = np.full(mean.shape, self.quantile(coverage))
        if similarity is not None:
            quantile = self.classes.quantiles(coverage, np.asarray(similarity), self.quantile(coverage))
        half = quantile * self.predicted_sd(spread)
        return mean - half, mean + half

    def quantile(self, coverage: float) -> float:
        """Half width of the interval over the predicted sd: split-conformal where there are enough molecules.

        With n molecules the ceil((n + 1) coverage)-th score does it. Where that is more than n, no finite
        interval is guaranteed: Student's quantile, or the largest score if that is larger, stands in.
        """
        if not self.is_guaranteed(coverage):
            student = float(special.stdtrit(max(self.molecules - 1, 1), (1 + coverage) / 2))
            return max([student, *self.scores[-1:]])
        rank = math.ceil((self.molecules + 1) * coverage)
        kept = _kept_ranks(self.molecules)
        return self.scores[int(np.searchsorted(kept, rank))]

    def is_guaranteed(self, coverage: float) -> bool:
        """Whether there are enough molecules for a conformal interval of this coverage."""
        return math.ceil((self.molecules + 1) * coverage) <= self.molecules

    def probability(self, probability: np.ndarray) -> np.ndarray:
        """Calibrated probability of class 1, of any shape."""
        if self.knots:
            return probability_maps.IsotonicMap(*np.array(self.knots).T)(probability)
        return probability_maps.PlattMap(self.slope, self.intercept)(probability)

    def as_reported(self, predictions: np.ndarray) -> np.ndarray:
        """Predictions as users get them, of any shape: of a class calibrated, a number as it is."""
        return self.probability(predictions) if self.kind == "classification" else predictions

    def to_json(self) -> dict[str, Any]:
        """As the manifest keeps it."""
        lists = {"scores": list(self.scores), "notes": list(self.notes)}
        classes = {"edges": list(self.classes.edges), "scores": [list(own) for own in self.classes.scores]}
        return asdict(self) | lists | {"knots": [list(knot) for knot in self.knots], "classes": classes}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Calibration":
        """From what `to_json` gave."""
        tuples: dict[str, Any] = {name: tuple(content[name]) for name in ("scores", "notes")}
        found = content.get("classes", {"edges": [], "scores": []})  # a former model has none
        classes = DistanceClasses(tuple(found["edges"]), tuple(tuple(own) for own in found["scores"]))
        knots = tuple((x, y) for x, y in content["knots"])
        return cls(**{**content, **tuples, "knots": knots, "classes": classes})


def fit(
    observed: np.ndarray,
    mean: np.ndarray,
    spread: np.ndarray,
    kind: str,
    *,
    similarity: np.ndarray | None = None,
    early_stopping: bool = False,
    method: probability_maps.Method = "logistic",
    coverage: float = 0.9,
    reference: Reference = "valid",
) -> Calibration:
    """Calibrate one endpoint on molecules that trained nothing.

    Args:
        observed: (n,), NaN where not measured (or known as a bound alone).
        mean: (n,) the ensemble's predictions; probabilities for a class.
        spread: (n,) standard deviation over the replicates.
        kind: "regression" or "classification".
        similarity: (n,) to the nearest training molecule, for intervals of their own near and far.
        early_stopping: whether the same molecules decided when replicates stopped, which is noted.
        method: how probabilities are calibrated; "auto" takes what has the lower cross-fitted log-loss.
        coverage: of the intervals that will be asked for; it is noted where there are too few molecules.
        reference: which molecules these are.
    """
    observed = np.asarray(observed, dtype=np.float64)
    keep = np.isfinite(observed)
    y, f, s = observed[keep], np.asarray(mean, np.float64)[keep], np.asarray(spread, np.float64)[keep]
    called = f"{_CALLED[reference]} molecule"
    if kind == "classification":
        fitted = _fit_class(y > 0.5, f, method, called)
    else:
        near = np.full(y.shape, np.nan) if similarity is None else np.asarray(similarity, np.float64)[keep]
        # fits of two numbers: threads of BLAS only wait for each other, 17 times as long
        with threadpool_limits(1):
            fitted = _fit_regression(y - f, s, near, coverage, called)
    stopped = early_stopping and reference == "valid"
    return replace(
        fitted, notes=((_STOPPED, *fitted.notes) if stopped else fitted.notes), reference=reference
    )


def _fit_regression(
    error: np.ndarray, spread: np.ndarray, similarity: np.ndarray, coverage: float, called: str
) -> Calibration:
    """Residual variance and share of the spread by maximum likelihood; scores for the intervals."""
    n, notes = error.size, []
    if n == 0:
        lacks = f"{_none(called)}: intervals come from the spread alone and are too narrow"
        return Calibration("regression", 0, notes=(lacks,))
    residual, share = variance_parts(error, spread, alone=n < FEW)
    made = cross_fitted_scores(error, spread, (residual, share))
    scores, classes = np.sort(made), fit_classes(made, similarity)
    few = [level for level in sorted({*LEVELS, coverage}) if math.ceil((n + 1) * level) > n]
    if few:
        shown = ", ".join(f"{100 * level:g} %" for level in few)
        are = "is" if n == 1 else "are"
        notes.append(f"{count(n, called)} {are} too few to guarantee intervals of {shown}")
    kept = tuple(scores[_kept_ranks(n) - 1].tolist())
    return Calibration("regression", n, residual, share, kept, notes=tuple(notes), classes=classes)


def _none(called: str) -> str:
    """That there are none: of the training molecules, those that replicates left out are used."""
    return f"no {called} {'could be used' if called.startswith(_CALLED['out of bag']) else 'was measured'}"


def _fit_class(
    positive: np.ndarray, probability: np.ndarray, method: probability_maps.Method, called: str
) -> Calibration:
    """The line or the curve that was asked for; the line where molecules are too few for a curve."""
    n, ones = positive.size, int(positive.sum())
    if min(ones, n - ones) < _LEAST_OF_CLASS:
        lacks = f"{_rare(ones, n, called) if n else _none(called)}, so the probabilities {NOT_CALIBRATED}"
        return Calibration("classification", n, notes=(lacks,))
    notes, can_bend = [], probability_maps.enough_for_isotonic(positive)
    if min(ones, n - ones) < _RARE:
        notes.append(f"{ones} of {n} {called}s are positive: too few of one class to calibrate well")
    if method == "isotonic" and not can_bend:
        notes.append(
            f"{ones} of {n} {called}s are positive: too few for an isotonic curve, so a logistic one is used"
        )
    losses = probability_maps.cross_fitted(positive, probability) if can_bend else {}
    bent = can_bend and (
        method == "isotonic" or (method == "auto" and losses["isotonic"] < losses["logistic"])
    )
    if bent:
        curve = probability_maps.fit_isotonic(positive, probability)
        knots = tuple(zip(curve.logits.tolist(), curve.values.tolist(), strict=True))
        return Calibration("classification", n, knots=knots, cross_fitted=losses, notes=tuple(notes))
    line = probability_maps.fit_platt(positive, probability)
    return Calibration(
        "classification",
        n,
        slope=line.slope,
        intercept=line.intercept,
        cross_fitted=losses,
        notes=tuple(notes),
    )


def _rare(ones: int, n: int, called: str) -> str:
    """How few of n molecules are of the rarer class."""
    if ones in (0, n):
        return f"all {called}s are of one class"
    which, few = ("positive", ones) if ones <= n - ones else ("negative", n - ones)
    return f"only {few} of {count(n, called)} {'is' if few == 1 else 'are'} {which}"


def _kept_ranks(n: int) -> np.ndarray:
    """Ranks, from 1, of the order statistics that are kept of n: all, or evenly spaced up to the largest."""
    return np.unique(np.ceil(np.linspace(1, n, min(n, _MOST_SCORES))).astype(np.int64))
