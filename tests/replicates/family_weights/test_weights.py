"""Weights from out-of-fold predictions: who is in which fold, what is looked at, and what comes out."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params, parse_params
from manywalks.replicates.family_weights.drawing import EACH, K, draw_folds
from manywalks.replicates.family_weights.folds import Folds
from manywalks.replicates.family_weights.fresh import mixing_for, unseen_predictions
from manywalks.replicates.family_weights.weights import (
    Heard,
    How,
    fit_all,
    given_weights,
    half_samples,
    out_of_fold,
)
from manywalks.replicates.statistics.mixing import Mixing, weights_at

BLOCKS = [{"kind": "morgan_count", "n_bits": 64}, {"kind": "physchem"}]
FAMILIES = [
    {"name": "print", "blocks": ["morgan_count"], "weight": 3},
    {"name": "physical", "blocks": ["physchem"]},
]
ENDS = {"y": {"kind": "regression"}, "active": {"kind": "classification"}}


def params_with(**sections: Any) -> Params:
    """Two families and two endpoints, trained in a moment."""
    return parse_params(
        {
            "data": {"path": "t.csv", "endpoints": ENDS},
            "featurize": {"blocks": BLOCKS},
            "network": {"widths": [8]},
            "train": {"epochs": 30, "learning_rate": 0.01},
            "families": FAMILIES,
            "weights": "out_of_fold",
        }
        | sections
    )


class Small(NamedTuple):
    """A table, its features, a split and groups of two."""

    curated: pd.DataFrame
    features: Features
    subsets: np.ndarray
    groups: np.ndarray


@pytest.fixture(scope="module")
def small() -> Small:
    smiles = [f"{'C' * chain}{end}" for chain in range(1, 21) for end in ("O", "N", "Cl", "F", "C#N", "Br")]
    features = featurize(smiles, params_with().featurize.blocks)
    y = np.array([len(one) for one in smiles]) + np.random.default_rng(0).normal(size=len(smiles))
    columns = {"y": y, "active": (y > np.median(y)).astype(np.float64)}
    curated = pd.DataFrame({"smiles": smiles, **columns})
    for name in columns:
        curated[f"{name}:weight"], curated[f"{name}:relation"] = 1.0, "="
    subsets = np.array(["train", "train", "train", "train", "valid", "test"] * 20)
    return Small(curated, features, subsets, np.arange(len(smiles)) // 2)


def test_each_train_molecule_is_in_one_fold_and_no_other_molecule_is_in_any(small: Small) -> None:
    folds = draw_folds(small.curated, small.subsets, small.groups, params_with())
    assert folds.subsets.shape == (K, len(small.curated))
    train = small.subsets == "train"
    assert ((folds.subsets == "test").sum(axis=0) == train).all()
    assert (folds.subsets[:, ~train] == "").all()


def test_groups_stay_together(small: Small) -> None:
    folds = draw_folds(small.curated, small.subsets, small.groups, params_with())
    train = np.flatnonzero(small.subsets == "train")
    place = pd.Series(folds.place_of(train)).groupby(small.groups[train])
    assert set(place.nunique()) == {1}


def test_folds_do_not_depend_on_the_order_of_the_rows(small: Small) -> None:
    order = np.random.default_rng(1).permutation(len(small.curated))
    one = draw_folds(small.curated, small.subsets, small.groups, params_with())
    other = draw_folds(
        small.curated.iloc[order].reset_index(drop=True),
        small.subsets[order],
        small.groups[order],
        params_with(),
    )
    np.testing.assert_array_equal(one.subsets[:, order], other.subsets)


def test_folds_of_a_split_by_time_are_predicted_from_what_came_before(small: Small) -> None:
    years = 2000.0 + np.arange(len(small.curated)) // 12
    dated = small.curated.assign(**{"split:time": years})
    alone = np.arange(len(dated))
    folds = draw_folds(dated, small.subsets, alone, params_with(split={"method": "time", "column": "year"}))
    assert len(folds.subsets) == K
    for own in folds.subsets:
        assert years[own == "train"].max() < years[own == "test"].min()
    same = dated.assign(**{"split:time": 2000.0})
    none = draw_folds(same, small.subsets, alone, params_with(split={"method": "time", "column": "year"}))
    assert len(none.subsets) == 0


def test_a_fold_has_molecules_to_stop_early_by_only_where_a_family_does(small: Small) -> None:
    draw = draw_folds(small.curated, small.subsets, small.groups, params_with())
    assert "valid" not in draw.subsets
    stops = params_with(train={"early_stopping": 2})
    assert "valid" in draw_folds(small.curated, small.subsets, small.groups, stops).subsets


def fitted(small: Small, params: Params) -> Mixing:
    return mixing_for(small.curated, small.features, small.subsets, params, lambda: small.groups, entropy=5)


def test_valid_and_test_molecules_are_never_looked_at(small: Small) -> None:
    found = fitted(small, params_with())
    out = small.subsets != "train"
    poisoned = small.curated.copy()
    poisoned.loc[out, "y"], poisoned.loc[out, "active"] = 1e6, np.nan
    poisoned.loc[out, "y:relation"] = "<"
    dense = small.features.dense.copy()
    dense[out] = 1e4
    other = small._replace(
        curated=poisoned,
        features=Features(small.features.counts, dense, small.features.names),
    )
    assert fitted(other, params_with()) == found
    moved = small._replace(curated=small.curated.assign(y=np.roll(small.curated["y"], 3)))
    assert fitted(moved, params_with()) != found


def test_given_weights_train_nothing(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manywalks.replicates.family_weights.fresh.fresh_replicates", None)
    assert fitted(small, params_with(weights="given")).weights == (0.75, 0.25)


def test_each_endpoint_has_weights_of_its_own_that_sum_to_one(small: Small) -> None:
    found = fitted(small, params_with())
    columns = [weights_at(found, column, 2) for column in (0, 1)]
    assert not np.allclose(columns[0], columns[1])
    for weights in columns:
        assert weights.min() > 0
        assert weights.sum() == pytest.approx(1)


def test_an_endpoint_whose_values_are_all_in_one_fold_keeps_its_given_weights(small: Small) -> None:
    folds = draw_folds(small.curated, small.subsets, small.groups, params_with())
    elsewhere = folds.subsets[0] != "test"
    few = small._replace(curated=small.curated.assign(y=small.curated["y"].mask(elsewhere)))
    found = fitted(few, params_with())
    np.testing.assert_allclose(weights_at(found, 0, 2), [0.75, 0.25])


def test_out_of_fold_predictions_are_those_of_the_networks_that_left_the_molecule_out(small: Small) -> None:
    params = params_with()
    folds = draw_folds(small.curated, small.subsets, small.groups, params)
    found = unseen_predictions(small.curated, small.features, folds, params, entropy=5)
    assert found.shape == (EACH, 2, len(small.curated), 2)
    assert np.isfinite(found[:, :, small.subsets == "train"]).all()
    assert np.isnan(found[:, :, small.subsets != "train"]).all()
    assert (found[..., 1] >= 0)[np.isfinite(found[..., 1])].all()  # probabilities


def fold_of_all(n: int) -> Folds:
    """Three folds of n molecules."""
    subsets = np.full((K, n), "train", dtype="<U5")
    subsets[np.arange(n) % K, np.arange(n)] = "test"
    return Folds(subsets, EACH)


def predicted(y: np.ndarray, noise: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """(2, 2, n, 1): two networks of two families, whose errors are mostly the family's own."""
    own = [size * rng.normal(size=len(y)) for size in noise]
    return np.stack([[y + error + 0.02 * rng.normal(size=len(y)) for error in own] for _ in range(EACH)])[
        ..., None
    ]


