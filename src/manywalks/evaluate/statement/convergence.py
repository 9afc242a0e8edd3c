"""How a score moves with the number of replicates: ensembles of 1, 2, 4 … of the replicates at hand."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from manywalks.evaluate.infinite import closed_form, extrapolated, scores_by_count
from manywalks.evaluate.registry import MAIN
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.sections.model import EnsembleParams
from manywalks.replicates.combine import combine, combining_of


@dataclass(frozen=True)
class MainScore:
    """The main score of an endpoint, as a function of predictions.

    Attributes:
        observed: (n,) measured values, NaN where there is none.
        relation: (n,) "=", "<" or ">".
        kind: "regression" or "classification".
        ensemble: how replicates are combined.
        as_reported: what becomes of an ensemble's predictions (n,) before they are scored: a calibration.
    """

    observed: np.ndarray
    relation: np.ndarray
    kind: str
    ensemble: EnsembleParams
    as_reported: Callable[[np.ndarray], np.ndarray] = np.asarray

    @property
    def metric(self) -> str:
        """Its name."""
        return MAIN[self.kind]

    def of(self, predicted: np.ndarray) -> float | None:
        """The score of an ensemble's predictions (n,); None where it is not defined."""
        reported = self.as_reported(predicted)
        return endpoint_metrics(self.observed, reported, kind=self.kind, relation=self.relation)[self.metric]

    def join(self, replicates: np.ndarray) -> np.ndarray:
        """The ensemble (n,) of replicates (m, n)."""
        return combine(replicates, combining_of(self.kind, self.ensemble))


def replicate_scores(replicates: np.ndarray, score: MainScore) -> list[dict[str, Any]]:
    """The score of each single replicate (m, n)."""
    return [{"replicate": index, "score": score.of(one)} for index, one in enumerate(replicates)]


def convergence(replicates: np.ndarray, score: MainScore) -> list[dict[str, Any]]:
    """The score of ensembles of k of the replicates (m, n) at hand: mean and SD by k."""
    points = []
    for count, scores in scores_by_count(replicates, score.of, score.join).items():
        known = np.array([one for one in scores if one is not None])
        if len(known):
            sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
            points.append(
                {"metric": score.metric, "replicates": count, "score": float(known.mean()), "sd": sd}
            )
    return points


def infinite_score(replicates: np.ndarray, score: MainScore) -> dict[str, Any] | None:
    """The score of infinitely many replicates, from (m, n) of them, for metrics.json.

    Returns:
        "score", and "exact": whether it is the closed form's or was read off a line in 1/k. None from fewer
        than 3 replicates, and where a score is not defined.
    """
    keep = np.isfinite(score.observed)
    if len(replicates) < 3 or not keep.any():
        return None
    plain_mean = combining_of(score.kind, score.ensemble).mode == "mean"
    if score.kind == "regression" and plain_mean and (score.relation[keep] == "=").all():
        return {"score": closed_form(replicates[:, keep], score.observed[keep], root=True)[0], "exact": True}

    def defined(predicted: np.ndarray) -> float:
        found = score.of(predicted)
        return math.nan if found is None else found

    curve = {k: float(np.mean(v)) for k, v in scores_by_count(replicates, defined, score.join).items()}
    infinite = extrapolated(replicates, defined, curve, score.join)[0]
    return {"score": infinite, "exact": False} if math.isfinite(infinite) else None
