"""Churn: how predictions of the same molecules change from one model to the next, and how much of it is luck.

Both models are ensembles whose replicates scatter, so two trainings on the same data differ, too. At a
molecule, that luck has the variance s1^2 v1 + s2^2 v2 (s: spread of the replicates, v: 1/m for a mean). A
change is beyond luck where it is larger than Student's t allows, with the false discovery rate held down
(Benjamini and Hochberg). What else moves a model is new data, another split of it, other parameters.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.params.sections.cut import Cut
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.combine import Combining, Mode, as_means, combine, location_variance
from manywalks.replicates.statistics.best import best_of, candidates_of
from manywalks.replicates.statistics.decisions import flip_chances

BEST_SHARE = 0.05
# of the molecules named as moved beyond luck, so many at most are named wrongly, on average
FALSE_SHARE = 0.05
SHOWN = 10
# fewer best molecules than this have no overlap worth reading
FEWEST_BEST = 5
_DRAWS = 2000
_TINY = 1e-12


@dataclass(frozen=True)
class Side:
    """One model at n molecules.

    Attributes:
        predicted: (n,) in endpoint units, probabilities of a class before calibration.
        moved: (m, n) replicates whose mean moves as the ensemble does.
        mode: how they are combined.
    """

    predicted: np.ndarray
    moved: np.ndarray
    mode: Mode = "mean"

    @property
    def variance(self) -> np.ndarray:
        """Variance (n,) of the prediction over retrainings on the same data."""
        return location_variance(self.mode, len(self.moved)) * np.var(self.moved, axis=0, ddof=1)

    def calibrated(self, calibration: Calibration) -> "Side":
        """The same as users see it, with the calibration taken as it is."""
        moved = np.clip(self.moved, 0, 1) if calibration.kind == "classification" else self.moved
        return Side(calibration.as_reported(self.predicted), calibration.as_reported(moved), self.mode)


@dataclass(frozen=True)
class ChurnTerms:
    """What an endpoint's churn goes by.

    Attributes:
        kind: "regression" or "classification".
        unit: of the endpoint.
        cut: where decisions change; None where there are none.
        wanted: the endpoint's parameters, which say what values are looked for.
        confidence: of what luck explains at most.
    """

    kind: str
    unit: str
    cut: Cut | None = None
    wanted: EndpointParams = field(default_factory=EndpointParams)
    confidence: float = 0.95


def side_of(replicates: np.ndarray, how: Combining) -> Side:
    """A model at n molecules, from its (m, n) replicate predictions in endpoint units."""
    return Side(combine(replicates, how), as_means(replicates, how), how.mode)


def churn(
    before: Side, after: Side, terms: ChurnTerms, calibrations: tuple[Calibration, Calibration] | None = None
) -> dict[str, Any]:
    """How the predictions of n molecules changed from one model to the next.

    `calibrations` of both models decide a class, and say which probabilities lie deepest in a range; all else
    is about the networks themselves, since a calibration is fitted anew with each model.

    Returns:
        molecules; rms_change, mean_change (after - before) in the endpoint's unit; luck_rms (expected from
        the replicates alone) and luck_bound (what luck explains at most, with the confidence); beyond_rms
        (what is left, 0 where luck explains all); beyond: molecules and places of those that moved beyond
        luck; flips and top (None where there are none); moved_most: up to 10, the largest change first.
    """
    change = after.predicted - before.predicted
    n = change.size
    if n == 0:
        return {"molecules": 0, "unit": terms.unit}
    rms, luck = math.sqrt(np.mean(change**2)), math.sqrt(np.mean(before.variance + after.variance))
    p = chances_of_luck(change, before, after)
    q = false_discovery_rates(p)
    beyond = np.flatnonzero(q <= FALSE_SHARE)
    seen = (before, after)
    if calibrations is not None:
        seen = (before.calibrated(calibrations[0]), after.calibrated(calibrations[1]))
    return {
        "molecules": n,
        "unit": terms.unit,
        "rms_change": rms,
        "mean_change": float(change.mean()),
        "luck_rms": luck,
        "luck_bound": _luck_bound(before, after, terms.confidence),
        "confidence": terms.confidence,
        "beyond_rms": math.sqrt(max(0.0, rms**2 - luck**2)),
        "beyond": {
            "molecules": int(beyond.size),
            "false_share": FALSE_SHARE,
            "places": beyond[np.argsort(-np.abs(change[beyond]), kind="stable")].tolist(),
        },
        "flips": _flips(*seen, terms.cut),
        "top": _top(*(seen if terms.wanted.want == "range" else (before, after)), terms),
        "moved_most": [
            {**one, "beyond_luck": bool(q[one["place"]] <= FALSE_SHARE)} for one in _most(before, after, p)
        ],
    }


def _most(before: Side, after: Side, p: np.ndarray) -> list[dict[str, Any]]:
    """The places that moved most, with both predictions and the chance (n,) that luck alone did it."""
    change = after.predicted - before.predicted
    return [
        {
            "place": int(place),
            "before": float(before.predicted[place]),
            "after": float(after.predicted[place]),
            "change": float(change[place]),
            "p": float(p[place]),
        }
        for place in np.argsort(-np.abs(change), kind="stable")[:SHOWN]
    ]


def chances_of_luck(change: np.ndarray, before: Side, after: Side) -> np.ndarray:
    """Chance (n,) that luck alone changes a prediction by so much, by Welch's t test."""
    parts = [(side.variance, len(side.moved) - 1) for side in (before, after)]
    total = sum(variance for variance, _ in parts)
    squares = sum(variance**2 / freedom for variance, freedom in parts)
    known = total > _TINY * np.square(before.predicted) + np.finfo(np.float64).tiny
    freedom = np.divide(total**2, squares, out=np.ones_like(change), where=known)
    z = np.divide(np.abs(change), np.sqrt(total), out=np.zeros_like(change), where=known)
    # where no replicate of either model moves, any change is no luck
    certain = (np.abs(change) <= 1e-6 * np.abs(before.predicted)).astype(np.float64)
    return np.where(known, 2 * special.stdtr(freedom, -z), certain)