def one_endpoint(**sections: Any) -> Params:
    return params_with(data={"path": "t.csv", "endpoints": {"y": {"kind": "regression"}}}, **sections)


def table_of(y: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {"smiles": [f"m{i}" for i in range(len(y))], "y": y, "y:weight": 1.0, "y:relation": "="}
    )


@pytest.mark.parametrize(("n", "low", "high"), [(3000, 0.0, 0.02), (12, 0.25, 0.25)])
def test_many_molecules_end_a_useless_family_and_few_leave_it_its_given_weight(
    n: int, low: float, high: float
) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=n)
    params = one_endpoint()
    (one,) = fit_all(predicted(y, (0.3, 4.0), rng), table_of(y), fold_of_all(n), np.arange(n), params)
    assert low <= one.weights[1] <= high
    assert (one.why is None) == (n > 20)
    assert one.weights.sum() == pytest.approx(1)


def test_a_row_without_a_value_or_without_one_familys_prediction_says_nothing() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=200)
    known = predicted(y, (0.4, 0.6), rng)
    gaps, known_gaps = y.copy(), known.copy()
    gaps[:30], known_gaps[:, 1, 30:50] = np.nan, np.nan
    folds = fold_of_all(200)
    table = table_of(gaps)
    table.loc[:29, "y:weight"] = 0.0
    (one,) = fit_all(known_gaps, table, folds, np.arange(200), one_endpoint(transform={"targets": "none"}))
    rest = Folds(folds.subsets[:, 50:], EACH)
    (other,) = fit_all(
        known[:, :, 50:], table_of(y[50:]), rest, np.arange(150), one_endpoint(transform={"targets": "none"})
    )
    assert one.molecules == 150
    np.testing.assert_allclose(one.weights, other.weights)


