"""Errors and bounds by series, against the loop over series."""

import numpy as np
import pytest

from manywalks.evaluate.series import by_series
from manywalks.evaluate.statement.statement import Terms
from manywalks.replicates.statistics.bound import difference_bound

TERMS = Terms("regression", "mg", 0.1, adaptive=False)


def test_series_are_ordered_by_their_error_and_few_molecules_are_left_out() -> None:
    rng = np.random.default_rng(0)
    series = np.array(["a"] * 5 + ["b"] * 4 + ["c"] * 2 + ["d"])
    error = rng.normal(size=12) * np.array([1.0] * 5 + [4.0] * 4 + [9.0] * 3)
    error[3] = np.nan
    replicates, within = rng.normal(size=(9, 12)), rng.random(12) < 0.7
    found = by_series(series, replicates, error, within, TERMS)
    assert (found["series"], found["alone"]) == (4, 1)
    assert found["effective"] == pytest.approx(12**2 / (25 + 16 + 4 + 1))
    assert [one["scaffold"] for one in found["worst"]] == ["b", "a"]
    for one in found["worst"]:
        own = series == one["scaffold"]
        known = own & np.isfinite(error)
        assert (one["molecules"], one["measured"]) == (own.sum(), known.sum())
        assert one["error_rms"] == pytest.approx(np.sqrt(np.mean(error[known] ** 2)))
        assert one["error_mean"] == pytest.approx(error[known].mean())
        assert one["covered"] == pytest.approx(within[known].mean())
        assert one["difference_bound"] == pytest.approx(difference_bound(replicates[:, own]).bound)


def test_without_measured_values_no_series_is_shown() -> None:
    none = np.full(6, np.nan)
    found = by_series(np.repeat(["a", "b"], 3), np.ones((4, 6)), none, none < 0, TERMS)
    assert found["worst"] == []
