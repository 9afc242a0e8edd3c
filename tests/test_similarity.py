"""The most similar fingerprint, against a comparison with every one."""

import numpy as np

from manywalks.similarity import most_similar, similarity_to_other_groups


def slow(one: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Tanimoto similarity (k,) of one fingerprint (w,) to each of many (k, w)."""
    shared = np.bitwise_count(one & among).sum(axis=1)
    return shared / np.bitwise_count(one | among).sum(axis=1)


def test_the_row_found_is_one_of_the_most_similar() -> None:
    rng = np.random.default_rng(3)
    bits, among = (
        rng.integers(0, 2**63, (n, 2), dtype=np.uint64) & rng.integers(0, 2**63, (n, 2), dtype=np.uint64)
        for n in (40, 90)
    )
    rows, similarity = most_similar(bits, among)
    for one, row, found in zip(bits, rows, similarity, strict=True):
        every = slow(one, among)
        assert found == every.max() == every[row]


def test_without_fingerprints_or_a_shared_bit_no_row_is_found() -> None:
    nothing = np.zeros((3, 0), dtype=np.uint64)
    assert most_similar(nothing, nothing)[0].tolist() == [-1, -1, -1]
    one, other = np.array([[1]], dtype=np.uint64), np.array([[2]], dtype=np.uint64)
    rows, similarity = most_similar(one, other)
    assert (rows.tolist(), similarity.tolist()) == ([-1], [0.0])


def test_of_the_own_group_none_is_the_most_similar() -> None:
    rng = np.random.default_rng(4)
    bits = rng.integers(0, 2**63, (60, 2), dtype=np.uint64) & rng.integers(0, 2**63, (60, 2), dtype=np.uint64)
    groups = rng.integers(0, 9, 60)
    bits[1], groups[1] = bits[0], groups[0]
    found = similarity_to_other_groups(bits, groups, 60)
    for one, group, similarity in zip(bits, groups, found, strict=True):
        assert similarity == slow(one, bits[groups != group]).max()
    assert similarity_to_other_groups(bits, np.zeros(60, dtype=np.int64), 60).max() == 0
    some = similarity_to_other_groups(bits, groups, 20)
    assert np.flatnonzero(np.isfinite(some)).tolist() == list(range(0, 60, 3))
    np.testing.assert_array_equal(some[::3], found[::3])
