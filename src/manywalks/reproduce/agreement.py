"""Whether a retrained ensemble agrees with a model as the model's statement promised."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from manywalks.evaluate.pairs import ensemble_pairs, metric_differences
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.replicates.bound import difference_bound
from manywalks.replicates.combine import Combining, combine, location_variance

# of so many honest models one has a replicate that is taken for a stranger
_STRANGE = 1 / 1000


@dataclass(frozen=True)
class Terms:
    """What one endpoint's agreement goes by.

    Attributes:
        kind: "regression" or "classification".
        unit: of the endpoint.
        confidence: of the statement, for this endpoint alone.
        endpoints: how many endpoints are judged together; the verdict divides the allowed failures by it.
        threshold: probability from which a molecule is called class 1.
        combining: how the replicates are made one.
        adaptive: whether the model's number of replicates came from looking at them.
    """

    kind: str
    unit: str
    confidence: float
    endpoints: int
    threshold: float
    combining: Combining
    adaptive: bool


def agreement(
    model: np.ndarray, retrained: np.ndarray, observed: np.ndarray, relation: np.ndarray, asked: Terms
) -> dict[str, Any]:
    """Observed against promised difference of one endpoint.

    The promise is made from the model's own replicates and tells how far an ensemble of so many fresh
    replicates may be. The verdict is on the predictions and on each of the model's replicates, since a
    foreign one widens the bound that it is judged by; each metric's difference stands beside its own bound.

    Args:
        model: (m, n) predictions of the model's replicates out of sample, in endpoint units.
        retrained: (k, n) predictions of the fresh ones, at the same molecules.
        observed: (n,), NaN where not measured.
        relation: (n,) of "=", "<", ">".
        asked: what it goes by.
    """
    one, other = combine(model, asked.combining), combine(retrained, asked.combining)
    level = 1 - (1 - asked.confidence) / asked.endpoints
    settings = {"adaptive": asked.adaptive, "other": len(retrained), "how": asked.combining}
    promised = difference_bound(model, asked.confidence, **settings)
    judged = difference_bound(model, level, **settings)
    difference = math.sqrt(np.mean((one - other) ** 2))
    foreign = foreign_replicates(model, retrained)
    # the bound on metrics is for two ensembles of m; one of k differs more or less by this factor
    own, theirs = (location_variance(asked.combining.mode, len(each)) for each in (model, retrained))
    scale = math.sqrt((own + theirs) / (2 * own))
    return {
        # what networks give: a retrained ensemble's calibration is fitted on its own replicates
        "unit": "in probability before calibration" if asked.kind == "classification" else asked.unit,
        "molecules": len(one),
        "replicates": len(model),
        "retrained": len(retrained),
        "difference": difference,
        "difference_expected": promised.expected,
        "difference_bound": promised.bound,
        "confidence": asked.confidence,
        "judged_by": judged.bound,
        "judged_at": level,
        "foreign_replicates": foreign,
        "agrees": difference <= judged.bound and not foreign,
        "metrics": _metrics(model, one, other, observed, relation, asked, scale),
    }


def foreign_replicates(model: np.ndarray, retrained: np.ndarray) -> list[int]:
    """Which of the model's replicates are farther from the fresh ones' mean than a fresh replicate would be.

    A replicate of the same data and network is one more draw of what the fresh ones are draws of, so the
    logarithm of its distance lies within Student's prediction limit of theirs, at a level shared by all
    replicates. None can be told from fewer than 4 fresh replicates.

    Args:
        model: (m, n) predictions of the model's replicates.
        retrained: (k, n) of the fresh ones.
    """
    m, k = len(model), len(retrained)
    centre = retrained.mean(axis=0)
    # a fresh replicate is part of the mean that it is compared with, a replicate of the model is not
    own = _distance(retrained - centre) * math.sqrt(k / (k - 1))
    theirs = _distance(model - centre) / math.sqrt(1 + 1 / k)
    if k < 4 or not own.all():
        return []
    logs = np.log(own)
    reach = float(stats.t.ppf(1 - _STRANGE / m, k - 1)) * logs.std(ddof=1) * math.sqrt(1 + 1 / k)
    return np.flatnonzero(theirs > math.exp(logs.mean() + reach)).tolist()


def _distance(apart: np.ndarray) -> np.ndarray:
    """Root mean square over molecules: (m, n) -> (m,)."""
    return np.sqrt(np.mean(apart**2, axis=1))


def _metrics(
    model: np.ndarray,
    one: np.ndarray,
    other: np.ndarray,
    observed: np.ndarray,
    relation: np.ndarray,
    asked: Terms,
    scale: float,
) -> dict[str, Any]:
    """Each metric of both ensembles, and whether they are as near as promised."""

    def score(predicted: np.ndarray) -> dict[str, float | None]:
        return endpoint_metrics(
            observed, predicted, kind=asked.kind, relation=relation, threshold=asked.threshold
        )

    pairs = ensemble_pairs(model, asked.combining)
    promised = metric_differences(pairs, score, len(model), asked.confidence, adaptive=asked.adaptive)
    first, second = score(one), score(other)
    found: dict[str, Any] = {}
    for name, bound in promised.items():
        before, after = first[name], second[name]
        if bound is None or before is None or after is None:
            continue
        limit = bound["bound"] * scale
        difference = abs(before - after)
        found[name] = {
            "model": before,
            "retrained": after,
            "difference": difference,
            "bound": limit,
            "within": difference <= limit,
        }
    return found


def verdict(found: dict[str, Any], name: str) -> str:
    """One endpoint's agreement as a sentence."""
    unit = f" {found['unit']}" if found["unit"] else ""
    word = "agrees" if found["agrees"] else "does NOT agree"
    foreign = ", ".join(map(str, found["foreign_replicates"]))
    strange = (
        f" Replicates {foreign} of the model are no replicates of this data and network: "
        "too far from fresh ones."
        if foreign
        else ""
    )
    return (
        f"{name}: a retrained ensemble of {found['retrained']} {word} with the model of "
        f"{found['replicates']}: {found['difference']:.3g}{unit} apart, root mean square over "
        f"{found['molecules']} molecules, where at most {found['judged_by']:.3g}{unit} was promised "
        f"({100 * found['judged_at']:.4g} % sure).{strange}"
    )
