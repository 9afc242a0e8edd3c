"""Good and cheap at once: the trials that no other one beats in both, and the one of them that is judged."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

# what a replicate may cost, and how that is called
COSTS = {"seconds": "seconds per replicate", "parameters": "parameters of the network"}
# settings that cost at most this share of the present ones are cheaper: less may be the clock's luck
CHEAPER = 0.9


class Point(NamedTuple):
    """A trial, or the present settings.

    Attributes:
        gain: over the present settings, more is better.
        cost: of one replicate, less is better.
    """

    gain: float
    cost: float


def pareto(points: Mapping[int, Point]) -> list[int]:
    """Those that no other is at least as good and as cheap as, cheapest first; of equals the first."""
    found, best = [], -math.inf
    for number in sorted(points, key=lambda n: (points[n].cost, -points[n].gain, n)):
        if points[number].gain > best:
            found.append(number)
            best = points[number].gain
    return found


def choose(front: Sequence[int], is_worse: Callable[[int, int], bool]) -> int | None:
    """The cheapest on a front that is not surely worse than its best, which is its last; None of none."""
    return next((number for number in front if number == front[-1] or not is_worse(number, front[-1])), None)


def is_cheaper(one: float, other: float) -> bool:
    """Whether a cost is surely lower than another."""
    return one <= CHEAPER * other
