"""How a score moves with the number of replicates: ensembles of 1, 2, 4 … of the walks at hand."""

from collections.abc import Callable
from typing import Any

import numpy as np

from manywalks.ensemble.combine import combine, combining_of
from manywalks.evaluate.registry import MAIN
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.model import EnsembleParams

SUBSETS = 50


def walk_scores(
    walks: np.ndarray, observed: np.ndarray, relation: np.ndarray, kind: str
) -> list[dict[str, Any]]:
    """The main score of each single walk; walks (m, n), observed and relation (n,)."""
    return [
        {
            "replicate": index,
            "score": endpoint_metrics(observed, walk, kind=kind, relation=relation)[MAIN[kind]],
        }
        for index, walk in enumerate(walks)
    ]


def scores_by_count(
    walks: np.ndarray,
    observed: np.ndarray,
    relation: np.ndarray,
    kind: str,
    ensemble: EnsembleParams,
    *,
    handed_out: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> list[dict[str, Any]]:
    """Main score of ensembles of k walks, mean and SD over up to 50 subsets drawn from the m at hand.

    `handed_out` is what becomes of an ensemble's predictions (n,) before they are scored: a calibration.

    The subsets overlap, the more the nearer k is to m, so their SD there says less than it seems.
    """
    rng = np.random.default_rng(0)  # draws subsets of finished walks; no walk depends on it
    points = []
    for count in counts(len(walks)):
        draws = 1 if count == len(walks) else SUBSETS
        scores = []
        for _ in range(draws):
            chosen = rng.choice(len(walks), count, replace=False)
            mean = combine(walks[chosen], combining_of(kind, ensemble))
            scores.append(
                endpoint_metrics(observed, handed_out(mean), kind=kind, relation=relation)[MAIN[kind]]
            )
        known = np.array([score for score in scores if score is not None])
        if len(known):
            sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
            points.append({"metric": MAIN[kind], "replicates": count, "score": float(known.mean()), "sd": sd})
    return points


def counts(most: int) -> list[int]:
    """1, 2, 4 … and the number of walks itself."""
    powers = [2**power for power in range(most.bit_length()) if 2**power < most]
    return [*powers, most]
