"""The bound by distance from the training molecules, and at the worst molecule."""

import numpy as np
import pytest

from manywalks.evaluate.statement.distance_bounds import bounds_by_distance, worst_molecules
from manywalks.evaluate.statement.statement import Terms
from manywalks.replicates.statistics.bound import difference_bound, molecule_bounds

N = 200
TERMS = Terms("regression", "", 0.1, adaptive=False)
SIMILARITY = np.linspace(0, 1, N)
SPREAD = 2 - 1.8 * SIMILARITY


def draw(rng: np.random.Generator, m: int) -> np.ndarray:
    """(m, N) replicates that part more the less similar a molecule is to the training ones."""
    return rng.normal(size=(m, N)) * SPREAD


def test_the_far_quarter_has_a_bound_of_its_own_that_holds_where_the_one_over_all_does_not() -> None:
    rng = np.random.default_rng(0)
    held = {"own": [], "over all": []}
    far = slice(0, N // 4)
    for _ in range(200):
        one, other = draw(rng, 8), draw(rng, 8)
        apart = np.sqrt(np.mean((one.mean(axis=0) - other.mean(axis=0))[far] ** 2))
        held["own"].append(apart <= bounds_by_distance(one, SIMILARITY, TERMS)[0]["difference_bound"])
        held["over all"].append(apart <= difference_bound(one).bound)
    assert np.mean(held["own"]) >= 0.93
    assert np.mean(held["over all"]) <= 0.05


def test_quarters_hold_all_molecules_with_a_fingerprint_once_farthest_first() -> None:
    similarity = SIMILARITY.copy()
    similarity[7] = np.nan
    found = bounds_by_distance(draw(np.random.default_rng(1), 8), similarity, TERMS)
    assert sum(quarter["molecules"] for quarter in found) == N - 1
    assert [quarter["similarity_low"] for quarter in found] == sorted(q["similarity_low"] for q in found)
    assert bounds_by_distance(np.ones((8, 20)), SIMILARITY[:20], TERMS) == []


def test_the_worst_molecule_is_as_far_off_as_real_pairs_of_ensembles_have_it() -> None:
    rng = np.random.default_rng(2)
    real = [np.abs(draw(rng, 16).mean(axis=0) - draw(rng, 16).mean(axis=0)).max() for _ in range(200)]
    said = [worst_molecules(draw(rng, 16), TERMS)["expected"] for _ in range(20)]
    assert np.mean(said) == pytest.approx(np.mean(real), rel=0.1)


def test_the_worst_molecules_are_those_with_the_widest_bounds() -> None:
    replicates = draw(np.random.default_rng(3), 16)
    own, found = molecule_bounds(replicates), worst_molecules(replicates, TERMS)
    assert found["places"] == np.argsort(-own)[:10].tolist()
    assert found["bounds"] == pytest.approx(np.sort(own)[::-1][:10])
