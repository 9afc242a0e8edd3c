"""Decisions that a retrained ensemble makes otherwise: chances, numbers, and what lists add up to."""

import numpy as np
import pytest
from scipy import stats

from manywalks.params.sections.cut import Cut
from manywalks.replicates.combine import location_variance
from manywalks.replicates.statistics.bound import difference_bound
from manywalks.replicates.statistics.decisions import (
    count_quantile,
    difference_error,
    flip_chances,
    most_flips,
)
from manywalks.replicates.statistics.list_sums import ListSums, added, from_bytes, to_bytes

CUT = Cut(low=0.5)


def model(rng: np.random.Generator, m: int, centre: np.ndarray) -> np.ndarray:
    """(m, n) replicates about a centre (n,), with one direction common to all molecules."""
    return centre + 0.2 * rng.standard_normal((m, 1)) + 0.2 * rng.standard_normal((m, centre.size))


def test_a_chance_is_the_tail_of_students_t() -> None:
    chance = flip_chances(np.array([1.0]), difference_error(np.array([0.6]), 10), CUT, 10)
    assert chance[0] == pytest.approx(stats.t.sf(0.5 / (0.6 * np.sqrt(2 / 10)), 9))


def test_a_range_is_left_on_either_side_and_entered_from_outside() -> None:
    error = 0.4 * np.sqrt(2 / 8)
    within = stats.t(7).cdf(np.array([0.3, 1.5]) / error) - stats.t(7).cdf(np.array([-0.7, 0.5]) / error)
    chance = flip_chances(np.array([0.7, -0.5]), difference_error(np.full(2, 0.4), 8), Cut(0.0, 1.0), 8)
    np.testing.assert_allclose(chance, [1 - within[0], within[1]])


def test_without_spread_no_decision_changes() -> None:
    centre = np.array([0.2, 0.5, 0.8])
    assert flip_chances(centre, np.zeros(3), CUT, 8).tolist() == [0, 0, 0]
    assert most_flips(0.0, 0.0, np.zeros((8, 8)), 0.95, molecules=3) == 0


def test_few_expected_flips_are_not_none() -> None:
    chances = np.array([0.0617, 0.06, 0.0594, 0.0146])
    most = most_flips(chances.sum(), float(chances @ (1 - chances)), np.zeros((8, 8)), 0.95, molecules=4)
    rng = np.random.default_rng(1)
    flips = (rng.random((100_000, 4)) < chances).sum(axis=1)
    assert most == np.quantile(flips, 0.95, method="higher") == 1


@pytest.mark.parametrize("chances", [[0.02] * 60, [0.5] * 12, [0.3, 0.1, 0.45] * 9, [0.04] * 3])
def test_the_most_of_independent_flips_is_their_quantile(chances: list[float]) -> None:
    p = np.array(chances)
    rng = np.random.default_rng(2)
    flips = (rng.random((200_000, p.size)) < p).sum(axis=1)
    most = count_quantile(p.sum(), float(p @ (1 - p)), 0.95, p.size)
    # the quantile of a count that jumps over 95 % may be one off where it just does
    assert np.mean(flips <= most) >= 0.945
    assert most == 0 or np.mean(flips <= most - 1) < 0.955


@pytest.mark.parametrize(
    ("variance", "quantile"), [(3.0, stats.poisson(3).ppf(0.95)), (1.5, stats.binom(6, 0.5).ppf(0.95))]
)
def test_a_count_is_what_its_variance_says(variance: float, quantile: float) -> None:
    assert count_quantile(3.0, variance, 0.95, 1000) == quantile


@pytest.mark.parametrize("mode", ["mean", "median"])
def test_chances_of_a_smaller_retrained_ensemble_are_larger(mode) -> None:
    one, other = (
        flip_chances(np.array([0.6]), difference_error(np.array([0.3]), 16, mode, other=k), CUT, 16)[0]
        for k in (None, 4)
    )
    error = 0.3 * np.sqrt(location_variance(mode, 16) + location_variance(mode, 4))
    assert one < other == pytest.approx(stats.t.sf(0.1 / error, 15))


def test_chances_and_the_most_hold_for_retrained_ensembles() -> None:
    rng = np.random.default_rng(5)
    expected, differ, within = 0.0, 0.0, []
    for _ in range(200):
        centre = rng.normal(size=100)
        seen = model(rng, 12, centre)
        sums = ListSums.of(seen, seen.mean(axis=0), CUT)
        retrained = model(rng, 12, centre).mean(axis=0)
        flips = np.count_nonzero(CUT.selects(retrained) != CUT.selects(seen.mean(axis=0)))
        most = most_flips(sums.flips, sums.flips_variance, sums.near, 0.95, molecules=100)
        expected, differ = expected + sums.flips, differ + flips
        within.append(flips <= most)
    assert expected == pytest.approx(differ, rel=0.1)
    assert 0.92 <= np.mean(within) <= 1


def test_a_list_in_pieces_is_the_list() -> None:
    rng = np.random.default_rng(6)
    seen = model(rng, 9, rng.normal(size=50))
    whole = ListSums.of(seen, seen.mean(axis=0), CUT)
    pieces = [
        ListSums.of(seen[:, rows], seen[:, rows].mean(axis=0), CUT) for rows in np.split(np.arange(50), 5)
    ]
    kept = added([from_bytes(to_bytes((piece,))) for piece in pieces])[0]
    assert (kept.molecules, kept.selected) == (50, whole.selected)
    np.testing.assert_allclose(kept.gram, whole.gram)
    np.testing.assert_allclose(kept.near, whole.near)
    assert (kept.flips, kept.flips_variance) == pytest.approx((whole.flips, whole.flips_variance))


def test_the_bound_of_a_list_is_that_of_its_predictions() -> None:
    from manywalks.evaluate.statement.list_statement import ListTerms, list_statement

    rng = np.random.default_rng(7)
    seen = model(rng, 11, rng.normal(size=30))
    found = list_statement(ListSums.of(seen, seen.mean(axis=0), None), ListTerms("regression", "mg", 0.95))
    assert found["difference_bound"] == pytest.approx(difference_bound(seen).bound)
    assert found["decisions"] is None
