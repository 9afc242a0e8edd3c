"""Where a score's variance comes from: the split, each source of a walk's randomness, and plain numerics.

The design is crossed: on every split, for every set of sources, m walks in which these vary and all others
are held (at the same streams for all sets, fresh ones a split). The variance of a set is that of the score
over its walks, mean over splits. A source's share of the whole is its Shapley value, the mean of what it adds
to every set of the others, so that shares add up also where sources act through each other, as they do in
training (each alone moves a walk nearly as far as all together).
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

NUMERICS = ("numerics",)
_DRAWS = 2000
Sets = Mapping[tuple[str, ...], np.ndarray]


def variance_budget(scores: Sets, rng: np.random.Generator) -> dict[str, Any]:
    """Shares of the variance of a single walk's score on one split.

    Args:
        scores: (s, m) of the walks on s splits by the set of sources that varied; all sets but the empty one,
            and ("numerics",).
        rng: draws the bootstrap of splits that the intervals come from.

    Returns:
        {"total_sd", "seed_sd", "parts": {"split" and each source: {"share", "low", "high"}},
        "alone": {set: {"sd", "low", "high"}}, ...}, intervals 95 %.
    """
    whole = max((s for s in scores if s != NUMERICS), key=len)
    splits = len(next(iter(scores.values())))
    rows = np.arange(splits)
    point = _parts(scores, whole, rows)
    drawn = [_parts(scores, whole, rng.integers(0, splits, splits)) for _ in range(_DRAWS)]
    total = sum(point["parts"].values())
    return {
        "splits": splits,
        "walks": len(scores[whole][0]),
        "total_sd": math.sqrt(max(total, 0.0)),
        "seed_sd": math.sqrt(point["alone"][whole]),
        "seed_share": _interval([_seed_share(one) for one in [point, *drawn]]),
        "parts": {
            name: _interval([_share(one["parts"], name) for one in [point, *drawn]])
            for name in point["parts"]
        },
        "alone": {
            "+".join(chosen): _interval([math.sqrt(one["alone"][chosen]) for one in [point, *drawn]])
            for chosen in scores
        },
    }


def _parts(scores: Sets, whole: tuple[str, ...], rows: np.ndarray) -> dict[str, Any]:
    """Variances from some of the splits: of every set, and the parts that add up to the total."""
    alone = {chosen: float(np.var(found[rows], axis=1, ddof=1).mean()) for chosen, found in scores.items()}
    means, m = scores[whole][rows].mean(axis=1), scores[whole].shape[1]
    split = float(np.var(means, ddof=1)) - alone[whole] / m if len(rows) > 1 else 0.0
    return {"alone": alone, "parts": {"split": max(split, 0.0), **shapley(alone, whole)}}


def shapley(alone: Mapping[tuple[str, ...], float], whole: Sequence[str]) -> dict[str, float]:
    """Each source's part of the variance of all, from the variance of every set of them."""
    value = {frozenset(): 0.0, **{frozenset(chosen): v for chosen, v in alone.items()}}
    n = len(whole)
    found = {}
    for source in whole:
        rest = [other for other in whole if other != source]
        found[source] = sum(
            (value[frozenset(chosen) | {source}] - value[frozenset(chosen)])
            / (n * math.comb(n - 1, len(chosen)))
            for size in range(n)
            for chosen in itertools.combinations(rest, size)
        )
    return found


def _share(parts: dict[str, float], name: str) -> float:
    """One part of the whole."""
    total = sum(parts.values())
    return parts[name] / total if total > 0 else 0.0


def _seed_share(one: dict[str, Any]) -> float:
    """What a fixed seed hides: all but the split."""
    return 1 - _share(one["parts"], "split")


def _interval(values: list[float]) -> dict[str, float]:
    """The first value, between the 2.5 and 97.5 % quantiles of the others."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return {"value": values[0], "low": float(low), "high": float(high)}
