"""The bound: exact cases, coverage, the stopping rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from manywalks.replicates.statistics import bound, spectrum
from manywalks.replicates.statistics.stopping import (
    Stopping,
    next_count,
    planned_looks,
    projected_count,
    resolve_tolerance,
)

N = 60
SPECTRA = {
    "flat": np.ones(N),
    "1/k": 1 / np.arange(1.0, N + 1),
    "1/k^2": 1 / np.arange(1.0, N + 1) ** 2,
    "one": np.r_[1, np.full(N - 1, 1e-3)],
}


def replicates(rng: np.random.Generator, m: int, shares: np.ndarray) -> np.ndarray:
    """(m, n) Gaussian replicates whose covariance has the spectrum `shares`, mean variance 1."""
    return rng.standard_normal((m, shares.size)) * np.sqrt(shares / shares.mean())


def test_moments_are_without_bias():
    rng = np.random.default_rng(0)
    share = SPECTRA["1/k"] / SPECTRA["1/k"].sum()
    seen = [spectrum.covariance_moments(replicates(rng, 24, share)) for _ in range(400)]
    assert np.mean([s.variance for s in seen]) == pytest.approx(1, rel=0.03)
    assert np.mean([s.theta for s in seen]) == pytest.approx((share**2).sum(), rel=0.05)
    assert np.mean([s.third for s in seen]) == pytest.approx((share**3).sum(), rel=0.15)


def test_one_molecule_gives_a_t_interval():
    rng = np.random.default_rng(1)
    f = rng.normal(size=(2000, 1))
    got = bound.difference_bound(f, 0.95)
    assert got.nu == pytest.approx(1)
    assert got.bound == pytest.approx(stats.t.ppf(0.975, 1999) * f.std(ddof=1) * np.sqrt(2 / 2000), rel=0.01)


@pytest.mark.parametrize("m", [8, 16])
@pytest.mark.parametrize("name", SPECTRA)
def test_the_bound_covers_and_is_tight(name, m):
    rng = np.random.default_rng(2)
    bounds = np.array([bound.difference_bound(replicates(rng, m, SPECTRA[name])).bound for _ in range(400)])
    # the mean of Gaussian replicates is independent of their spread, so d can be drawn by itself
    d = np.sqrt(2 / m * (replicates(rng, 20_000, SPECTRA[name]) ** 2).mean(axis=1))
    assert 0.94 <= np.mean(d[:, None] <= bounds) <= 0.985
    assert np.median(bounds) / np.quantile(d, 0.95) <= {8: 1.25, 16: 1.12}[m]


@pytest.mark.parametrize("confidence", [0.99, 0.995])
@pytest.mark.parametrize("m", [8, 16])
@pytest.mark.parametrize("name", SPECTRA)
def test_higher_levels_hold_too(name, m, confidence):
    rng = np.random.default_rng(12)
    made = [replicates(rng, m, SPECTRA[name]) for _ in range(400)]
    bounds = np.array([bound.difference_bound(f, confidence).bound for f in made])
    d = np.sort(np.sqrt(2 / m * (replicates(rng, 50_000, SPECTRA[name]) ** 2).mean(axis=1)))
    failing = 1 - np.searchsorted(d, bounds) / d.size
    assert failing.mean() <= 1 - confidence + 2.5 * failing.std() / 20


@pytest.mark.parametrize("m", [2, 3])
def test_two_or_three_replicates_that_move_as_one_give_students_interval(m):
    rng = np.random.default_rng(13)
    steps = rng.normal(size=(20_000, 2, m)).mean(axis=2)
    bounds = [bound.difference_bound(rng.normal(size=(m, 1)) * np.ones(N)).bound for _ in range(2000)]
    d = np.abs(steps[:2000, 0] - steps[:2000, 1])
    assert np.mean(d <= bounds) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("m", [4, 8, 32])
def test_the_bound_of_a_molecule_holds_at_every_molecule(m):
    rng = np.random.default_rng(14)
    held = []
    for _ in range(300):
        one, other = (replicates(rng, m, SPECTRA["1/k"]) for _ in range(2))
        held.append(np.abs(one.mean(axis=0) - other.mean(axis=0)) <= bound.molecule_bounds(one))
    assert np.mean(held) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("tolerance", [0.0, float("nan"), -1.0])
def test_a_tolerance_that_nothing_meets_is_refused(tolerance):
    seen = spectrum.covariance_moments(replicates(np.random.default_rng(15), 8, SPECTRA["1/k"]))
    with pytest.raises(ValueError, match="cannot be met; give a number above 0"):
        bound.replicates_needed(seen, tolerance)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(4, 20), st.floats(0.1, 10))
def test_the_bound_scales_with_the_unit_and_ignores_the_mean(seed, m, scale):
    rng = np.random.default_rng(seed)
    f = replicates(rng, m, SPECTRA["1/k"])
    shift = rng.normal(size=N)
    first, second = bound.difference_bound(f), bound.difference_bound(scale * f + shift)
    assert second.bound == pytest.approx(scale * first.bound, rel=1e-6)
    assert second.nu == pytest.approx(first.nu, rel=1e-6)


def test_the_bound_falls_with_replicates_and_grows_with_confidence_and_looking():
    seen = spectrum.covariance_moments(replicates(np.random.default_rng(3), 12, SPECTRA["1/k"]))
    by_count = [bound.bound_at(seen, m, 0.95) for m in range(4, 200)]
    assert (np.diff(by_count) < 0).all()
    by_confidence = [bound.bound_at(seen, 12, c) for c in (0.6, 0.8, 0.9, 0.95, 0.99)]
    assert (np.diff(by_confidence) > 0).all()
    assert bound.bound_at(seen, 12, 0.95, adaptive=True) > bound.bound_at(seen, 12, 0.95)


@pytest.mark.parametrize("m", [4, 8, 32])
@pytest.mark.parametrize("theta", [0.01, 0.1, 1.0])
def test_a_level_that_many_endpoints_share_has_a_bound(m, theta):
    """0.99999 for ten thousand endpoints at once."""
    covariance = spectrum.Moments(m, 1.0, theta, theta**1.75)
    bounds = [bound.bound_at(covariance, m, 1 - 1e-5 / endpoints) for endpoints in (1, 100, 10_000)]
    assert np.isfinite(bounds).all()
    assert (np.diff(bounds) >= 0).all()


def test_an_ensemble_compared_with_a_smaller_one_is_bound_wider():
    f = replicates(np.random.default_rng(4), 16, SPECTRA["1/k"])
    same, small = bound.difference_bound(f), bound.difference_bound(f, other=4)
    assert small.bound / same.bound == pytest.approx(np.sqrt((1 / 16 + 1 / 4) / (2 / 16)))


def test_replicates_that_agree_need_no_more():
    f = np.broadcast_to(np.arange(5.0), (8, 5))
    assert bound.difference_bound(f).bound == 0
    assert next_count(f, Stopping(0.1)) == 8


def test_replicates_needed_is_the_least():
    seen = spectrum.covariance_moments(replicates(np.random.default_rng(5), 12, SPECTRA["1/k"]))
    needed = bound.replicates_needed(seen, 0.1)
    assert bound.bound_at(seen, needed, 0.95) <= 0.1 < bound.bound_at(seen, needed - 1, 0.95)


def test_next_count_replicates_from_the_least_to_enough():
    f = replicates(np.random.default_rng(6), 256, SPECTRA["1/k"])
    assert next_count(None, Stopping(0.3)) == 8
    m = 8
    looks = [m]
    while (more := next_count(f[:m], Stopping(0.3, maximum=256))) != m:
        assert more % 4 == 0 and more > m
        m = more
        looks.append(m)
    assert bound.difference_bound(f[:m], adaptive=True).bound <= 0.3
    assert looks == planned_looks(f, Stopping(0.3, maximum=256))
    assert next_count(f, Stopping(0.3, maximum=256)) == m, "more replicates at hand change nothing"


def test_next_count_depends_on_no_replicate_after_the_look():
    f = replicates(np.random.default_rng(7), 64, SPECTRA["1/k"])
    asked = next_count(f[:8], Stopping(0.3))
    assert [next_count(f[:m], Stopping(0.3)) for m in range(8, asked)] == [asked] * (asked - 8)


def test_every_endpoint_must_be_within_its_tolerance():
    f = replicates(np.random.default_rng(8), 128, SPECTRA["1/k"])
    both = np.stack([f, 10 * f], axis=2)
    one = next_count(f, Stopping(0.4))
    assert next_count(both, Stopping([0.4, 4.0])) == one
    assert next_count(both, Stopping([0.4, 2.0])) == next_count(10 * f, Stopping(2.0)) > one


def test_the_largest_number_and_the_fixed_count_end_it():
    f = replicates(np.random.default_rng(9), 16, SPECTRA["1/k"])
    assert next_count(f[:8], Stopping(1e-3, maximum=16)) == 16
    assert next_count(f, Stopping(1e-3, maximum=16)) == 16
    assert next_count(None, Stopping(1e-3, count=5)) == 5
    assert projected_count(f[:12], Stopping(1e-3, maximum=100)) == 100


def test_projected_count_before_the_first_look():
    f = replicates(np.random.default_rng(10), 8, SPECTRA["flat"])
    assert projected_count(None, Stopping(0.1)) == 8
    assert projected_count(f[:6], Stopping(0.3)) >= 16


@pytest.mark.parametrize(
    ("text", "want"), [("0.1 sd", 0.2), (" 0.5 SD ", 1.0), ("1 noise", 0.3), (0.07, 0.07), ("0.07", 0.07)]
)
def test_resolve_tolerance(text, want):
    assert resolve_tolerance(text, 2.0, 0.3) == pytest.approx(want)


@pytest.mark.parametrize("text", ["sd", "0.1 iqr", "-1 sd", "0", "nan sd", "inf", ""])
def test_resolve_tolerance_refuses(text):
    with pytest.raises(ValueError, match=r"replicates.tolerance: .*write a number above 0"):
        resolve_tolerance(text, 2.0, 0.3)


def test_resolve_tolerance_without_a_scale():
    with pytest.raises(ValueError, match="no repeated measurements"):
        resolve_tolerance("1 noise", 2.0, None)
    for sd in (0.0, float("nan")):
        with pytest.raises(ValueError, match="no two different training values"):
            resolve_tolerance("0.1 sd", sd, None)


def test_a_replicate_that_diverged_is_refused():
    f = np.ones((4, 3))
    f[2, 1] = np.inf
    with pytest.raises(ValueError, match="replicate 2 is not finite"):
        bound.difference_bound(f)


@pytest.mark.parametrize("dof", [0.3, 1.0, 2.5, 40.0, 900.0])
def test_quantiles_are_scipy_stats(dof):
    assert spectrum.chi_square_quantile(0.95, dof) == pytest.approx(stats.chi2.ppf(0.95, dof))


def test_the_three_moment_quantile_is_close_to_the_simulated_one():
    for shares in SPECTRA.values():
        w = shares / shares.sum()
        drawn = np.random.default_rng(11).standard_normal((40_000, N)) ** 2 @ w
        known = spectrum.Moments(10**6, 1.0, float((w**2).sum()), float((w**3).sum()))
        assert spectrum.mixture_quantile(known, 0.95) == pytest.approx(np.quantile(drawn, 0.95), rel=0.02)
