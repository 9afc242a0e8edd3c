"""The best molecules of a list, against the slow way: retrained ensembles whose best ones are counted."""

import numpy as np
import pytest

from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.statistics.best import (
    Candidates,
    best_of,
    candidates_of,
    from_bytes,
    joined,
    to_bytes,
)

HIGH = EndpointParams()
LOW = EndpointParams(want="low")
RANGE = EndpointParams(want="range", range=(-0.5, 0.5))


def molecules(rng: np.random.Generator, n: int, m: int = 16) -> tuple[list[str], np.ndarray]:
    """Names and (m, n) replicates that move in a few directions together."""
    spectrum = 1 / np.arange(1.0, 11)
    moves = rng.normal(size=(m, 10)) @ (spectrum[:, None] * rng.normal(size=(10, n)))
    return [f"C{k}" for k in range(n)], rng.normal(size=n) + 0.3 * moves


def whole(names: list[str], replicates: np.ndarray, wanted: EndpointParams, size: int) -> Candidates:
    return candidates_of(names, replicates.mean(axis=0), replicates, wanted, size)


@pytest.mark.parametrize("wanted", [HIGH, LOW, RANGE], ids=["high", "low", "range"])
def test_expected_chance_and_most_are_what_retrained_ensembles_show(wanted: EndpointParams) -> None:
    rng = np.random.default_rng(0)
    n, size, m = 60, 8, 12
    covariance = 0.02 * np.eye(n) + 0.05 * np.outer(rng.normal(size=n), rng.normal(size=n)) ** 2
    root = np.linalg.cholesky(covariance @ covariance.T)
    stated, seen, within, chances, came = [], [], [], [], []
    for _ in range(300):
        true = rng.normal(size=n)
        first, second = (true + rng.normal(size=(m, n)) @ root.T for _ in range(2))
        found = best_of(whole([f"C{k}" for k in range(n)], first, wanted, size), wanted, size, 0.95, rng)
        mine, other = (
            {f"C{k}" for k in np.argsort(-wanted.desirability(side.mean(axis=0)))[:size]}
            for side in (first, second)
        )
        assert set(found.smiles[:size]) == mine
        stated.append(found.expected)
        seen.append(len(mine - other))
        within.append(len(mine - other) <= found.most)
        chances += found.chance[:size].tolist()
        came += [name in other for name in found.smiles[:size]]
    assert np.mean(stated) == pytest.approx(np.mean(seen), rel=0.12)
    assert np.mean(chances) == pytest.approx(np.mean(came), abs=0.05)
    assert np.mean(within) > 0.92


def test_molecules_that_move_together_keep_their_order() -> None:
    rng = np.random.default_rng(1)
    names, apart = molecules(rng, 50)
    together = apart.mean(axis=0) + rng.normal(size=(16, 1))
    found = best_of(whole(names, together, HIGH, 5), HIGH, 5, 0.95, rng)
    assert (found.expected, found.most) == (0.0, 0)
    assert best_of(whole(names, apart, HIGH, 5), HIGH, 5, 0.95, rng).expected > 0.2


def test_a_list_in_parts_has_the_candidates_of_the_whole_list() -> None:
    rng = np.random.default_rng(2)
    names, replicates = molecules(rng, 3000)
    parts = [
        whole(names[start : start + 500], replicates[:, start : start + 500], HIGH, 10)
        for start in range(0, 3000, 500)
    ]
    found = parts[0]
    for part in [*parts[1:], parts[2]]:  # one part comes twice
        found = joined(found, part, HIGH, 10)
    every = whole(names, replicates, HIGH, 10)
    assert len(every.smiles) < 300
    assert set(found.smiles) == set(every.smiles)
    one, other = (best_of(each, HIGH, 10, 0.95, np.random.default_rng(3)) for each in (found, every))
    assert one.smiles[:10].tolist() == other.smiles[:10].tolist()
    assert one.expected == pytest.approx(other.expected, abs=0.1)


def test_what_is_left_out_has_hardly_a_chance() -> None:
    rng = np.random.default_rng(4)
    names, replicates = molecules(rng, 5000, m=8)
    kept = whole(names, replicates, HIGH, 20)
    every = Candidates(np.array(names), replicates.mean(axis=0), replicates - replicates.mean(axis=0))
    some, everything = (best_of(each, HIGH, 20, 0.95, np.random.default_rng(5)) for each in (kept, every))
    left_out = everything.chance[~np.isin(everything.smiles, kept.smiles)]
    assert left_out.sum() < 0.02
    assert some.expected == pytest.approx(everything.expected, abs=0.15)


def test_a_list_that_is_no_longer_than_asked_for_is_the_best_one() -> None:
    names, replicates = molecules(np.random.default_rng(6), 5)
    found = best_of(whole(names, replicates, HIGH, 50), HIGH, 50, 0.95, np.random.default_rng(7))
    assert (found.size, found.expected, found.most) == (5, 0.0, 0)


def test_candidates_are_kept_as_they_are() -> None:
    names, replicates = molecules(np.random.default_rng(8), 40)
    kept = (whole(names, replicates, HIGH, 3), whole(names, replicates, LOW, 3))
    for one, other in zip(kept, from_bytes(to_bytes(kept)), strict=True):
        for before, after in zip(vars(one).values(), vars(other).values(), strict=True):
            np.testing.assert_array_equal(before, after)
