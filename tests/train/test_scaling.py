"""Feature scaling: fitted on train rows alone, NaN-free, the same after a round trip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse, stats

from manywalks.features import Features
from manywalks.params.sections.model import TransformParams
from manywalks.train.scaling import FeatureScaler, fit_curve, normal_scores


def make(counts, dense) -> Features:
    counts, dense = np.asarray(counts, dtype=np.float32), np.asarray(dense, dtype=np.float32)
    names = [f"c{i}" for i in range(counts.shape[1])] + [f"d{i}" for i in range(dense.shape[1])]
    return Features(sparse.csr_matrix(counts), dense, tuple(names))


def params(**settings: str | float) -> TransformParams:
    return TransformParams.model_validate(settings)


def random_features(n: int, seed: int) -> Features:
    rng = np.random.default_rng(seed)
    dense = rng.lognormal(size=(n, 5))
    dense[rng.random((n, 5)) < 0.1] = np.nan
    return make(rng.poisson(0.7, (n, 8)), dense)


@pytest.mark.parametrize("counts", ["log1p", "none", "binary"])
def test_counts_scaled_as_dense_ones_would_be(counts):
    features = random_features(50, 0)
    how = params(counts=counts, count_scale=0.3)
    scaled = FeatureScaler.fit(features, how).transform(features)
    raw = features.counts.toarray()
    slow = {"log1p": np.log1p(raw), "none": raw, "binary": (raw > 0).astype(np.float32)}[counts]
    np.testing.assert_allclose(scaled.counts.toarray(), 0.3 * slow, rtol=1e-6)
    assert sparse.issparse(scaled.counts) and scaled.counts.nnz == features.counts.nnz


def test_standard_scaling_is_the_textbook_one_clipped():
    features = random_features(200, 1)
    how = params(descriptors="standard", clip=2.0)
    scaled = FeatureScaler.fit(features, how).transform(features)
    filled = np.where(np.isnan(features.dense), np.nanmedian(features.dense, axis=0), features.dense)
    mean, sd = np.nanmean(features.dense, axis=0), np.nanstd(features.dense, axis=0)
    np.testing.assert_allclose(scaled.dense, np.clip((filled - mean) / sd, -2, 2), atol=1e-5)


def test_quantile_scaling_of_distinct_values_gives_their_normal_scores():
    values = np.random.default_rng(2).lognormal(size=200)
    scores = stats.norm.ppf((stats.rankdata(values) - 0.5) / 200)
    x, z = normal_scores(values, clip=3.0)
    np.testing.assert_allclose(np.interp(values, x, z), scores, atol=1e-12)


def test_thinned_quantiles_stay_near_all_of_them():
    values = np.random.default_rng(3).lognormal(size=20000)
    curve = fit_curve(values, params())
    scores = np.clip(stats.norm.ppf((stats.rankdata(values) - 0.5) / 20000), -3, 3)
    assert len(curve.x) <= 256
    inner = np.abs(scores) < 2
    np.testing.assert_allclose(curve(values)[inner], scores[inner], atol=0.01)


@given(
    hnp.arrays(np.float32, st.integers(2, 40), elements=st.floats(-(2.0**99), 2.0**99, width=32)),
    st.sampled_from(["quantile", "standard"]),
)
@settings(max_examples=60, deadline=None)
def test_a_curve_rises_stays_within_clip_and_is_finite(values, kind):
    scaled = fit_curve(values, params(descriptors=kind))(np.sort(values))
    assert np.isfinite(scaled).all() and np.abs(scaled).max() <= 3
    assert (np.diff(scaled) >= -1e-6).all()


def test_missing_values_take_the_train_median():
    train = make(np.zeros((5, 0)), [[1.0], [2.0], [np.nan], [4.0], [9.0]])
    scaler = FeatureScaler.fit(train, params())
    new = make(np.zeros((2, 0)), [[np.nan], [3.0]])
    scaled = scaler.transform(new).dense
    assert scaled[0, 0] == scaled[1, 0]


def test_constant_and_duplicate_columns_are_dropped():
    counts = np.array([[1, 0, 1, 2, 1], [0, 0, 0, 2, 0], [3, 0, 3, 2, 3]])
    dense = np.array([[1.0, 5, 2, np.nan, 1], [2, 5, 4, np.nan, 4], [3, 5, 6, np.nan, 9]])
    scaled = FeatureScaler.fit(make(counts, dense), params())
    # d2 = 2 d0 and d4 = d0^2 have the same quantiles as d0
    assert scaled.names == ("c0", "d0")


def test_only_train_rows_count():
    features = random_features(60, 4)
    train = np.arange(30)
    scaler = FeatureScaler.fit(features.take(train), params())
    whole = scaler.transform(features)
    np.testing.assert_array_equal(whole.take(train).matrix(), scaler.transform(features.take(train)).matrix())


@pytest.mark.parametrize("descriptors", ["quantile", "standard", "none"])
def test_save_and_load_scale_alike_and_deterministically(tmp_path, descriptors):
    features = random_features(40, 5)
    scaler = FeatureScaler.fit(features, params(descriptors=descriptors))
    scaler.save(tmp_path / "a.npz")
    loaded = FeatureScaler.load(tmp_path / "a.npz")
    loaded.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert loaded.names == scaler.names
    np.testing.assert_array_equal(loaded.transform(features).matrix(), scaler.transform(features).matrix())


def test_other_columns_are_refused():
    features = random_features(20, 6)
    scaler = FeatureScaler.fit(features, params())
    renamed = Features(features.counts, features.dense, (*features.names[:-1], "x"))
    with pytest.raises(ValueError, match="column 12 is 'x', the scaler has 'd4'"):
        scaler.transform(renamed)
    with pytest.raises(ValueError, match="8 columns where the scaler has 13"):
        scaler.transform(Features(features.counts, features.dense[:, :0], features.names[:8]))


def test_nothing_left_to_learn_from_is_refused():
    with pytest.raises(ValueError, match="constant"):
        FeatureScaler.fit(make(np.ones((4, 2)), np.ones((4, 1))), params())
    with pytest.raises(ValueError, match="no molecules"):
        FeatureScaler.fit(make(np.ones((0, 2)), np.ones((0, 1))), params())
