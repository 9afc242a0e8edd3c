"""Champion against challenger on the same molecules: a paired comparison that knows replicate noise.

Two things are left to chance: which molecules were held back, and how the replicates of either ensemble fell.
Both are drawn again, molecules jointly for the two (so that hard molecules are hard for both) and replicates
for each.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Verdict = Literal["better", "equivalent", "worse", "undecided"]
DRAWS = 2000
# draws at a time: (draws, molecules) of predictions are held in memory twice
_AT_ONCE = 100
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


def contest(
    champion: Ensembled, challenger: Ensembled, observed: np.ndarray, rule: Rule, rng: np.random.Generator
) -> dict[str, Any]:
    """Compare two ensembles at n molecules that neither has trained on.

    Args:
        champion, challenger: what each predicts at the molecules.
        observed: (n,) exactly measured values, finite.
        rule: how they are judged.
        rng: draws molecules and replicates again.

    Returns:
        molecules, metric, champion and challenger (scores), difference (challenger - champion), low and high
        (its interval), noise (the part of its standard deviation that is the replicates'), verdict.
    """
    losses: list[Any] = [_loss(side.mean, observed, rule.metric) for side in (champion, challenger)]
    scores: list[Any] = [_score(loss.mean(), rule.metric) if loss.size else None for loss in losses]
    if observed.size < rule.min_molecules or None in scores:
        return _result(rule, observed.size, scores, None, None)
    both = _differences(champion, challenger, observed, rule.metric, rng, molecules=True)
    replicates = _differences(champion, challenger, observed, rule.metric, rng, molecules=False)
    difference = scores[1] - scores[0]
    tail = (1 - rule.confidence) / 2
    # replicates drawn with replacement make either side a little worse than it is: only their scatter counts
    low, high = np.quantile(both - both.mean(), [tail, 1 - tail]) + difference
    return _result(rule, observed.size, scores, (float(low), float(high)), float(replicates.std()))


def verdict(low: float, high: float, margin: float) -> Verdict:
    """What an interval of challenger - champion says, lower being better, differences within margin none."""
    if -margin < low and high < margin:
        return "equivalent"
    if high < 0:
        return "better"
    return "worse" if low > 0 else "undecided"


def _result(
    rule: Rule, n: int, scores: list[Any], interval: tuple[float, float] | None, noise: float | None
) -> dict[str, Any]:
    """The JSON of one endpoint's contest."""
    low, high = interval or (None, None)
    found = "undecided" if interval is None else verdict(*interval, rule.margin * scores[0])
    return {
        "molecules": int(n),
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


def _differences(
    champion: Ensembled,
    challenger: Ensembled,
    observed: np.ndarray,
    metric: str,
    rng: np.random.Generator,
    *,
    molecules: bool,
) -> np.ndarray:
    """Challenger - champion (DRAWS,), replicates drawn again, molecules too where asked."""
    n = observed.size
    found = []
    for _ in range(DRAWS // _AT_ONCE):
        counts = rng.multinomial(n, np.full(n, 1 / n), _AT_ONCE) if molecules else np.ones((_AT_ONCE, n))
        sides = []
        for side in (champion, challenger):
            m = len(side.replicates)
            weights = rng.multinomial(m, np.full(m, 1 / m), _AT_ONCE) / m
            drawn = side.mean + (weights - 1 / m) @ side.replicates
            sides.append(_score((_loss(drawn, observed, metric) * counts).mean(axis=1), metric))
        found.append(sides[1] - sides[0])
    return np.concatenate(found)


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
