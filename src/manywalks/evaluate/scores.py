"""Scores of predictions against measurements: one endpoint at a time.

What was not measured (NaN) is left out. A metric that the molecules at hand do not define (one class alone,
a constant) is None, since JSON has no NaN and a made-up number would be read as a score.

A censored measurement ("<" or ">", the truth lies below or above the value) enters rmse and mae with the
error that is certain: none where the prediction lies on the allowed side, else the distance to the value.
r2, spearman and kendall, which need the values themselves, are over the uncensored molecules.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Metrics = dict[str, float | None]
# log_loss of a certain and wrong prediction is infinite; float32 sigmoids saturate at about 1e-7
_CLIP = 1e-7


def certain_errors(
    observed: np.ndarray, predicted: np.ndarray, relation: np.ndarray | None = None
) -> np.ndarray:
    """Predicted minus observed (..., n), zero where a censored value allows the prediction."""
    error = np.asarray(predicted, dtype=np.float64) - np.asarray(observed, dtype=np.float64)
    if relation is None:
        return error
    relation = np.asarray(relation)
    allowed = ((relation == "<") & (error <= 0)) | ((relation == ">") & (error >= 0))
    return np.where(allowed, 0.0, error)


def regression_metrics(
    observed: np.ndarray, predicted: np.ndarray, relation: np.ndarray | None = None
) -> Metrics:
    """Score (n,) predictions of a regression endpoint, in the endpoint's unit.

    Args:
        observed: (n,), NaN where not measured.
        predicted: (n,).
        relation: (n,) of "=", "<", ">"; all "=" where None.

    Returns:
        rmse, mae, r2, spearman, kendall (tau-b); None where not defined.
    """
    keep = _measured(observed, predicted)
    y, f = np.asarray(observed, dtype=np.float64)[keep], np.asarray(predicted, dtype=np.float64)[keep]
    kept_relation = None if relation is None else np.asarray(relation)[keep]
    error = certain_errors(y, f, kept_relation)
    exact = slice(None) if kept_relation is None else (kept_relation != "<") & (kept_relation != ">")
    y, f = y[exact], f[exact]
    return {
        "rmse": _number(np.sqrt(np.mean(error**2))) if error.size else None,
        "mae": _number(np.mean(np.abs(error))) if error.size else None,
        "r2": _r2(y, f),
        "spearman": spearman(y, f),
        "kendall": kendall(y, f),
    }


def classification_metrics(observed: np.ndarray, probability: np.ndarray, threshold: float = 0.5) -> Metrics:
    """Score (n,) probabilities of class 1.

    Args:
        observed: (n,) of 0 and 1, NaN where not measured.
        probability: (n,).
        threshold: probability from which a molecule is called class 1 (for mcc).

    Returns:
        auroc, auprc (average precision), brier, log_loss (nats), mcc; None where not defined.
    """
    keep = _measured(observed, probability)
    y = np.asarray(observed)[keep] > 0.5
    p = np.asarray(probability, dtype=np.float64)[keep]
    clipped = np.clip(p, _CLIP, 1 - _CLIP)
    return {
        "auroc": auroc(y, p),
        "auprc": _average_precision(y, p),
        "brier": _number(np.mean((p - y) ** 2)) if y.size else None,
        "log_loss": _number(-np.mean(np.log(np.where(y, clipped, 1 - clipped)))) if y.size else None,
        "mcc": _matthews(y, p >= threshold),
    }


def endpoint_metrics(
    observed: np.ndarray,
    predicted: np.ndarray,
    *,
    kind: str,
    relation: np.ndarray | None = None,
    threshold: float = 0.5,
) -> Metrics:
    """The metrics of the endpoint's kind, "regression" or "classification"."""
    if kind == "classification":
        return classification_metrics(observed, predicted, threshold)
    return regression_metrics(observed, predicted, relation)


def replicate_metrics(
    observed: np.ndarray,
    predictions: np.ndarray,
    *,
    kind: str,
    unit: str = "",
    ensemble: np.ndarray | None = None,
    relation: np.ndarray | None = None,
    threshold: float = 0.5,
) -> dict[str, Any]:
    """An endpoint's entry of reports/metrics.json.

    Args:
        observed: (n,) of the test molecules, NaN where not measured.
        predictions: (m, n) of the m replicates, endpoint units (probabilities for classes).
        kind: "regression" or "classification".
        unit: the endpoint's unit.
        ensemble: (n,) what the ensemble predicts; the mean over replicates where None.
        relation: (n,) of "=", "<", ">".
        threshold: probability from which a molecule is called class 1.

    Returns:
        {"kind", "unit", "n_test", "n_limits" (of these, those known only as a limit), "ensemble": metrics,
        "replicates": {metric: mean, sd, min, max}}.
    """

    def score(predicted: np.ndarray) -> Metrics:
        return endpoint_metrics(observed, predicted, kind=kind, relation=relation, threshold=threshold)

    whole = score(np.mean(predictions, axis=0) if ensemble is None else ensemble)
    measured = _measured(observed, predictions[0])
    limits = np.zeros(len(measured), dtype=bool) if relation is None else np.isin(relation, ("<", ">"))
    return {
        "kind": kind,
        "unit": unit,
        "n_test": int(measured.sum()),
        "n_limits": int((measured & limits).sum()),
        "ensemble": whole,
        "replicates": summarise([score(replicate) for replicate in predictions]),
    }


