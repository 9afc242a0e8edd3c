"""Whether a retrained ensemble agrees with a model as the model's statement promised."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.evaluate.statement.list_statement import ListTerms, decisions
from manywalks.evaluate.statement.pairs import ensemble_pairs, metric_differences
from manywalks.formatting import count, told_apart
from manywalks.params.sections.cut import Cut
from manywalks.replicates.combine import Combining, as_means, combine, location_variance
from manywalks.replicates.statistics.bound import difference_bound
from manywalks.replicates.statistics.list_sums import ListSums
from manywalks.reproduce.refitted import refitted_sentence

# chance that a model of Gaussian replicates has a suspicious one; heavier tails bring more
_SUSPICIOUS = 1 / 1000
# and none is, however sure the limits, that is not so many times as far off as the farthest fresh replicate
_FARTHER = 1.5


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
    replicates may be. The verdict is on the predictions alone. A replicate of the model that is far from the
    fresh ones is named beside it, since it widens the bound that it is judged by; that is no verdict, as rare
    outcomes of an honest training are far too. Each metric's difference stands beside its own bound.

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
    suspicious = suspicious_replicates(model, retrained, endpoints=asked.endpoints)
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
        "suspicious_replicates": suspicious,
        "agrees": difference <= judged.bound,
        "metrics": _metrics(model, one, other, observed, relation, asked, scale),
    }


def suspicious_replicates(model: np.ndarray, retrained: np.ndarray, *, endpoints: int = 1) -> list[int]:
    """Which of the model's replicates are farther from the fresh ones' mean than a fresh replicate would be.

    A replicate of the same data and network is one more draw of what the fresh ones are draws of. Two limits
    follow from these: of a Gaussian replicate, by the directions in which they part, and of the logarithm of
    the distance, whatever the directions. Either errs where its assumption does, so a suspicious replicate is
    beyond both, at a level shared by all replicates and endpoints, and well beyond the farthest fresh one.
    None can be told from fewer than 4 fresh replicates.

    Args:
        model: (m, n) predictions of the model's replicates.
        retrained: (k, n) of the fresh ones.
        endpoints: how many are judged together.
    """
    m, k = len(model), len(retrained)
    centre = retrained.mean(axis=0)
    # a fresh replicate is part of the mean that it is compared with, a replicate of the model is not
    own = _distance(retrained - centre) * math.sqrt(k / (k - 1)) if k > 1 else np.zeros(1)
    theirs = _distance(model - centre) / math.sqrt(1 + 1 / k)
    if k < 4 or not own.all():
        return []
    level = 1 - _SUSPICIOUS / (m * endpoints)
    logs = np.log(own)
    reach = float(special.stdtrit(k - 1, level)) * logs.std(ddof=1) * math.sqrt(1 + 1 / k)
    gaussian = difference_bound(retrained, level).bound * math.sqrt(k / 2)
    limit = max(math.exp(logs.mean() + reach), gaussian, _FARTHER * float(own.max()))
    return np.flatnonzero(theirs > limit).tolist()


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


def decided(
    model: np.ndarray, retrained: np.ndarray, calibration: Calibration, cut: Cut | None, asked: Terms
) -> dict[str, Any] | None:
    """How many decisions differ, and how many may; None without a cut-off.

    Args:
        model, retrained: (m, n) and (k, n), as for `agreement`.
        calibration: the model's; of a class, both are judged by it.
        cut: where decisions change.
        asked: what the endpoint goes by.
    """
    if cut is None:
        return None
    one, other = (calibration.as_reported(combine(each, asked.combining)) for each in (model, retrained))
    moved = as_means(model, asked.combining)
    if asked.kind == "classification":
        moved = calibration.as_reported(np.clip(moved, 0, 1))
    mode = asked.combining.mode
    sums = ListSums.of(moved, one, cut, mode, other=len(retrained))
    promised = decisions(sums, ListTerms(asked.kind, asked.unit, asked.confidence, mode=mode, cut=cut))
    differ = int(np.count_nonzero(cut.selects(one) != cut.selects(other)))
    return (
        None
        if promised is None
        else {**promised, "differ": differ, "within": differ <= promised["differ_bound"]}
    )


def decided_sentence(found: dict[str, Any]) -> str:
    """How many decisions differ, in words."""
    return (
        f"{found['differ']:,} of {count(found['molecules'], 'decision')} ({found['cut']}) differ; at most "
        f"{found['differ_bound']:,} were promised ({100 * found['confidence']:g} % sure)."
    )


def verdict(found: dict[str, Any], name: str) -> str:
    """One endpoint's agreement as a sentence."""
    unit = f" {found['unit']}" if found["unit"] else ""
    word = "agrees" if found["agrees"] else "does NOT agree"
    apart, promised = told_apart(found["difference"], found["judged_by"])
    suspicious = ", ".join(map(str, found["suspicious_replicates"]))
    strange = (
        f" Suspicious: replicates {suspicious} of the model are much farther from the fresh ones than "
        "those are from each other. Check how they were made."
        if suspicious
        else ""
    )
    decisions_said = f" {decided_sentence(found['decisions'])}" if found.get("decisions") else ""
    refitted = f" {refitted_sentence(found['refitted'], found['unit'])}" if found.get("refitted") else ""
    return (
        f"{name}: a retrained ensemble of {found['retrained']} {word} with the model of "
        f"{found['replicates']}. They differ by {apart}{unit} (root mean square over "
        f"{count(found['molecules'], 'molecule')}); at most {promised}{unit} was promised "
        f"({100 * found['judged_at']:.4g} % sure).{refitted}{strange}{decisions_said}"
    )
