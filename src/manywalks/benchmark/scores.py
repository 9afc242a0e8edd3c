"""Scores on test molecules, and how far other test molecules of the same kind would move them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from manywalks.benchmark.published import LOWER, Published, better
from manywalks.evaluate.scores import auroc, classification_metrics, regression_metrics, spearman

DRAWS = 1000
Metric = Callable[[np.ndarray, np.ndarray], float]
NAN = float("nan")


class Scored(NamedTuple):
    """A score, its 95 % interval over test molecules drawn anew, and the scores on these draws (draws,)."""

    value: float
    low: float
    high: float
    draws: np.ndarray


class Rank(NamedTuple):
    """A place among published scores.

    Attributes:
        place: from 1.
        of: how many there are, this one among them.
        low, high: places that 95 % of the test sets drawn anew give.
        luck: share of them on which it is a worse place than `place`.
    """

    place: int
    of: int
    low: int
    high: int
    luck: float


def score(metric: str, observed: np.ndarray, predicted: np.ndarray) -> float:
    """One metric over the measured ones of n test rows; NaN where it is not defined."""
    measured = ~np.isnan(observed)
    y, f = observed[measured], np.asarray(predicted, dtype=np.float64)[measured]
    if len(y) == 0:
        return NAN
    value = _FUNCTIONS[metric](y, f)
    return NAN if value is None else float(value)


def relative_error(observed: np.ndarray, predicted: np.ndarray) -> float:
    """RAE: mean absolute error over the mean absolute deviation of the measured values, each (n,)."""
    deviation = float(np.abs(observed - observed.mean()).mean())
    return float(np.abs(predicted - observed).mean()) / deviation if deviation > 0 else NAN


_FUNCTIONS: dict[str, Callable[[np.ndarray, np.ndarray], float | None]] = {
    "mae": lambda y, f: float(np.abs(f - y).mean()),
    "rmse": lambda y, f: float(np.sqrt(np.square(f - y).mean())),
    "rae": relative_error,
    "r2": lambda y, f: regression_metrics(y, f)["r2"],
    "spearman": spearman,
    "auroc": lambda y, f: auroc(y == 1, f),
    "auprc": lambda y, f: classification_metrics(y, f)["auprc"],
}


def bootstrap(of_rows: Callable[[np.ndarray], float], n: int) -> Scored:
    """The score of n test molecules, and of DRAWS test sets of n of them drawn with replacement.

    Args:
        of_rows: the score of some rows; NaN where it is not defined there, and then left out.
        n: how many rows there are.
    """
    value = of_rows(np.arange(n))
    # a fixed stream: a second look at the same predictions gives the same interval
    rng = np.random.default_rng(0)
    draws = np.array([of_rows(rng.integers(0, n, n)) for _ in range(DRAWS)])
    draws = draws[np.isfinite(draws)]
    low, high = np.quantile(draws, (0.025, 0.975)) if len(draws) else (NAN, NAN)
    return Scored(value, float(low), float(high), draws)


def rank(metric: str, value: float, draws: np.ndarray, others: list[Published]) -> Rank | None:
    """The place of a score among published ones, which are taken as they are; None without any."""
    if not others or not np.isfinite(value) or not len(draws):
        return None
    scores = np.array([one.score for one in others])
    sign = 1 if metric in LOWER else -1
    places = 1 + (sign * scores[None, :] < sign * draws[:, None]).sum(axis=1)
    place = 1 + sum(better(metric, other, value) for other in scores)
    low, high = np.quantile(places, (0.025, 0.975), method="nearest")
    return Rank(place, len(others) + 1, int(low), int(high), float((places > place).mean()))
