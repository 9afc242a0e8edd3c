"""Warnings of a record: exact, rare without a drift, quick with one, and blind to how often one looks."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from manywalks.record import warnings
from manywalks.record.warnings import Measured

START = datetime(2026, 1, 5, 2, tzinfo=UTC)


def year(rng: np.random.Generator, nights: int, *, shift: float = 0.0, since: int = 0) -> Measured:
    """A year as the warnings see it."""
    return Measured.of(measurements(rng, nights, shift=shift, since=since))


def measurements(
    rng: np.random.Generator, nights: int, *, shift: float = 0.0, since: int = 0
) -> pd.DataFrame:
    """Nights of 8 measurements in series of about 2, errors in predicted sd; from `since` on shifted."""
    night = np.repeat(np.arange(nights), 8)
    series = rng.integers(0, 4 * nights, night.size)
    shared = rng.standard_normal(4 * nights)[series]
    scaled = np.sqrt(0.5) * (shared + rng.standard_normal(night.size)) + shift * (night >= since)
    return pd.DataFrame(
        {
            "night": [f"{number:04d}" for number in night],
            "when": [(START + timedelta(days=int(number))).isoformat() for number in night],
            "series": series.astype(str),
            "observed": 2 * scaled,
            "predicted": 0.0,
            "sd": 2.0,
            "within": (np.abs(scaled) <= stats.norm.ppf(0.95)).astype(float),
            "coverage": 0.9,
            "calibration": 400,
        }
    )


@pytest.mark.parametrize("held", [0, 3, 10])
def test_with_many_in_the_calibration_coverage_is_tested_by_the_binomial(held: int) -> None:
    within = (np.arange(12) < held).astype(float)
    found = warnings.coverage_p(within, np.arange(12), 0.9, 10**7)
    assert found == pytest.approx(stats.binom.cdf(held, 12, 0.9), rel=1e-3)


def test_with_few_in_the_calibration_coverage_is_tested_by_draws_of_both() -> None:
    rng, calibration, new = np.random.default_rng(0), 39, 20
    scores = rng.random((40_000, calibration + new))
    quantile = np.sort(scores[:, :calibration], axis=1)[:, 35]  # the 36th of 40 ranks: 90 %
    held = (scores[:, calibration:] <= quantile[:, None]).sum(axis=1)
    expected = np.mean(held <= 15)
    within = (np.arange(new) < 15).astype(float)
    assert warnings.coverage_p(within, np.arange(new), 0.9, calibration) == pytest.approx(expected, abs=0.005)


def test_too_few_in_the_calibration_promise_nothing() -> None:
    assert warnings.coverage_p(np.zeros(50), np.arange(50), 0.9, 8) == 1.0


def test_a_series_counts_once() -> None:
    within, series = np.zeros(60), np.zeros(60, dtype=int)
    assert warnings.coverage_p(within, series, 0.9, 400) == warnings.coverage_p(
        np.zeros(1), np.zeros(1, dtype=int), 0.9, 400
    )
    assert warnings.shift_p(np.full(60, 5.0), series) == 1.0


def test_a_shift_is_tested_by_signed_ranks_of_the_series() -> None:
    error, series = np.array([1.0, 3.0, -0.5, 0.7, 0.9]), np.array([0, 0, 1, 2, 3])
    # of the 16 ways to sign the ranks 1 to 4, those with at most rank 1 on one side: 2 on either
    assert warnings.shift_p(error, series) == pytest.approx(4 / 16)


@pytest.mark.parametrize("hours", [1, 24, 24 * 7, 24 * 90])
def test_no_year_spends_more_than_it_may_however_often_one_looks(hours: int) -> None:
    times = [START + timedelta(hours=hours * look) for look in range(365 * 24 // hours + 1)]
    pairs = zip([None, *times], times, strict=False)
    whole = sum(warnings.spent(before, now) for before, now in pairs)
    assert whole <= warnings.YEARLY * (1 + 1 / 365) * (1 + 1e-9)


def test_years_without_a_drift_are_quiet_and_a_shift_of_one_sd_is_found_within_ten_nights() -> None:
    rng = np.random.default_rng(3)
    quiet = [warnings.warned(year(rng, 60)) for _ in range(10)]
    assert not any(quiet)
    late = [warnings.warned(year(rng, 60, shift=1.0, since=40)) for _ in range(10)]
    nights = [int(found[0].night) - 39 for found in late]
    assert np.median(nights) <= 10
    assert all(one.shift > 0 for found in late for one in found)


def test_intervals_that_are_too_narrow_are_told() -> None:
    measured = year(np.random.default_rng(4), 60)
    narrow = measured._replace(within=(np.abs(measured.scaled) <= 0.6).astype(float))
    kinds = {one.kind for one in warnings.warned(narrow)}
    assert kinds == {"coverage"}


def test_a_model_without_intervals_silences_no_later_one() -> None:
    """The first model had too few valid molecules; those of the nights after it had enough."""
    frame = measurements(np.random.default_rng(3), 60, shift=2.0, since=20)
    frame.loc[frame["night"] < "0002", "within"] = np.nan
    later = Measured.of(frame.loc[frame["night"] >= "0002"])
    assert [one.night for one in warnings.warned(Measured.of(frame))] == [
        one.night for one in warnings.warned(later)
    ]
    assert warnings.warned(later)


def test_a_class_has_no_warnings() -> None:
    frame = measurements(np.random.default_rng(4), 20, shift=5.0)
    assert warnings.warned(Measured.of(frame))
    assert warnings.warned(Measured.of(frame.assign(within=np.nan))) == []


def test_a_warning_says_what_and_since_when() -> None:
    found = warnings.warned(year(np.random.default_rng(5), 40, shift=-2.0))[-1]
    said = warnings.sentence(found, "logS", "log10 mol/L", 0.9, "2026-02-01")
    assert said.startswith("logS: the last ") and "(since 2026-02-01, " in said
    assert " log10 mol/L below their predictions on average, more than chance explains" in said