def summarise(scores: Sequence[Metrics]) -> dict[str, dict[str, float | None]]:
    """Mean, sd (ddof 1), min and max of each metric over replicates; None where none of them has it."""
    summary = {}
    for name in scores[0]:
        values = np.array([value for s in scores if (value := s[name]) is not None])
        summary[name] = {
            "mean": _of(np.mean, values, 1),
            "sd": _of(lambda v: np.std(v, ddof=1), values, 2),
            "min": _of(np.min, values, 1),
            "max": _of(np.max, values, 1),
        }
    return summary


def auroc(positive: np.ndarray, score: np.ndarray) -> float | None:
    """Area under the ROC curve of (n,) scores, ties counted half; None with one class alone."""
    positive = np.asarray(positive, dtype=bool)
    n1 = int(positive.sum())
    n0 = positive.size - n1
    if n1 == 0 or n0 == 0:
        return None
    ranks = average_ranks(score)
    return _number((ranks[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def spearman(observed: np.ndarray, predicted: np.ndarray) -> float | None:
    """Spearman's rank correlation of two (n,) arrays; None where one is constant."""
    if not (_varied(observed) and _varied(predicted)):
        return None
    return _number(np.corrcoef(average_ranks(observed), average_ranks(predicted))[0, 1])


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks (n,) from 1 on; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def kendall(observed: np.ndarray, predicted: np.ndarray) -> float | None:
    """Kendall's rank correlation (tau-b) of two (n,) arrays; None where one is constant.

    (By hand: scipy.stats takes half a second to import, in every process that scores.)
    """
    if not (_varied(observed) and _varied(predicted)):
        return None
    first, second = (np.unique(one, return_inverse=True)[1] for one in (observed, predicted))
    both = first * (int(second.max()) + 1) + second
    pairs = first.size * (first.size - 1) // 2
    tied, tied_second, tied_both = (_tied_pairs(one) for one in (first, second, both))
    discordant = _inversions(second[np.argsort(both)])
    score = pairs - tied - tied_second + tied_both - 2 * discordant
    return _number(score / np.sqrt(pairs - tied) / np.sqrt(pairs - tied_second))


def _tied_pairs(places: np.ndarray) -> int:
    """How many pairs of equal numbers there are in int (n,)."""
    counts = np.bincount(np.unique(places, return_inverse=True)[1])
    return int(np.sum(counts * (counts - 1) // 2))


def _inversions(places: np.ndarray) -> int:
    """How many pairs of int (n,) stand in falling order, bit by bit from the highest: n log n."""
    found = 0
    for bit in range(int(places.max()).bit_length()):
        order = np.argsort(places >> (bit + 1), kind="stable")  # groups that agree in the higher bits
        group, one = (places >> (bit + 1))[order], (places >> bit & 1)[order]
        before = np.cumsum(one) - one
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        before -= np.repeat(before[starts], np.diff(starts, append=group.size))
        found += int(before[one == 0].sum())
    return found


def _measured(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Where there is something to score: bool (n,); predictions must be finite there."""
    observed, predicted = np.asarray(observed, dtype=np.float64), np.asarray(predicted)
    if observed.shape != predicted.shape:
        raise ValueError(f"metrics: {observed.shape} observed, {predicted.shape} predicted; give one for one")
    keep = ~np.isnan(observed)
    if not np.isfinite(predicted[keep]).all():
        row = int(np.flatnonzero(keep & ~np.isfinite(predicted))[0])
        raise ValueError(
            f"metrics: prediction {row} is {predicted[row]}; replace the replicate that diverged"
        )
    return keep


def _varied(values: np.ndarray) -> bool:
    """Whether there are two different values."""
    return values.size > 1 and bool(np.ptp(values) > 0)


def _r2(observed: np.ndarray, predicted: np.ndarray) -> float | None:
    """1 minus the squared error's share of the variance; None where the observed is constant."""
    if not _varied(observed):
        return None
    total = np.sum((observed - observed.mean()) ** 2)
    return _number(1 - np.sum((predicted - observed) ** 2) / total)


def _average_precision(positive: np.ndarray, score: np.ndarray) -> float | None:
    """Mean precision at the positives, in the order of falling score; equal scores enter together."""
    n1 = int(positive.sum())
    if n1 == 0 or n1 == positive.size:
        return None
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(positive[order])
    last = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    return _number(np.sum(np.diff(found[last], prepend=0) * found[last] / (last + 1)) / n1)


def _matthews(observed: np.ndarray, called: np.ndarray) -> float | None:
    """Matthews's correlation of two bool (n,); None where one is constant."""
    if not (_varied(observed.astype(np.int8)) and _varied(called.astype(np.int8))):
        return None
    return _number(np.corrcoef(observed, called)[0, 1])


def _of(function: Callable[[np.ndarray], Any], values: np.ndarray, least: int) -> float | None:
    """The function's value, or None with fewer than `least` values."""
    return _number(function(values)) if values.size >= least else None


def _number(value: Any) -> float | None:
    """A Python float, or None where it is not finite."""
    return float(value) if np.isfinite(value) else None
