"""Champion against challenger on the same molecules: a paired comparison that knows replicate noise.

Two things are left to chance: which molecules were held back, and how the replicates of either ensemble fell.
Molecules of one series are hard or easy together, so they count by whole series (a cluster-robust error), in
pairs for the two ensembles; what the replicates add is the jackknife's over them. Neither draws at random.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import special

Verdict = Literal["better", "equivalent", "worse", "undecided"]
_LEAST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class Ensembled:
    """One side: what it predicts, and the replicates that it is made of.

    Attributes:
        mean: (n,) the ensemble's predictions, in endpoint units.
        replicates: (m, n) of its replicates.
    """

    mean: np.ndarray
    replicates: np.ndarray


@dataclass(frozen=True)
class Rule:
    """How the sides are judged.

    Attributes:
        metric: "rmse" or "mae", for classes "log_loss" or "brier"; lower is better.
        margin: differences within this share of the champion's score are equivalent.
        confidence: how sure a verdict is.
        min_molecules: with fewer the verdict is undecided.
    """

    metric: str
    margin: float
    confidence: float
    min_molecules: int


class Part(NamedTuple):
    """One part of the difference's squared error, and the degrees of freedom that it is known with."""

    variance: float
    freedom: float


def contest(
    champion: Ensembled,
    challenger: Ensembled,
    observed: np.ndarray,
    rule: Rule,
    series: np.ndarray | None = None,
) -> dict[str, Any]:
    """Compare two ensembles at n molecules that neither has trained on.

    Args:
        champion, challenger: what each predicts at the molecules.
        observed: (n,) exactly measured values, finite.
        rule: how they are judged.
        series: int (n,), which molecules are alike; each by itself where None.

    Returns:
        molecules, series (how many), metric, champion and challenger (scores), difference (challenger -
        champion), low and high (its interval), noise (the part of its standard deviation that is the
        replicates'), verdict.
    """
    losses: list[Any] = [_loss(side.mean, observed, rule.metric) for side in (champion, challenger)]
    scores: list[Any] = [_score(loss.mean(), rule.metric) if loss.size else None for loss in losses]
    own = np.arange(observed.size) if series is None else np.unique(series, return_inverse=True)[1]
    count = int(own.max(initial=-1)) + 1
    if observed.size < rule.min_molecules or None in scores or count < 2:
        return _result(rule, (observed.size, count), scores, None, None)
    steps = [_influence(loss, score, rule.metric) for loss, score in zip(losses, scores, strict=True)]
    parts = [_of_series(steps[1] - steps[0], own)]
    parts += [_of_replicates(side, observed, rule.metric) for side in (champion, challenger)]
    half = _half_width(parts, rule.confidence)
    difference = scores[1] - scores[0]
    noise = math.sqrt(parts[1].variance + parts[2].variance)
    return _result(rule, (observed.size, count), scores, (difference - half, difference + half), noise)


def _influence(loss: np.ndarray, score: float, metric: str) -> np.ndarray:
    """How far each molecule (n,) moves the score, to first order, times n."""
    deviation = loss - loss.mean()
    if metric != "rmse":
        return deviation
    return deviation / (2 * score) if score > 0 else np.zeros_like(deviation)


def _of_series(step: np.ndarray, series: np.ndarray) -> Part:
    """Error of the mean of (n,) steps, by whole series.

    Series of unequal size tell less than their number: n^2 / sum of squared sizes of them, at most.
    """
    sums, sizes = np.bincount(series, weights=step), np.bincount(series)
    effective = float(sizes.sum() ** 2 / np.sum(sizes**2.0))
    variance = float(np.sum(sums**2)) / step.size**2 * len(sums) / (len(sums) - 1)
    return Part(variance, max(effective - 1, 1.0))


def _of_replicates(side: Ensembled, observed: np.ndarray, metric: str) -> Part:
    """Error of a score from having m replicates, by the jackknife."""
    m = len(side.replicates)
    if m < 2:
        return Part(0.0, 1.0)
    shifts = (side.replicates.mean(axis=0) - side.replicates) / (m - 1)
    scores = _score(_loss(side.mean + shifts, observed, metric).mean(axis=1), metric)
    return Part(float((m - 1) * np.var(scores)), m - 1)


def _half_width(parts: list[Part], confidence: float) -> float:
    """Student's, with the degrees of freedom of a sum of variances (Welch and Satterthwaite)."""
    total = sum(part.variance for part in parts)
    if total == 0:
        return 0.0
    freedom = total**2 / sum(part.variance**2 / part.freedom for part in parts)
    return float(special.stdtrit(freedom, 0.5 + confidence / 2)) * math.sqrt(total)


def verdict(low: float, high: float, margin: float) -> Verdict:
    """What an interval of challenger - champion says, lower being better, differences within margin none."""
    if -margin < low and high < margin:
        return "equivalent"
    if high < 0:
        return "better"
    return "worse" if low > 0 else "undecided"


def _result(
    rule: Rule,
    counts: tuple[int, int],
    scores: list[Any],
    interval: tuple[float, float] | None,
    noise: float | None,
) -> dict[str, Any]:
    """The JSON of one endpoint's contest."""
    low, high = interval or (None, None)
    found = "undecided" if interval is None else verdict(*interval, rule.margin * scores[0])
    return {
        "molecules": int(counts[0]),
        "series": counts[1],
        "metric": rule.metric,
        "champion": scores[0],
        "challenger": scores[1],
        "difference": None if None in scores else scores[1] - scores[0],
        "low": low,
        "high": high,
        "noise": noise,
        "confidence": rule.confidence,
        "verdict": found,
    }


def _loss(predicted: np.ndarray, observed: np.ndarray, metric: str) -> np.ndarray:
    """Loss of each prediction (…, n)."""
    if metric == "mae":
        return np.abs(predicted - observed)
    if metric == "log_loss":
        p = np.clip(predicted, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
        return -(observed * np.log(p) + (1 - observed) * np.log1p(-p))
    return (predicted - observed) ** 2


def _score(loss: Any, metric: str) -> Any:
    """The metric from the mean loss."""
    return np.sqrt(loss) if metric == "rmse" else loss
