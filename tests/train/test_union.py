"""The union of the families' scaled columns gives each family what its own scaler gives."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from manywalks.features import Features
from manywalks.params.sections.model import TransformParams
from manywalks.train.scaling import FeatureScaler
from manywalks.train.union import UnionScaler

N = 40
# two sparse blocks, two dense ones; the second half of a dense block repeats its first column
NAMES = ("m:0", "m:1", "m:2", "p:0", "p:1", "d:0", "d:1", "e:0")
VIEWS = {"one": ("m", "d"), "two": ("p", "d", "e"), "three": ("e",)}


def raw() -> Features:
    rng = np.random.default_rng(4)
    counts = rng.poisson(0.7, (N, 5)).astype(np.float32)
    dense = rng.normal(size=(N, 3)).astype(np.float32)
    dense[:, 2] = dense[:, 0]
    dense[3, 1] = np.nan
    return Features(sparse.csr_matrix(counts), dense, NAMES)


def union(*scales: float) -> UnionScaler:
    """Families that see the columns of VIEWS, their counts scaled by these numbers."""
    scalers = [
        FeatureScaler.fit(raw().of_blocks(blocks), TransformParams(count_scale=scale))
        for blocks, scale in zip(VIEWS.values(), scales, strict=True)
    ]
    return UnionScaler(NAMES, tuple(scalers))


@pytest.mark.parametrize("scales", [(0.5, 0.5, 0.5), (0.5, 2.0, 0.5)])
def test_each_family_finds_the_columns_of_its_own_scaler(scales: tuple[float, ...]) -> None:
    found = union(*scales)
    each = zip(found.transform_each(raw()), found.scalers, VIEWS.values(), strict=True)
    for own, scaler, blocks in each:
        np.testing.assert_array_equal(own.matrix(), scaler.transform(raw().of_blocks(blocks)).matrix())


def test_a_column_that_two_families_scale_alike_is_there_once() -> None:
    found = union(0.5, 0.5, 0.5)
    assert len(found.names) == len(set(found.names)) == found.transform(raw()).width
    assert found.names.count("d:1") == 1


def test_a_column_that_two_families_scale_differently_is_there_twice() -> None:
    scalers = [
        FeatureScaler.fit(raw().of_blocks(["m"]), TransformParams(count_scale=scale)) for scale in (0.5, 2.0)
    ]
    found = UnionScaler(NAMES, tuple(scalers))
    assert {"m:0", "m:0@2"} <= set(found.names)
    first, second = found.transform_each(raw())
    np.testing.assert_allclose(4 * first.matrix(), second.matrix())


@pytest.mark.parametrize("families", [1, 3])
def test_a_saved_union_reads_back(tmp_path: Path, families: int) -> None:
    found = union(0.5, 2.0, 0.5)
    if families == 1:
        found = UnionScaler.of_one(FeatureScaler.fit(raw(), TransformParams()))
    found.save(tmp_path / "scaler.npz")
    again = UnionScaler.load(tmp_path / "scaler.npz")
    assert again.names == found.names
    for one, other in zip(found.family_columns, again.family_columns, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(again.transform(raw()).matrix(), found.transform(raw()).matrix())


def test_other_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="columns where the scaler has"):
        union(0.5, 0.5, 0.5).transform(raw().of_blocks(["m"]))


def test_the_digest_of_a_block_depends_on_its_own_columns_alone() -> None:
    digests = raw().block_digests()
    assert list(digests) == ["m", "p", "d", "e"]
    changed = raw()
    changed.dense[0, 2] += 1
    moved = changed.block_digests()
    assert [block for block in digests if digests[block] != moved[block]] == ["e"]
    assert raw().of_blocks(["p", "d"]).block_digests() == {b: digests[b] for b in ("p", "d")}
