"""Settings drawn over a space: anywhere, near some settings, or between two."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution

from manywalks.tune.space.keys import Key, RangeParams
from manywalks.tune.space.space import Space

# near some settings a key is drawn anew with this chance, and so many keys in the mean at least: settings
# that are random in all keys are mostly far worse than those that somebody chose
CHANGED, FEWEST = 0.3, 3
# a small step changes fewer keys, numbers by this much of their range (a standard deviation)
STEP_CHANGED, STEP_FEWEST, STEP = 0.15, 2, 0.25


def anywhere(space: Space, rng: np.random.Generator) -> dict[str, Any]:
    """Values that are random in all keys."""
    return space.draw(lambda key: _random(key, rng))


def near(space: Space, values: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """These values with a few keys drawn anew."""
    changed = _chosen(space, max(CHANGED, FEWEST / len(space.keys)), rng)
    return _drawn(space, values, lambda key: _other(key, values, rng) if key.name in changed else None, rng)


def step_from(space: Space, values: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """These values with one or two keys changed, numbers by a little."""
    changed = _chosen(space, max(STEP_CHANGED, STEP_FEWEST / len(space.keys)), rng)
    return _drawn(space, values, lambda key: _moved(key, values, rng) if key.name in changed else None, rng)


def between(
    space: Space, one: Mapping[str, Any], other: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    """Each key's value from one of two settings, with a small step."""
    names = {**one, **other}
    mixed = {
        name: (one if name in one and (name not in other or rng.random() < 0.5) else other)[name]
        for name in names
    }
    return step_from(space, mixed, rng)


def place(key: Key, value: Any) -> float:
    """A value's place on its range, 0 to 1; the number of a choice."""
    if isinstance(key.given, RangeParams):
        low, high = _ends(key.given)
        return float(((np.log(value) if key.given.log else value) - low) / (high - low))
    distribution = key.distribution
    if not isinstance(distribution, CategoricalDistribution):
        raise ValueError(f"{key.name}: has neither a range nor choices")
    return float(distribution.choices.index(key.drawn(value)))


def _ends(given: RangeParams) -> tuple[float, float]:
    """Both ends, on the scale on which values are drawn evenly."""
    return (np.log(given.low), np.log(given.high)) if given.log else (given.low, given.high)


def _at(key: Key, at: float) -> Any:
    """The value at a place of a range, as Optuna would have drawn it."""
    if not isinstance(key.given, RangeParams):
        raise ValueError(f"{key.name}: has no range")
    low, high = _ends(key.given)
    value = low + at * (high - low)
    value = float(np.exp(value)) if key.given.log else float(value)
    value = min(max(value, key.given.low), key.given.high)
    return round(value) if key.whole else value


def _random(key: Key, rng: np.random.Generator) -> Any:
    """Any value."""
    if isinstance(key.given, RangeParams):
        return _at(key, rng.random())
    return key.drawn(key.given.choices[rng.integers(len(key.given.choices))])


def _other(key: Key, values: Mapping[str, Any], rng: np.random.Generator) -> Any:
    """Any other value."""
    if isinstance(key.given, RangeParams) or key.name not in values or len(key.given.choices) == 1:
        return _random(key, rng)
    others = [one for one in map(key.drawn, key.given.choices) if one != key.drawn(values[key.name])]
    return others[rng.integers(len(others))]


def _moved(key: Key, values: Mapping[str, Any], rng: np.random.Generator) -> Any:
    """A number near the present one; another choice."""
    if key.name not in values or not isinstance(key.given, RangeParams):
        return _other(key, values, rng)
    return _at(key, float(np.clip(place(key, values[key.name]) + rng.normal(0, STEP), 0, 1)))


def _chosen(space: Space, chance: float, rng: np.random.Generator) -> set[str]:
    """Names of the keys to change, one at least."""
    changed = rng.random(len(space.keys)) < chance
    changed[rng.integers(len(space.keys))] = True
    return {key.name for key, own in zip(space.keys, changed, strict=True) if own}


def _drawn(
    space: Space, values: Mapping[str, Any], change: Callable[[Key], Any], rng: np.random.Generator
) -> dict[str, Any]:
    """These values but for what `change` gives; a key that applies only now is random."""

    def pick(key: Key) -> Any:
        found = change(key)
        if found is None and key.name in values:
            found = key.drawn(values[key.name])
        return _random(key, rng) if found is None else found

    return space.draw(pick)
