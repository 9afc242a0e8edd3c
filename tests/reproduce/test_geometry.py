"""Conformers of a replicate's own: other start coordinates, the same everything else, no molecule lost."""

import numpy as np
import pytest

from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.sections.model import FeatureBlock, TransformParams
from manywalks.reproduce.geometry import (
    geometries,
    geometry_seed,
    has_conformers,
    own_conformers,
    without_coordinates,
)
from manywalks.train.scaling import FeatureScaler
from manywalks.train.union import UnionScaler

FLEXIBLE = ["CCCCCCC(=O)NCCCO", "COc1ccccc1CCNCC(O)CO", "CC(C)CCOC(=O)CCC", "OCCN(CCO)CCc1ccncc1"]
# bridged so tightly that ETKDG finds no coordinates
STRAINED = "C1CC2=C3CC1(C2)C3"
BLOCKS = [FeatureBlock(kind=kind) for kind in ("morgan_count", "conformer3d", "physchem")]


@pytest.fixture(scope="module")
def raw() -> Features:
    return featurize(FLEXIBLE, BLOCKS)


def columns(features: Features, prefix: str) -> np.ndarray:
    first = len(features.names) - features.dense.shape[1]
    return features.dense[:, [i - first for i, name in enumerate(features.names) if name.startswith(prefix)]]


def test_another_seed_moves_the_conformers_columns_and_no_other(raw: Features) -> None:
    own = own_conformers(raw, FLEXIBLE, 12345)
    assert own.names == raw.names
    np.testing.assert_array_equal(own.counts.toarray(), raw.counts.toarray())
    np.testing.assert_array_equal(columns(own, "physchem:"), columns(raw, "physchem:"))
    assert (columns(own, "conformer3d:") != columns(raw, "conformer3d:")).any(axis=1).all()


def test_the_pipelines_seed_gives_the_pipelines_features(raw: Features) -> None:
    np.testing.assert_array_equal(own_conformers(raw, FLEXIBLE, 0).dense, raw.dense)


def test_every_replicate_has_a_seed_of_its_own_and_keeps_it() -> None:
    seeds = [geometry_seed(7, index) for index in range(200)]
    assert len(set(seeds)) == 200
    assert seeds == [geometry_seed(7, index) for index in range(200)]
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert geometry_seed(8, 0) != seeds[0]


def test_a_molecule_without_coordinates_is_counted_and_keeps_its_row(raw: Features) -> None:
    smiles = [*FLEXIBLE, STRAINED]
    features = own_conformers(featurize(smiles, BLOCKS), smiles, 3)
    assert without_coordinates(raw) == 0
    assert without_coordinates(features) == 1
    scaled = FeatureScaler.fit(raw, TransformParams()).transform(features)
    assert len(scaled) == 5
    assert np.isfinite(scaled.dense).all()


def test_replicates_differ_in_their_features_and_the_same_entropy_gives_them_again(raw: Features) -> None:
    scale = UnionScaler.of_one(FeatureScaler.fit(raw, TransformParams())).transform_each
    told = []
    found = [
        geometries(raw, FLEXIBLE, scale, count=3, entropy=5, tell=lambda *now: told.append(now))
        for _ in range(2)
    ]
    one, again = found
    assert len(one.features) == len(one.without) == 3
    assert told[2] == (3, 3, "conformers")
    assert not np.array_equal(one.features[0][0].dense, one.features[1][0].dense)
    for (a,), (b,) in zip(one.features, again.features, strict=True):
        np.testing.assert_array_equal(a.dense, b.dense)


def test_only_conformers_depend_on_geometry(raw: Features) -> None:
    assert has_conformers(raw)
    assert not has_conformers(featurize(FLEXIBLE, [FeatureBlock(kind="physchem")]))
