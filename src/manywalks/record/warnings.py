"""When a record says more than chance: too few measurements within their intervals, or all on one side.

Two tests at every night, each over the last 3, 10, 30 and 100 nights that brought measurements. What may fail
is spent by the day: with no drift at all, at most 5 % of years bring a warning, however often one looks.
Molecules of a series are right or wrong together, so a series counts once in each window, by its mean. A mean
of many scatters less than one molecule, so the tests err on the safe side (Hoeffding 1956 for the first).
"""

import math
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

WINDOWS = (3, 10, 30, 100)
YEARLY = 0.05
# days that one look can spend: after a long pause a warning is not cheaper than after a month
MOST_DAYS = 30.0
# predicted standard deviations: a smaller shift is no news, however sure it is
LEAST_SHIFT = 0.2


class Warned(NamedTuple):
    """One warning.

    Attributes:
        night: when it was raised.
        kind: "coverage" or "shift".
        since: the first night of the window.
        molecules, series: how many are in it.
        share: of the measurements within their intervals.
        shift: mean of observed less predicted, in the endpoint's unit.
        p: of the test, beside `allowed`, what it could spend.
    """

    night: str
    kind: str
    since: str
    molecules: int
    series: int
    share: float
    shift: float
    p: float
    allowed: float


class Measured(NamedTuple):
    """Measurements of one endpoint in time, (n,) each; `starts` are the rows where nights begin, and the end.

    Attributes:
        series: numbers of the series.
        error: observed less predicted, in the endpoint's unit; `scaled` over the predicted sd.
        within: 1 where the interval holds the measurement.
        nominal, calibration: see `Promise`.
    """

    nights: list[str]
    times: list[datetime]
    starts: np.ndarray
    series: np.ndarray
    error: np.ndarray
    scaled: np.ndarray
    within: np.ndarray
    nominal: np.ndarray
    calibration: np.ndarray

    @classmethod
    def of(cls, judged: pd.DataFrame) -> "Measured":
        """From the columns of `prospective.COLUMNS`, `night` and `when`, oldest first.

        Only measurements with an interval count: a class has none, and neither has a model that was
        calibrated on too few molecules.
        """
        judged = judged.loc[np.isfinite(judged["within"].to_numpy())]
        nights = judged["night"].to_numpy(dtype=str)
        starts = np.flatnonzero(np.r_[True, nights[1:] != nights[:-1]]) if len(nights) else np.zeros(0, int)
        error = (judged["observed"] - judged["predicted"]).to_numpy()
        return cls(
            nights[starts].tolist(),
            [datetime.fromisoformat(text) for text in judged["when"].iloc[starts]],
            np.append(starts, len(nights)),
            pd.factorize(judged["series"])[0],
            error,
            error / judged["sd"].to_numpy(),
            judged["within"].to_numpy(),
            judged["coverage"].to_numpy(),
            judged["calibration"].to_numpy(),
        )


def warned(measured: Measured, endpoints: int = 1) -> list[Warned]:
    """All warnings of one endpoint, in time: at most one of a kind per night, the strongest.

    Args:
        measured: its measurements.
        endpoints: how many share the 5 %.
    """
    found: list[Warned] = []
    for number, now in enumerate(measured.times):
        before = measured.times[number - 1] if number else None
        allowed = spent(before, now) / (2 * len(WINDOWS) * endpoints)
        seen = [
            one
            for size in WINDOWS
            if size <= number + 1
            for one in _tests(measured, number + 1 - size, number, allowed)
        ]
        for kind in ("coverage", "shift"):
            beyond = [one for one in seen if one.kind == kind and one.p <= allowed]
            found += [min(beyond, key=lambda one: one.p)] if beyond else []
    return found


def spent(before: datetime | None, now: datetime) -> float:
    """What one look may spend of a year's 5 %: by the days since the last one."""
    days = 1.0 if before is None else (now - before).total_seconds() / 86_400
    return YEARLY * min(max(days, 0.0), MOST_DAYS) / 365


def coverage_p(within: np.ndarray, series: np.ndarray, nominal: float, calibration: int) -> float:
    """How likely so few within their intervals are, if the intervals keep their promise.

    Intervals fitted on n series hold a share of new ones that is itself a draw (Beta). So the number within
    is beta-binomial; with many series in the calibration it is the binomial.

    Args:
        within: (n,) 1 where the interval holds the measurement.
        series: int (n,), which are of one series.
        nominal: the promised share.
        calibration: series that the intervals were fitted on.
    """
    from scipy import stats  # half a second to import

    rank = math.ceil((calibration + 1) * nominal)
    if rank > calibration:
        return 1.0  # so few that nothing was promised
    sizes = np.bincount(series)
    held = math.ceil(float(np.sum(np.bincount(series, within) / sizes)) - 1e-9)
    return float(stats.betabinom.cdf(held, sizes.size, rank, calibration + 1 - rank))


def shift_p(error: np.ndarray, series: np.ndarray) -> float:
    """How likely errors so much on one side are, if they are symmetric about zero: signed ranks by series.

    Args:
        error: (n,) observed less predicted, over the predicted standard deviation.
        series: int (n,), which are of one series.
    """
    from scipy import stats  # half a second to import

    means = np.bincount(series, error) / np.bincount(series)
    return float(np.asarray(stats.wilcoxon(means))[1]) if np.any(means) else 1.0


def _tests(measured: Measured, first: int, last: int, allowed: float) -> list[Warned]:
    """Both tests over the nights `first` to `last`."""
    rows = slice(measured.starts[first], measured.starts[last + 1])
    _, series = np.unique(measured.series[rows], return_inverse=True)
    scaled, within = measured.scaled[rows], measured.within[rows]
    nominal, calibration = float(measured.nominal[rows].min()), int(measured.calibration[rows].min())
    falls = coverage_p(within, series, nominal, calibration)
    moved = shift_p(scaled, series) if abs(_by_series(scaled, series)) >= LEAST_SHIFT else 1.0
    about = {
        "night": measured.nights[last], "since": measured.nights[first], "molecules": scaled.size,
        "series": int(series.max()) + 1, "share": float(within.mean()),
        "shift": float(measured.error[rows].mean()), "allowed": allowed,
    }  # fmt: skip
    return [Warned(kind="coverage", p=falls, **about), Warned(kind="shift", p=moved, **about)]


def _by_series(values: np.ndarray, series: np.ndarray) -> float:
    """Mean over series of their means."""
    return float(np.mean(np.bincount(series, values) / np.bincount(series)))


def sentence(one: Warned, name: str, unit: str, coverage: float, since: str) -> str:
    """A warning in words; `since` is the date of its first night."""
    what = f"the last {one.molecules} measurements (since {since}, {one.series} series)"
    if one.kind == "coverage":
        return (
            f"{name}: only {100 * one.share:.0f} % of {what} are within their {100 * coverage:g} % "
            "intervals, fewer than chance explains"
        )
    words = f"{abs(one.shift):.2g}{f' {unit}' if unit else ''}"
    side = "above" if one.shift > 0 else "below"
    return (
        f"{name}: {what} are {words} {side} their predictions on average, more than chance explains; has the "
        "assay changed?"
    )
