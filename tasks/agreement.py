"""Whether a retrained ensemble agrees with a model as the model's statement promised."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from manywalks.tasks.between import Combining, combine, ensemble_pairs, metric_differences
from manywalks.tasks.bound import difference_bound
from manywalks.tasks.metrics import endpoint_metrics


@dataclass(frozen=True)
class Asked:
    """What one endpoint's agreement goes by.

    Attributes:
        kind: "regression" or "classification".
        unit: of the endpoint.
        confidence: of the statement, for this endpoint alone.
        endpoints: how many endpoints are judged together; the verdict divides the allowed failures by it.
        threshold: probability from which a molecule is called class 1.
        combining: how the walks are made one.
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
    model: np.ndarray, retrained: np.ndarray, observed: np.ndarray, relation: np.ndarray, asked: Asked
) -> dict[str, Any]:
    """Observed against promised difference of one endpoint.

    The promise is made from the model's own walks and tells how far an ensemble of so many fresh walks
    may be. The verdict is on the predictions; each metric's difference stands beside its own bound.

    Args:
        model: (m, n) predictions of the model's replicates out of sample, in endpoint units.
        retrained: (k, n) predictions of the fresh ones, at the same molecules.
        observed: (n,), NaN where not measured.
        relation: (n,) of "=", "<", ">".
        asked: what it goes by.
    """
    one, other = combine(model, asked.combining), combine(retrained, asked.combining)
    level = 1 - (1 - asked.confidence) / asked.endpoints
    promised = difference_bound(model, asked.confidence, adaptive=asked.adaptive, other=len(retrained))
    judged = difference_bound(model, level, adaptive=asked.adaptive, other=len(retrained))
    difference = math.sqrt(np.mean((one - other) ** 2))
    # the bound on metrics is for two ensembles of m; one of k differs more or less by this factor
    scale = math.sqrt((1 / len(model) + 1 / len(retrained)) / (2 / len(model)))
    return {
        "unit": asked.unit,
        "molecules": len(one),
        "replicates": len(model),
        "retrained": len(retrained),
        "difference": difference,
        "difference_expected": promised.expected,
        "difference_bound": promised.bound,
        "confidence": asked.confidence,
        "judged_by": judged.bound,
        "judged_at": level,
        "agrees": difference <= judged.bound,
        "metrics": _metrics(model, one, other, observed, relation, asked, scale),
    }


def _metrics(
    model: np.ndarray,
    one: np.ndarray,
    other: np.ndarray,
    observed: np.ndarray,
    relation: np.ndarray,
    asked: Asked,
    scale: float,
) -> dict[str, Any]:
    """Each metric of both ensembles, and whether they are as near as promised."""

    def score(predicted: np.ndarray) -> dict[str, float | None]:
        return endpoint_metrics(
            observed, predicted, kind=asked.kind, relation=relation, threshold=asked.threshold
        )

    pairs = ensemble_pairs(model, one)
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
    return (
        f"{name}: a retrained ensemble of {found['retrained']} {word} with the model of "
        f"{found['replicates']}: {found['difference']:.3g}{unit} apart, root mean square over "
        f"{found['molecules']} molecules, where at most {found['judged_by']:.3g}{unit} was promised "
        f"({100 * found['judged_at']:.4g} % sure)."
    )
