"""The reproducibility statement of one endpoint: what a retrained ensemble will agree to, and how sure."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

from manywalks.evaluate.infinite import closed_form
from manywalks.evaluate.scores import Metrics, endpoint_metrics
from manywalks.evaluate.statement.pairs import (
    Pairs,
    ensemble_pairs,
    flip_rate,
    metric_differences,
    replicate_pairs,
    top_overlap,
)
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.combine import MEAN, Combining, as_means, combine
from manywalks.replicates.statistics.bound import bound_at, expected_difference, replicates_needed
from manywalks.replicates.statistics.spectrum import covariance_moments

SD_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
TOP_SHARES = (0.01, 0.05)


@dataclass(frozen=True)
class Terms:
    """What an endpoint's statement goes by.

    Attributes:
        kind: "regression" or "classification".
        unit: of the endpoint.
        tolerance: asked for, in the unit.
        sd: observed standard deviation (of the training subset), in the unit; None where unknown.
        noise: of the assay, in the unit; None where the data has no repeats.
        noise_repeats: how many measurements beyond the first of each molecule it rests on.
        threshold: probability from which a molecule is called class 1.
        confidence: of the bounds.
        combining: how the replicates are made one.
        adaptive: whether the number of replicates came from looking at them.
        diverged: replicates that were replaced because they were not finite.
        endpoints: how many there are, for what holds for all of them at once.
        wanted: the endpoint's parameters, which say what values are looked for (default: high ones).
    """

    kind: str
    unit: str
    tolerance: float
    sd: float | None = None
    noise: float | None = None
    noise_repeats: int = 0
    threshold: float = 0.5
    confidence: float = 0.95
    combining: Combining = MEAN
    adaptive: bool = True
    diverged: int = 0
    endpoints: int = 1
    wanted: EndpointParams = field(default_factory=EndpointParams)


def endpoint_statement(
    predictions: np.ndarray,
    observed: np.ndarray,
    terms: Terms,
    *,
    relation: np.ndarray | None = None,
) -> dict[str, Any]:
    """The endpoint's entry of reports/statement.json.

    Args:
        predictions: (m, n) of m replicates at n out-of-sample molecules, in endpoint units.
        observed: (n,), NaN where not measured.
        terms: what it goes by.
        relation: (n,) of "=", "<", ">".
    """
    replicates = np.asarray(predictions, dtype=np.float64)
    observed = np.asarray(observed, dtype=np.float64)
    ensemble = combine(replicates, terms.combining)
    return {
        "kind": terms.kind,
        "unit": terms.unit,
        "molecules": replicates.shape[1],
        "measured": int(np.isfinite(observed).sum()),
        "replicates": len(replicates),
        "diverged": terms.diverged,
        "mode": terms.combining.mode,
        "logits": terms.combining.logits,
        **_spread(replicates),
        **_difference(replicates, terms),
        **_errors(replicates, observed, relation),
        **_scores(replicates, ensemble, observed, relation, terms),
        **_selection(replicates, ensemble, terms),
    }


def _spread(replicates: np.ndarray) -> dict[str, Any]:
    """How far single replicates are from their mean, over molecules."""
    spread = replicates.std(axis=0, ddof=1)
    low, middle, high, most = np.quantile(spread, [0.25, 0.5, 0.75, 0.95]).tolist()
    rms = math.sqrt(np.mean(spread**2))
    far = np.sqrt(np.mean((replicates - replicates.mean(axis=0)) ** 2, axis=1))
    farthest = int(np.argmax(far))
    return {
        "spread_rms": rms,
        "spread": {"q25": low, "median": middle, "q75": high, "p95": most},
        # a rare outcome of training shows here first: no bound from a few replicates can know of it
        "farthest": {"replicate": farthest, "distance": float(far[farthest])},
        "standard_error_rms": rms / math.sqrt(len(replicates)),
    }


def _difference(replicates: np.ndarray, terms: Terms) -> dict[str, Any]:
    """How far a retrained ensemble will be from this one, and what other tolerances would need."""
    seen = covariance_moments(as_means(replicates, terms.combining))
    m, mode = len(replicates), terms.combining.mode
    confidence, adaptive = terms.confidence, terms.adaptive
    # probabilities cannot differ by more than 1
    widest = 1.0 if terms.kind == "classification" else math.inf
    joint = 1 - (1 - confidence) / terms.endpoints
    bound, of_all = (
        min(bound_at(seen, m, level, adaptive=adaptive, mode=mode), widest) for level in (confidence, joint)
    )

    def needed(tolerance: float) -> int:
        return replicates_needed(seen, tolerance, confidence, adaptive=adaptive, mode=mode)

    shares = SD_SHARES if terms.sd and math.isfinite(terms.sd) else ()
    tolerances = [share * (terms.sd or 0.0) for share in shares]
    return {
        "directions": 1 / seen.theta,
        "difference_expected": expected_difference(seen, m, m, mode),
        "difference_bound": bound,
        "confidence": confidence,
        "joint": {"endpoints": terms.endpoints, "difference_bound": of_all},
        "adaptive": adaptive,
        "tolerance": terms.tolerance,
        "met": bound <= terms.tolerance,
        "replicates_for_tolerance": needed(terms.tolerance),
        "noise": terms.noise,
        "noise_repeats": terms.noise_repeats,
        "sd": terms.sd,
        "replicates_needed": [
            {"sd_share": share, "tolerance": tolerance, "replicates": needed(tolerance)}
            for share, tolerance in zip(shares, tolerances, strict=True)
        ],
    }


def _errors(replicates: np.ndarray, observed: np.ndarray, relation: np.ndarray | None) -> dict[str, Any]:
    """Mean squared errors of one replicate, the mean of m, and infinitely many; Brier scores for classes.

    All about the mean of replicates, and over molecules whose value itself is known, where the algebra is
    exact: MSE of the mean = mean MSE of the replicates - mean variance over replicates (ddof 0).
    """
    keep = np.isfinite(observed)
    if relation is not None:
        keep &= (np.asarray(relation) != "<") & (np.asarray(relation) != ">")
    if not keep.any():
        return dict.fromkeys(
            ("mse_one", "mse_ensemble", "mse_infinite", "mse_infinite_error", "ambiguity", "mse_left")
        )
    error = replicates[:, keep] - observed[keep]
    infinite, its_error = closed_form(replicates[:, keep], observed[keep], root=False)
    return {
        "mse_one": float(np.mean(error**2)),
        "mse_ensemble": float(np.mean(error.mean(axis=0) ** 2)),
        "mse_infinite": infinite,
        "mse_infinite_error": its_error if math.isfinite(its_error) else None,
        "ambiguity": float(np.mean(error.var(axis=0))),
        "mse_left": float(np.mean(error.var(axis=0, ddof=1))) / len(error),
    }


def _scores(
    replicates: np.ndarray,
    ensemble: np.ndarray,
    observed: np.ndarray,
    relation: np.ndarray | None,
    terms: Terms,
) -> dict[str, Any]:
    """Metrics of the ensemble and of single replicates, and how far those of two ensembles will be apart."""

    def score(predicted: np.ndarray) -> Metrics:
        return endpoint_metrics(
            observed, predicted, kind=terms.kind, relation=relation, threshold=terms.threshold
        )

    singles = [score(replicate) for replicate in replicates]
    whole = score(ensemble)
    differences = metric_differences(
        ensemble_pairs(replicates, terms.combining),
        score,
        len(replicates),
        terms.confidence,
        adaptive=terms.adaptive,
    )
    return {
        "ensemble": whole,
        "single_replicates": {
            name: _single_replicates([s[name] for s in singles], terms.confidence) for name in whole
        },
        "metric_difference": differences,
    }


def _single_replicates(values: list[float | None], confidence: float) -> dict[str, Any]:
    """Mean, sd, t interval of the mean, least and largest of a metric over replicates."""
    known = np.array([value for value in values if value is not None])
    if known.size < 2:
        return dict.fromkeys(("mean", "sd", "low", "high", "min", "max"))
    mean, sd = float(known.mean()), float(known.std(ddof=1))
    half = float(special.stdtrit(known.size - 1, (1 + confidence) / 2)) * sd / math.sqrt(known.size)
    return {
        "mean": mean,
        "sd": sd,
        "low": mean - half,
        "high": mean + half,
        "min": float(known.min()),
        "max": float(known.max()),
    }


def _selection(replicates: np.ndarray, ensemble: np.ndarray, terms: Terms) -> dict[str, Any]:
    """Which molecules are selected, or called class 1, by two ensembles and by two single replicates."""
    singles, ensembles = replicate_pairs(replicates), ensemble_pairs(replicates, terms.combining)
    best, best_ensembles = (
        Pairs(*(terms.wanted.desirability(side) for side in pairs)) for pairs in (singles, ensembles)
    )
    overlap = {
        f"{share:g}": {
            "molecules": max(1, round(share * replicates.shape[1])),
            "ensembles": top_overlap(best_ensembles, share),
            "replicates": top_overlap(best, share),
        }
        for share in TOP_SHARES
    }
    if terms.kind != "classification":
        return {
            "want": terms.wanted.want or "high",
            "top_overlap": overlap,
            "flip_rate": None,
            "turned_share": None,
        }
    whole = Pairs(np.broadcast_to(ensemble, replicates.shape), replicates)
    otherwise = (replicates >= terms.threshold) != (ensemble >= terms.threshold)
    return {
        "want": terms.wanted.want or "high",
        "top_overlap": overlap,
        "flip_rate": {
            "ensembles": flip_rate(ensembles, terms.threshold),
            "replicates": flip_rate(singles, terms.threshold),
            "replicate": flip_rate(whole, terms.threshold),
        },
        "turned_share": float(np.mean(otherwise.any(axis=0))),
    }
