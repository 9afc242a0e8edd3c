"""How many replicates next, and the tolerance that decides when they are enough."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from manywalks.replicates.combine import MEAN, Combining, as_means
from manywalks.replicates.statistics.bound import replicates_needed
from manywalks.replicates.statistics.spectrum import covariance_moments

# counts at looks are multiples of this: a few cores' worth, and few looks
_STEP = 4


@dataclass(frozen=True)
class Stopping:
    """When there are enough replicates.

    Attributes:
        tolerance: for each of the t endpoints, in its unit; one number for all of them.
        confidence: of the bound.
        minimum: replicates at the first look.
        maximum: replicates at most.
        count: exactly so many, without looking.
        ways: how each of the t endpoints' replicates are made one; one for all where it is alone.
    """

    tolerance: float | Sequence[float]
    confidence: float = 0.95
    minimum: int = 8
    maximum: int = 128
    count: int | None = None
    ways: Sequence[Combining] = (MEAN,)


def next_count(predictions: np.ndarray | None, rule: Stopping) -> int:
    """How many replicates there are to be at the next look: as many as there are when that is enough.

    The looks are replayed from the first one at `minimum`, each on the replicates that it saw, so the answer
    depends on the predictions and the rule alone and a run that was cut off goes on as if it had not
    been. Where more replicates are at hand than the rule asks for, the answer is the smaller number: use the
    first so many. A look that falls short asks for the predicted need, a multiple of 4.

    Args:
        predictions: (m, n) or (m, n, t) in order of replicate index, in endpoint units; None for no
            replicates.
        rule: when there are enough.
    """
    return planned_looks(predictions, rule)[-1]


def planned_looks(predictions: np.ndarray | None, rule: Stopping) -> list[int]:
    """The looks so far and the next one, as `next_count` takes them; the last is where to stop or go next."""
    if rule.count is not None:
        return [rule.count]
    looks = [min(rule.minimum, rule.maximum)]
    if predictions is None or len(predictions) < looks[0]:
        return looks
    while looks[-1] <= len(predictions) and looks[-1] < rule.maximum:
        needed = _needed(predictions[: looks[-1]], rule, least=looks[-1])
        if needed == looks[-1]:
            return looks
        looks.append(min(rule.maximum, max(looks[-1] + _STEP, _STEP * math.ceil(needed / _STEP))))
    return looks


def projected_count(predictions: np.ndarray | None, rule: Stopping) -> int:
    """Where the training is expected to end, for a progress bar: from all replicates at hand."""
    at_least = next_count(predictions, rule)
    if rule.count is not None or predictions is None or not _STEP <= len(predictions) < at_least:
        return at_least
    needed = _needed(predictions, rule, least=_STEP)
    return min(rule.maximum, max(at_least, _STEP * math.ceil(needed / _STEP)))


def _needed(predictions: np.ndarray, rule: Stopping, *, least: int) -> int:
    """Replicates that the endpoint with the greatest need will take, from (m, n) or (m, n, t) of them."""
    cube = np.asarray(predictions)
    cube = cube[:, :, None] if cube.ndim == 2 else cube
    limits = np.broadcast_to(np.asarray(rule.tolerance, dtype=np.float64), cube.shape[2])
    every = list(rule.ways) * (cube.shape[2] if len(rule.ways) == 1 else 1)
    return max(
        replicates_needed(
            covariance_moments(as_means(cube[:, :, t], how)),
            float(limits[t]),
            rule.confidence,
            adaptive=True,
            least=least,
            mode=how.mode,
        )
        for t, how in enumerate(every)
    )


def resolve_tolerance(
    tolerance: str | float, sd: float | None, noise: float | None, *, key: str = "replicates.tolerance"
) -> float:
    """The tolerance in the endpoint's unit.

    Args:
        tolerance: a number in the endpoint's unit, "0.1 sd" (share of the observed standard deviation of the
            training subset) or "1 noise" (share of the assay's noise, measured by repeats).
        sd: that standard deviation; None, 0 or NaN where there is none.
        noise: that noise; None where the data has no repeats.
        key: what the error calls it.
    """
    number, _, word = str(tolerance).strip().partition(" ")
    scales = {"": 1.0, "sd": sd, "noise": noise}
    known = word.strip().lower() in scales
    scale = scales.get(word.strip().lower())
    try:
        share = float(number)
    except ValueError:
        share = math.nan
    if not (math.isfinite(share) and share > 0) or not known:
        raise ValueError(
            f"{key}: {tolerance!r} is no tolerance; write a number above 0, '0.1 sd' or '1 noise'"
        )
    if not scale or not math.isfinite(scale):
        lacks = (
            "repeated measurements" if word.strip().lower() == "noise" else "two different training values"
        )
        raise ValueError(
            f"{key}: {tolerance!r} has no scale, the endpoint has no {lacks}; write a number in its unit"
        )
    return share * scale
