"""Is the model any good? Its test score beside two simple predictions, and one plain verdict.

The simple predictions need no training: the mean of the training molecules (for classes the share of Yes,
which ranks nothing), and the mean of the five most similar ones. docs/statement.md gives the rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from manywalks.evaluate.registry import HIGHER_IS_BETTER, MAIN
from manywalks.evaluate.scores import certain_errors
from manywalks.evaluate.statement.verdict_rule import LEAST_AUROC, LEAST_SHARE, NEIGHBOURS
from manywalks.similarity import nearest_rows

_CONFIDENCE, _DRAWS = 0.95, 2000
# numbers of one block of resampled molecules, 32 MB
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Simple:
    """What the simple predictions say of n test molecules, in endpoint units (probabilities for classes).

    Attributes:
        constant: the same for all molecules.
        nearest: (n,) from the most similar training molecules; None without fingerprints.
    """

    constant: float
    nearest: np.ndarray | None


def simple_predictions(bits: np.ndarray, train_bits: np.ndarray, values: np.ndarray) -> Simple | None:
    """Both simple predictions; None where no training molecule was measured.

    Args:
        bits: uint64 (n, w), fingerprints of the test molecules.
        train_bits: uint64 (k, w), of the training molecules.
        values: (k,) measured in training, NaN where not; limits count as values.
    """
    known = np.isfinite(values)
    if not known.any():
        return None
    values = values[known]
    nearest = neighbour_means(bits, train_bits[known], values) if bits.shape[1] else None
    return Simple(float(values.mean()), nearest)


def neighbour_means(bits: np.ndarray, train_bits: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean value of the most similar training molecules, weighted by Tanimoto similarity: (n,)."""
    found = nearest_rows(bits, train_bits, min(NEIGHBOURS, len(values)))
    # where nothing is alike, all weigh the same
    weights = np.where(found.similarity.max(axis=1, keepdims=True) > 0, found.similarity, 1.0)
    return np.average(values[found.rows], axis=1, weights=weights)


def accuracy(
    observed: np.ndarray,
    predicted: np.ndarray,
    simple: Simple | None,
    *,
    kind: str,
    relation: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """`baselines` and `verdict` of an endpoint's entry of reports/metrics.json.

    Args:
        observed: (n,) of the test molecules, NaN where not measured.
        predicted: (n,) of the ensemble, as handed out.
        simple: what the simple predictions say of the same molecules.
        kind: "regression" or "classification".
        relation: (n,) of "=", "<", ">".
        rng: resamples the test molecules, for the interval.

    Returns:
        baselines: {name: {metric: score}}. verdict: a word; the gain in the metric, more is better, and its
        interval; against the better baseline, or the constant where the model does not surely beat that.
    """
    keep, metric = np.isfinite(observed), MAIN[kind]
    constant = "majority" if kind == "classification" else "mean"
    unknown = {"word": "unknown", "against": None, "gain": None, "low": None, "high": None}
    if simple is None or not keep.any() or (kind == "classification" and np.ptp(observed[keep]) == 0):
        return {"baselines": {}, "verdict": unknown}
    columns = {"model": predicted, constant: np.full(len(observed), simple.constant)}
    if simple.nearest is not None:
        columns["neighbours"] = simple.nearest
    stacked = np.stack([column[keep] for column in columns.values()])
    point, drawn = _scores(observed[keep], stacked, relation[keep], kind, rng)
    names = list(columns)[1:]
    return {
        "baselines": {name: {metric: score} for name, score in zip(names, point[1:].tolist(), strict=True)},
        "verdict": _verdict(names, point, drawn, kind),
    }


def _verdict(names: list[str], point: np.ndarray, drawn: np.ndarray, kind: str) -> dict[str, Any]:
    """One plain word, and the interval that decided it.

    Args:
        names: of the baselines, the constant first.
        point: (c,) scores of the model, then of the baselines.
        drawn: (c, draws) the same of resampled molecules.
        kind: "regression" or "classification".
    """
    sign = 1.0 if MAIN[kind] in HIGHER_IS_BETTER else -1.0
    gain, gains = sign * (point[0] - point[1:]), sign * (drawn[0] - drawn[1:])
    ends = np.nanquantile(gains, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2], axis=1).T
    best = int(np.argmin(gain))
    against = best if ends[0, 0] > 0 else 0
    good = point[0] >= LEAST_AUROC if kind == "classification" else point[0] <= (1 - LEAST_SHARE) * point[1]
    word = "no better" if ends[0, 0] <= 0 else "useful" if ends[best, 0] > 0 and good else "weak"
    low, high = ends[against].tolist()
    return {"word": word, "against": names[against], "gain": float(gain[against]), "low": low, "high": high}


def _scores(
    observed: np.ndarray, predicted: np.ndarray, relation: np.ndarray, kind: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Main scores of c predictions (c, n): of all molecules (c,), and of resampled ones (c, draws)."""
    blocks = _resampled(len(observed), rng)
    everything = np.ones((1, len(observed)))
    if kind == "classification":
        positive = observed > 0.5
        score = [
            np.stack([weighted_auroc(positive, one, counts) for one in predicted])
            for counts in (everything, *blocks)
        ]
    else:
        squared = certain_errors(observed, predicted, relation) ** 2
        score = [np.sqrt(squared @ counts.T / len(observed)) for counts in (everything, *blocks)]
    return score[0][:, 0], np.concatenate(score[1:], axis=1)


def _resampled(n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each of n molecules was drawn, draw by draw, in blocks (b, n)."""
    size = max(1, _BLOCK // n)
    for start in range(0, _DRAWS, size):
        yield rng.multinomial(n, np.full(n, 1 / n), size=min(size, _DRAWS - start)).astype(np.float64)


def weighted_auroc(positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of (n,) scores by each row of weights (b, n); NaN without a class."""
    ranks = np.unique(score, return_inverse=True)[1]
    order = np.argsort(ranks, kind="stable")
    starts = np.flatnonzero(np.diff(ranks[order], prepend=-1))
    ones = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    zeros = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(zeros, axis=1) - zeros / 2
    pairs = ones.sum(axis=1) * zeros.sum(axis=1)
    return np.divide((ones * below).sum(axis=1), pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
