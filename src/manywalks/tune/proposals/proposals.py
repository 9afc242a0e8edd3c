"""The next settings of a search: first drawn, then those of the largest expected improvement."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from manywalks.tune.proposals.draws import anywhere, between, near, place, step_from
from manywalks.tune.proposals.surrogate import Surrogate
from manywalks.tune.space.keys import ChoicesParams
from manywalks.tune.space.space import Space

# drawn before anything is learned; every WIDE-th of them anywhere in the space, the others near the present
FIRST, WIDE = 8, 4
# candidates: steps from the best trials, between two of them, near the present settings, anywhere
STEPS, BETWEEN, NEAR, ANYWHERE = 100, 60, 60, 30
# trials that a candidate may come from
BEST = 5


class Tried(NamedTuple):
    """Settings with their gain and its standard error."""

    values: Mapping[str, Any]
    gain: float
    error: float


def first(
    space: Space, present: Mapping[str, Any] | None, number: int, rng: np.random.Generator
) -> dict[str, Any]:
    """One of the first settings, before anything is learned; `present` where the space holds them."""
    if present is None or number % WIDE == 0:
        return anywhere(space, rng)
    return near(space, present, rng)


def best_expected(
    space: Space,
    present: Mapping[str, Any] | None,
    tried: Sequence[Tried],
    pending: Sequence[Mapping[str, Any]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """The candidate that is expected to improve most on what was tried; `pending` are being trained."""
    known = [*([Tried(present, 0.0, 0.0)] if present is not None else []), *tried]
    choices = np.array([isinstance(key.given, ChoicesParams) for key in space.keys])
    surrogate = Surrogate.fit(
        encoded(space, [one.values for one in known]),
        choices,
        np.array([one.gain for one in known]),
        np.array([one.error for one in known]),
    ).expecting(encoded(space, pending))
    drawn = _candidates(space, present, known, rng)
    former = [dict(one.values) for one in known] + [dict(values) for values in pending]
    # a small space may hold no others
    fresh = [one for one in drawn if one not in former] or drawn
    return fresh[int(np.argmax(surrogate.improvement(encoded(space, fresh))))]


def encoded(space: Space, settings: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Settings as numbers (n, k); NaN where a key does not apply."""
    rows = [
        [place(key, values[key.name]) if key.name in values else np.nan for key in space.keys]
        for values in settings
    ]
    return np.array(rows, dtype=np.float64).reshape(len(settings), len(space.keys))


def _candidates(
    space: Space, present: Mapping[str, Any] | None, known: Sequence[Tried], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Settings to choose from."""
    # of two equal gains the surer one
    typical = float(np.median([one.error for one in known])) or 1.0
    ahead = sorted(known, key=lambda one: -one.gain / (1 + (one.error / typical) ** 2))[:BEST]

    def any_of() -> Mapping[str, Any]:
        return ahead[rng.integers(len(ahead))].values

    found = [step_from(space, any_of(), rng) for _ in range(STEPS)]
    found += [between(space, any_of(), any_of(), rng) for _ in range(BETWEEN)]
    if present is not None:
        found += [near(space, present, rng) for _ in range(NEAR)]
    return found + [anywhere(space, rng) for _ in range(ANYWHERE)]
