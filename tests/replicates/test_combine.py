"""Ways of combining replicates: the variance of each, and the bound that follows from it."""

import numpy as np
import pytest
from scipy import special

from manywalks.replicates.combine import Combining, Mode, as_means, combine, location, location_variance
from manywalks.replicates.statistics.bound import difference_bound
from manywalks.replicates.statistics.stopping import Stopping, planned_looks

N = 80
SCALES = np.sqrt(1 / np.arange(1.0, N + 1))
DIRECTIONS = np.linalg.qr(np.random.default_rng(0).normal(size=(N, N)))[0]


def draw(rng: np.random.Generator, m: int) -> np.ndarray:
    """(m, N) Gaussian replicates that part along a few directions most, none of them one molecule's."""
    return rng.standard_normal((m, N)) * SCALES @ DIRECTIONS


@pytest.mark.parametrize("mode", ["mean", "median", "trimmed"])
@pytest.mark.parametrize("m", [2, 3, 5, 8, 16, 33])
def test_the_variance_is_the_simulated_one(mode: Mode, m: int) -> None:
    drawn = np.random.default_rng(m).standard_normal((m, 100_000))
    assert location_variance(mode, m) == pytest.approx(np.var(location(drawn, mode)), rel=0.02)


def test_the_median_of_gaussian_replicates_scatters_as_tabled() -> None:
    ratios = [np.sqrt(m * location_variance("median", m)) for m in (8, 16, 100_000)]
    assert ratios == pytest.approx([1.160, 1.202, np.sqrt(np.pi / 2)], abs=0.002)


@pytest.mark.parametrize(
    "how",
    [Combining("median"), Combining("trimmed"), Combining(logits=True), Combining("median", logits=True)],
)
@pytest.mark.parametrize("m", [8, 32])
def test_the_bound_covers_however_replicates_are_combined(how: Combining, m: int) -> None:
    rng = np.random.default_rng(m)

    def replicates() -> np.ndarray:
        drawn = 2 * draw(rng, m)
        return special.expit(drawn + np.linspace(-3, 3, N)) if how.logits else drawn

    others = np.stack([combine(replicates(), how) for _ in range(400)])
    held = []
    for _ in range(150):
        own = replicates()
        apart = np.sqrt(np.mean((others - combine(own, how)) ** 2, axis=1))
        held.append(np.mean(apart <= difference_bound(own, how=how).bound))
    assert 0.94 <= np.mean(held) <= 0.99


def test_linearised_logits_move_the_ensemble_as_the_logits_do() -> None:
    p = special.expit(np.random.default_rng(1).normal(size=(12, N)) * 0.05 + np.linspace(-3, 3, N))
    how = Combining(logits=True)
    moved = as_means(p, how)
    for out in range(3):
        without = combine(np.delete(p, out, axis=0), how) - combine(p, how)
        np.testing.assert_allclose(np.delete(moved, out, axis=0).mean(axis=0) - moved.mean(axis=0), without,
                                   rtol=0.05, atol=1e-5)  # fmt: skip


def test_the_planner_asks_for_more_replicates_where_they_are_combined_less_well() -> None:
    f = draw(np.random.default_rng(2), 200)
    tolerance = difference_bound(f[:40], adaptive=True).bound
    plain, median = (
        planned_looks(f, Stopping(tolerance, maximum=200, ways=(Combining(mode),)))[-1]
        for mode in ("mean", "median")
    )
    assert median > plain
    bounds = [difference_bound(f[:m], adaptive=True, how=Combining("median")).bound for m in (plain, median)]
    assert bounds[1] <= tolerance < bounds[0]
