"""How a score moves with the number of replicates: ensembles of 1, 2, 4 … of the replicates at hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from manywalks.evaluate.infinite import closed_form, extrapolated, scores_by_count
from manywalks.evaluate.registry import MAIN
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.model import EnsembleParams
from manywalks.replicates.combine import combine, combining_of


def replicate_scores(
    replicates: np.ndarray, observed: np.ndarray, relation: np.ndarray, kind: str
) -> list[dict[str, Any]]:
    """The main score of each single replicate; replicates (m, n), observed and relation (n,)."""
    return [
        {
            "replicate": index,
            "score": endpoint_metrics(observed, replicate, kind=kind, relation=relation)[MAIN[kind]],
        }
        for index, replicate in enumerate(replicates)
    ]


def convergence(
    replicates: np.ndarray,
    observed: np.ndarray,
    relation: np.ndarray,
    kind: str,
    ensemble: EnsembleParams,
    *,
    as_reported: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> list[dict[str, Any]]:
    """Main score of ensembles of k of the m replicates at hand: mean and SD by k.

    `as_reported` is what becomes of an ensemble's predictions (n,) before they are scored: a calibration.
    """
    combining = combining_of(kind, ensemble)

    def score(mean: np.ndarray) -> float | None:
        return endpoint_metrics(observed, as_reported(mean), kind=kind, relation=relation)[MAIN[kind]]

    points = []
    for count, scores in scores_by_count(replicates, score, lambda some: combine(some, combining)).items():
        known = np.array([one for one in scores if one is not None])
        if len(known):
            sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
            points.append({"metric": MAIN[kind], "replicates": count, "score": float(known.mean()), "sd": sd})
    return points


def infinite_score(
    replicates: np.ndarray,
    observed: np.ndarray,
    relation: np.ndarray,
    kind: str,
    ensemble: EnsembleParams,
    *,
    as_reported: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> dict[str, Any] | None:
    """The main score of infinitely many replicates, for metrics.json; arguments as in `convergence`.

    Returns:
        "score", and "exact": whether it is the closed form's or was read off a line in 1/k. None from fewer
        than 3 replicates, and where a score is not defined.
    """
    combining = combining_of(kind, ensemble)
    keep = np.isfinite(observed)
    if len(replicates) < 3 or not keep.any():
        return None
    if kind == "regression" and combining.mode == "mean" and (relation[keep] == "=").all():
        return {"score": closed_form(replicates[:, keep], observed[keep], root=True)[0], "exact": True}

    def score(mean: np.ndarray) -> float:
        found = endpoint_metrics(observed, as_reported(mean), kind=kind, relation=relation)[MAIN[kind]]
        return math.nan if found is None else found

    def join(some: np.ndarray) -> np.ndarray:
        return combine(some, combining)

    curve = {k: float(np.mean(v)) for k, v in scores_by_count(replicates, score, join).items()}
    infinite = extrapolated(replicates, score, curve, join)[0]
    return {"score": infinite, "exact": False} if math.isfinite(infinite) else None