def test_a_diverged_network_leaves_its_fold_to_the_other_one() -> None:
    folds, how = fold_of_all(6), How([], logits=False)
    heard = [
        Heard(index, [np.full((2, 1), float(index)), None if index == 0 else np.full((2, 1), 10.0 + index)])
        for index in folds.indices
    ]
    found = out_of_fold(heard, folds, (2, 6, 1), how)
    assert found[:, 0, 0, 0].tolist() == [0, 1]
    assert np.isnan(found[0, 1, 0, 0])
    halves = half_samples(found[..., 0], folds.place_of(np.arange(6)))
    assert {float(half[1, 0]) for half in halves} == {11.0}


def test_half_samples_vary_as_the_mean_of_both_networks_does() -> None:
    """For a sum over strata their variance is that of textbooks: a quarter of the squared differences."""
    rng = np.random.default_rng(2)
    replicates, place = rng.normal(size=(2, 2, 3)), np.arange(3)
    sums = [half.sum() for half in half_samples(replicates, place)]
    assert np.mean(sums) == pytest.approx(replicates.mean(axis=0).sum())
    assert np.var(sums) == pytest.approx(((replicates[0] - replicates[1]) ** 2).sum() / 4)


def test_the_covariance_of_the_weights_is_that_of_fresh_networks() -> None:
    rng = np.random.default_rng(3)
    y, params = rng.normal(size=400), one_endpoint(transform={"targets": "none"})
    own = [0.5 * rng.normal(size=400), 0.7 * rng.normal(size=400)]
    shared = rng.normal(size=400)  # what networks part in is alike at many molecules
    folds, groups = fold_of_all(400), np.arange(400)
    weights, told = [], []
    for _ in range(150):
        luck = 0.05 * rng.normal(size=(EACH, 2, K))
        known = np.stack(
            [[y + own[f] + luck[r, f][folds.place_of(groups)] * shared for f in (0, 1)] for r in (0, 1)]
        )
        (one,) = fit_all(known[..., None], table_of(y), folds, groups, params)
        weights.append(one.weights[0])
        told.append(one.covariance[0, 0])
    # where networks part more, halves overstate it: up to twice
    assert np.mean(told) == pytest.approx(np.var(weights), rel=0.5)


def test_shares_are_those_of_the_parameters() -> None:
    np.testing.assert_allclose(given_weights(params_with()), [0.75, 0.25])
