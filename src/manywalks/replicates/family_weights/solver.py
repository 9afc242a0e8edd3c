"""Weights that are not negative and sum to one, and give a mixed prediction the lowest loss."""

from typing import Literal, NamedTuple

import numpy as np
from scipy import special

Loss = Literal["mse", "huber", "probability", "logit"]

# of the curvature: so weakly the weights are held where the loss does not tell them apart
HOLD = 1e-6
# the curvature of a probability of one half; no other loss bends more
BEND = 4.0
STEPS, ENOUGH = 100, 1e-12
# nearer to 0 or 1 the loss of a probability goes on as a straight line: its logarithm ends there
EDGE = 1e-7


class Unseen(NamedTuple):
    """One endpoint's molecules as networks predict that have not seen them.

    Attributes:
        families: (f, n): what is averaged, in the space of the loss.
        observed: (n,): in network space, classes as 0 or 1.
        weights: (n,) of the measurements, above 0.
        side: (n,): 1 where the truth is above `observed`, -1 below, 0 where it is the value itself.
        groups: int (n,): molecules of one group are no independent evidence.
        loss: "mse" or "huber" of values; of classes that of the averaged "probability" or "logit".
    """

    families: np.ndarray
    observed: np.ndarray
    weights: np.ndarray
    side: np.ndarray
    groups: np.ndarray
    loss: Loss


class Terms(NamedTuple):
    """Of each molecule (n,): the loss of its mixed prediction, and its first and second derivative."""

    value: np.ndarray
    slope: np.ndarray
    curvature: np.ndarray


def terms(unseen: Unseen, weights: np.ndarray) -> Terms:
    """What the mix with these weights (f,) loses at each molecule, times the molecule's weight."""
    found = _terms(unseen.loss, weights @ unseen.families, unseen.observed, unseen.side)
    shares = unseen.weights / unseen.weights.sum()
    return Terms(*(one * shares for one in found))


def _terms(loss: Loss, mixed: np.ndarray, y: np.ndarray, side: np.ndarray) -> Terms:
    """The same before the molecules are weighed; of Huber's loss a curvature that is never too small."""
    if loss == "logit":
        p = special.expit(mixed)
        return Terms(np.logaddexp(0, mixed) - y * mixed, p - y, p * (1 - p))
    if loss == "probability":
        p = np.clip(mixed, EDGE, 1 - EDGE)
        slope = (p - y) / (p * (1 - p))
        # held at the edge, it would be flat there and no step would seem to gain anything
        value = -special.xlogy(y, p) - special.xlog1py(1 - y, -p) + slope * (mixed - p)
        return Terms(value, slope, y / p**2 + (1 - y) / (1 - p) ** 2)
    error = mixed - y
    large = np.abs(error)
    if loss == "mse":
        found = Terms(error**2, 2 * error, np.full_like(error, 2.0))
    else:
        value = np.where(large > 1, large - 0.5, 0.5 * error**2)
        found = Terms(value, np.clip(error, -1, 1), 1 / np.maximum(large, 1))
    right = error * side > 0
    return Terms(*(np.where(right, 0.0, one) for one in found))


def fit(unseen: Unseen, start: np.ndarray) -> np.ndarray:
    """The weights (f,) with the lowest loss, by Newton's method; `start` where it does not tell them apart.

    Args:
        unseen: f families at n molecules.
        start: weights (f,) to begin with.
    """
    weights, hold = start.copy(), HOLD * _scale(unseen, start)

    def loss(at: np.ndarray) -> float:
        return float(terms(unseen, at).value.sum() + hold / 2 * ((at - start) ** 2).sum())

    for _ in range(STEPS):
        here = terms(unseen, weights)
        slope = unseen.families @ here.slope + hold * (weights - start)
        bend = _hessian(unseen, here) + hold * np.eye(len(start))
        step = lowest(bend, bend @ weights - slope, weights) - weights
        gain = -float(slope @ step)
        if gain <= ENOUGH:
            break
        length, now = 1.0, loss(weights)
        while loss(weights + length * step) > now - 1e-4 * length * gain and length > ENOUGH:
            length /= 2
        weights = weights + length * step
    return weights


def _scale(unseen: Unseen, start: np.ndarray) -> float:
    """The mean curvature along one weight at these weights (f,); 1 where the loss is flat."""
    here, shares = terms(unseen, start), unseen.weights / unseen.weights.sum()
    # a sure and wrong probability bends by 1e8 and more, which would hold the weights where they are
    bends = here._replace(curvature=np.minimum(here.curvature, BEND * shares))
    return float(np.trace(_hessian(unseen, bends))) / len(start) or 1.0


def _hessian(unseen: Unseen, here: Terms) -> np.ndarray:
    """(f, f)"""
    return (unseen.families * here.curvature) @ unseen.families.T


def lowest(bend: np.ndarray, pull: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Where w' bend w / 2 - pull' w is lowest, for w not negative and summing to 1; exact, by active sets.

    Args:
        bend: (f, f), positive definite.
        pull: (f,).
        start: (f,), such weights.
    """
    weights, free = start.copy(), start > 0
    for _ in range(4 ** len(start)):
        wanted, level = _on_plane(bend, pull, free)
        if (wanted >= 0).all():
            weights = wanted
            pushed = np.where(free, 0.0, bend @ weights - pull + level)
            if pushed.min() >= -1e-12 * np.abs(bend).max():
                break
            free[np.argmin(pushed)] = True
            continue
        # towards it as far as no weight is negative, and the first that is 0 stays there
        falling = wanted < 0
        reach = weights[falling] / (weights[falling] - wanted[falling])
        weights = np.maximum(weights + reach.min() * (wanted - weights), 0)
        ended = np.flatnonzero(falling)[np.argmin(reach)]
        weights[ended], free[ended] = 0.0, False
    return weights / weights.sum()


def _on_plane(bend: np.ndarray, pull: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float]:
    """The lowest point where the others are 0 and the sum is 1, of any sign, and the sum's multiplier."""
    count = int(free.sum())
    system = np.ones((count + 1, count + 1))
    system[:count, :count], system[count, count] = bend[np.ix_(free, free)], 0.0
    solved = np.linalg.solve(system, np.append(pull[free], 1.0))
    weights = np.zeros(len(pull))
    weights[free] = solved[:count]
    return weights, float(solved[count])