def false_discovery_rates(p: np.ndarray) -> np.ndarray:
    """Each p value (n,) adjusted as Benjamini and Hochberg do: the false share among all as small."""
    order = np.argsort(p)
    raised = p[order] * p.size / np.arange(1, p.size + 1)
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1)
    return adjusted


def _luck_bound(before: Side, after: Side, confidence: float) -> float:
    """What the root mean square change will not exceed by luck alone.

    Differences have Student's t distributions with each model's covariance; their mean square is a quadratic
    form in as many numbers as there are replicates, whatever the number of molecules.
    """
    deviations = np.concatenate([_scaled(side) for side in (before, after)])
    gram = deviations @ deviations.T / deviations.shape[1]
    draws = _draws(len(before.moved), len(after.moved))
    return math.sqrt(float(np.quantile(np.einsum("bi,ij,bj->b", draws, gram, draws), confidence)))


def _scaled(side: Side) -> np.ndarray:
    """Deviations (m, n) of the replicates, times the root of what the ensemble's variance has of theirs."""
    return math.sqrt(location_variance(side.mode, len(side.moved))) * (side.moved - side.moved.mean(axis=0))


def _draws(*counts: int) -> np.ndarray:
    """Weights (_DRAWS, sum of counts) of the replicates' deviations in a difference of two retrainings."""
    rng = np.random.default_rng(0)  # draws what luck may do; no replicate depends on it
    own = [rng.standard_normal((_DRAWS, m)) / np.sqrt(rng.chisquare(m - 1, (_DRAWS, 1))) for m in counts]
    return np.concatenate(own, axis=1)


def _flips(before: Side, after: Side, cut: Cut | None) -> dict[str, Any] | None:
    """How many decisions changed, and how many luck alone would have changed."""
    if cut is None:
        return None
    changed = cut.selects(before.predicted) != cut.selects(after.predicted)
    error = np.sqrt(before.variance + after.variance)
    return {
        "cut": cut.text,
        "molecules": int(changed.sum()),
        "share": float(changed.mean()),
        "by_luck": float(flip_chances(before.predicted, error, cut, len(before.moved)).sum()),
    }


def _top(before: Side, after: Side, terms: ChurnTerms) -> dict[str, Any] | None:
    """How many of the best molecules stayed, and how many luck alone would have left."""
    n = before.predicted.size
    size = round(BEST_SHARE * n)
    if size < FEWEST_BEST:
        return None
    first, second = (
        set(np.argsort(-terms.wanted.desirability(side.predicted), kind="stable")[:size].tolist())
        for side in (before, after)
    )
    names = [str(place) for place in range(n)]
    luck = candidates_of(names, before.predicted, before.moved, terms.wanted, size, before.mode)
    replaced = best_of(
        luck, terms.wanted, size, terms.confidence, np.random.default_rng(0), mode=before.mode
    ).expected
    return {
        "share": BEST_SHARE,
        "want": terms.wanted.want or "high",
        "molecules": size,
        "stayed": len(first & second),
        "by_luck": size - replaced,
    }
