"""The domain agrees with RDKit and with slow versions; thresholds come from the training molecules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import DataStructs
from rdkit.DataStructs import ExplicitBitVect
from scipy import sparse

from manywalks import similarity
from manywalks.ensemble import domain
from manywalks.ensemble.domain import Domain
from manywalks.features import Features


def random_features(rng: np.random.Generator, n: int, bits: int = 100, dense: int = 6) -> Features:
    counts = sparse.csr_matrix(
        (rng.random((n, bits)) < 0.15) * rng.integers(1, 4, (n, bits)), dtype=np.float32
    )
    names = [f"morgan2_{bits}_count:{i}" for i in range(bits)] + [f"rdkit2d:{i}" for i in range(dense)]
    return Features(counts, rng.normal(size=(n, dense)).astype(np.float32), tuple(names))


def bulk_nearest(queries: np.ndarray, among: np.ndarray, itself: bool) -> np.ndarray:
    def vectors(matrix: np.ndarray) -> list[ExplicitBitVect]:
        made = []
        for row in matrix:
            vector = ExplicitBitVect(matrix.shape[1])
            vector.SetBitsFromList(np.flatnonzero(row).tolist())
            made.append(vector)
        return made

    training = vectors(among)
    rows = [np.array(DataStructs.BulkTanimotoSimilarity(one, training)) for one in vectors(queries)]
    return np.array([np.delete(row, i).max() if itself else row.max() for i, row in enumerate(rows)])


def test_similarity_is_rdkits():
    rng = np.random.default_rng(0)
    train, other = random_features(rng, 60), random_features(rng, 40)
    seen = Domain.fit(train).assess(other)
    want = bulk_nearest(other.counts.toarray(), train.counts.toarray(), itself=False)
    np.testing.assert_allclose(seen["similarity"], want)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 30), st.floats(0, 0.5))
def test_the_nearest_other_one_is_the_slow_searchs(seed, n, density):
    rng = np.random.default_rng(seed)
    rows = rng.random((n, 70)) < density
    bits = domain._packed(
        Features(sparse.csr_matrix(rows.astype(np.float32)), np.zeros((n, 0)), tuple(map(str, range(70)))),
        np.arange(70),
    )
    shared = rows.astype(int) @ rows.T.astype(int)
    either = rows.sum(axis=1)[:, None] + rows.sum(axis=1) - shared
    slow = np.where(either > 0, shared / np.maximum(either, 1), 1.0)
    np.fill_diagonal(slow, -1)
    np.testing.assert_allclose(similarity.nearest_similarity(bits, bits, skip=np.arange(n)), slow.max(axis=1))


def test_thresholds_are_the_training_molecules_own():
    train = random_features(np.random.default_rng(1), 300)
    fitted = Domain.fit(train)
    others = bulk_nearest(train.counts.toarray(), train.counts.toarray(), itself=True)
    assert fitted.similarity_threshold == pytest.approx(np.quantile(others, 0.05))
    fresh = fitted.assess(random_features(np.random.default_rng(2), 400))
    assert 0.75 < np.mean(fresh["in_domain"]) < 0.99


def test_training_molecules_are_their_own_nearest_and_within_range():
    train = random_features(np.random.default_rng(3), 50)
    seen = Domain.fit(train).assess(train)
    assert seen.to_numpy().tolist() == [[1.0, 0.0, True]] * 50


def test_descriptors_outside_the_range_are_counted():
    rng = np.random.default_rng(4)
    train = random_features(rng, 80)
    far = train.dense[:5].copy()
    far[0, :3] = 100
    far[1, 0] = np.nan
    seen = Domain.fit(train).assess(Features(train.counts[:5], far, train.names))
    assert seen["outside_share"].tolist() == pytest.approx([0.5, 1 / 6, 0, 0, 0])
    assert not seen["in_domain"].tolist()[0]


def test_a_value_missing_in_training_too_is_not_strange():
    train = random_features(np.random.default_rng(5), 30)
    dense = train.dense.copy()
    dense[3, 0] = np.nan
    dense[:, 1] = np.nan
    fitted = Domain.fit(Features(train.counts, dense, train.names))
    seen = fitted.assess(Features(train.counts, dense, train.names))
    assert set(seen["outside_share"]) == {0.0}


def test_outside_alone_is_the_slow_leave_one_out():
    rng = np.random.default_rng(6)
    dense = rng.integers(0, 4, size=(9, 5)).astype(float)
    dense[2, 0] = np.nan
    for i, share in enumerate(domain._outside_alone(dense)):
        rest = np.delete(dense, i, axis=0)
        low, high = np.nanmin(rest, axis=0), np.nanmax(rest, axis=0)
        beyond = (dense[i] < low) | (dense[i] > high) | (np.isnan(dense[i]) & ~np.isnan(rest).any(axis=0))
        assert share == pytest.approx(beyond.mean())


def test_features_of_one_kind_alone_do():
    rng = np.random.default_rng(7)
    both = random_features(rng, 40)
    prints = Features(both.counts, np.zeros((40, 0), np.float32), both.names[:100])
    dense = Features(sparse.csr_matrix((40, 0), dtype=np.float32), both.dense, both.names[100:])
    assert set(Domain.fit(prints).assess(prints)["in_domain"]) == {True}
    seen = Domain.fit(dense).assess(dense)
    assert np.isnan(seen["similarity"]).all() and set(seen["in_domain"]) == {True}


def test_saved_and_loaded_it_says_the_same(tmp_path):
    rng = np.random.default_rng(8)
    fitted, other = Domain.fit(random_features(rng, 40)), random_features(rng, 10)
    fitted.save(tmp_path / "domain.npz")
    assert Domain.load(tmp_path / "domain.npz").assess(other).equals(fitted.assess(other))


def test_other_columns_are_refused():
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match="compute them with the model's own settings"):
        Domain.fit(random_features(rng, 10)).assess(random_features(rng, 10, dense=5))
