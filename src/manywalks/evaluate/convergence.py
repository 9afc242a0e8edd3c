"""How a score moves with the number of replicates: ensembles of 1, 2, 4 … of the replicates at hand."""

from collections.abc import Callable
from typing import Any

import numpy as np

from manywalks.evaluate.registry import MAIN
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.model import EnsembleParams
from manywalks.replicates.combine import combine, combining_of

SUBSETS = 50


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


def scores_by_count(
    replicates: np.ndarray,
    observed: np.ndarray,
    relation: np.ndarray,
    kind: str,
    ensemble: EnsembleParams,
    *,
    as_reported: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> list[dict[str, Any]]:
    """Main score of ensembles of k replicates, mean and SD over up to 50 subsets drawn from the m at hand.

    `as_reported` is what becomes of an ensemble's predictions (n,) before they are scored: a calibration.

    The subsets overlap, the more the nearer k is to m, so their SD there says less than it seems.
    """
    rng = np.random.default_rng(0)  # draws subsets of finished replicates; no replicate depends on it
    points = []
    for count in counts(len(replicates)):
        draws = 1 if count == len(replicates) else SUBSETS
        scores = []
        for _ in range(draws):
            chosen = rng.choice(len(replicates), count, replace=False)
            mean = combine(replicates[chosen], combining_of(kind, ensemble))
            scores.append(
                endpoint_metrics(observed, as_reported(mean), kind=kind, relation=relation)[MAIN[kind]]
            )
        known = np.array([score for score in scores if score is not None])
        if len(known):
            sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
            points.append({"metric": MAIN[kind], "replicates": count, "score": float(known.mean()), "sd": sd})
    return points


def counts(most: int) -> list[int]:
    """1, 2, 4 … and the number of replicates itself."""
    powers = [2**power for power in range(most.bit_length()) if 2**power < most]
    return [*powers, most]
