"""How much each searched key matters: permutation importance on a random forest of the trials.

A forest learns the gain from the values of the keys; a key's importance is the share of the gains' variance
that is lost when its values are shuffled among trials that the forest has not seen. Intervals come from
drawing the trials anew.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from manywalks.tune.space.keys import Key, RangeParams

# fewer trials say nothing of a key
FEWEST = 10
DRAWS, TREES, SHUFFLES = 30, 40, 5


def importance(
    keys: Sequence[Key], trials: Sequence[dict[str, Any]], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Keys with their importance and its 90 % interval, the most important first; none from few trials.

    Args:
        keys: those searched.
        trials: {"values", "gain", "error"} each, with a gain.
        rng: draws trials and shuffles.
    """
    known = [one for one in trials if one["gain"] is not None]
    if len(known) < FEWEST:
        return []
    x = np.array([[_number(key, one["values"]) for key in keys] for one in known])
    y = np.array([one["gain"] for one in known])
    weight = 1 / (np.array([one["error"] for one in known]) ** 2 + np.var(y) + 1e-30)
    found = [row for _ in range(DRAWS) if (row := _one_draw(x, y, weight, rng)) is not None]
    if not found or not np.ptp(y) > 0:
        return []
    shares = np.array(found)
    low, high = np.quantile(shares, [0.05, 0.95], axis=0)
    rows = [
        {"key": key.name, "importance": float(mean), "low": float(a), "high": float(b)}
        for key, mean, a, b in zip(keys, shares.mean(axis=0), low, high, strict=True)
    ]
    return sorted(rows, key=lambda row: -row["importance"])


def _one_draw(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, rng: np.random.Generator
) -> np.ndarray | None:
    """Importances (k,) with the trials of one draw; None where all trials were drawn."""
    drawn = rng.integers(len(y), size=len(y))
    rest = np.setdiff1d(np.arange(len(y)), drawn)
    if len(rest) < 2:
        return None
    from sklearn.ensemble import RandomForestRegressor  # a second to import

    forest = RandomForestRegressor(TREES, random_state=int(rng.integers(2**31)), min_samples_leaf=2)
    forest.fit(x[drawn], y[drawn], sample_weight=weight[drawn])
    variance = float(np.var(y)) or 1.0
    plain = np.average((forest.predict(x[rest]) - y[rest]) ** 2, weights=weight[rest])
    lost = []
    for column in range(x.shape[1]):
        shuffled = np.repeat(x[rest][None], SHUFFLES, axis=0)
        for one in shuffled:
            one[:, column] = rng.choice(x[:, column], size=len(rest))
        errors = (forest.predict(shuffled.reshape(-1, x.shape[1])).reshape(SHUFFLES, -1) - y[rest]) ** 2
        lost.append(np.average(errors.mean(axis=0), weights=weight[rest]) - plain)
    return np.array(lost) / variance


def _number(key: Key, values: dict[str, Any]) -> float:
    """A value as the forest takes it; -1 below all where its condition does not hold."""
    if key.name not in values:
        return -1.0
    value = values[key.name]
    if isinstance(key.given, RangeParams):
        low, high = (np.log(end) if key.given.log else end for end in (key.given.low, key.given.high))
        place = np.log(value) if key.given.log else value
        return float((place - low) / (high - low))
    labels = [str(one) for one in key.given.choices]
    return labels.index(str(value)) / max(len(labels) - 1, 1)
