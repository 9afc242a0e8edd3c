"""Fresh folds: molecules that no trial has seen."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from manywalks.params.sections.split import SplitParams
from manywalks.split.split import split_molecules
from manywalks.tune.splits import Splits, draw_splits

N = 400


@pytest.fixture(scope="module")
def curated() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [str(i) for i in range(N)],
            "smiles": ["C" * (1 + i % 40) + "O" * (1 + i // 40) for i in range(N)],
            "y": rng.normal(size=N),
            "y:relation": "=",
            "split:time": np.sort(rng.uniform(2000, 2020, N)),
            "split:group": [f"g{i % 50}" for i in range(N)],
            "split:subset": ["test" if i % 5 == 0 else "train" for i in range(N)],
            "split:tautomers": [f"t{i}" for i in range(N)],
        }
    )


def drawn(curated: pd.DataFrame, method: str) -> Splits:
    params = SplitParams.model_validate(
        {"method": method, "column": "c" if method in ("time", "group", "column") else None}
    )
    return draw_splits(curated, params, np.zeros(N, dtype=bool), [])


METHODS = ["random", "stratified", "group", "time", "column"]


@pytest.mark.parametrize("method", METHODS)
def test_no_trial_sees_a_molecule_that_the_verdict_tests(curated: pd.DataFrame, method: str) -> None:
    splits = drawn(curated, method)
    tested = np.any([subsets == "test" for subsets in splits.fresh], axis=0)
    seen = np.any([subsets != "" for subsets in splits.search], axis=0)
    assert tested.sum() > 0.15 * N
    assert not (tested & seen).any()


@pytest.mark.parametrize("method", METHODS)
def test_fresh_folds_test_each_molecule_once_and_train_on_all_that_the_search_saw(
    curated: pd.DataFrame, method: str
) -> None:
    splits = drawn(curated, method)
    assert np.sum([subsets == "test" for subsets in splits.fresh], axis=0).max() == 1
    seen = np.any([subsets != "" for subsets in splits.search], axis=0)
    for subsets in splits.fresh:
        assert np.isin(subsets[seen], ("train", "valid")).all()


@pytest.mark.parametrize("method", ["random", "stratified", "group", "time"])
def test_the_test_subset_of_the_pipeline_is_not_seen_by_the_search(
    curated: pd.DataFrame, method: str
) -> None:
    params = SplitParams.model_validate(
        {"method": method, "column": "c" if method in ("time", "group") else None}
    )
    test = split_molecules(curated, params) == "test"
    for subsets in drawn(curated, method).search:
        assert (subsets[test] == "").all()


def test_a_test_subset_given_by_a_column_is_in_nothing(curated: pd.DataFrame) -> None:
    splits = drawn(curated, "column")
    given = (curated["split:subset"] == "test").to_numpy()
    assert all((subsets[given] == "").all() for subsets in [*splits.search, *splits.fresh])


def test_whole_groups_are_fresh_or_seen(curated: pd.DataFrame) -> None:
    splits = drawn(curated, "group")
    seen = np.any([subsets != "" for subsets in splits.search], axis=0)
    assert not set(curated["split:group"][seen]) & set(curated["split:group"][~seen])


def test_a_verdict_by_time_is_about_later_molecules_than_the_search(curated: pd.DataFrame) -> None:
    splits = drawn(curated, "time")
    times = curated["split:time"].to_numpy()
    seen = np.any([subsets != "" for subsets in splits.search], axis=0)
    for subsets in splits.fresh:
        assert times[subsets == "test"].min() > times[seen].max()


def test_too_few_molecules_are_refused(curated: pd.DataFrame) -> None:
    few = curated.iloc[:40]
    with pytest.raises(ValueError, match="40 molecules are too few for a search"):
        draw_splits(few, SplitParams(), np.zeros(40, dtype=bool), [])


@pytest.mark.parametrize(
    ("method", "classes", "hint"),
    [
        ("random", False, "give more molecules$"),
        ("random", True, "give more molecules, or use split.method stratified$"),
        ("group", False, "give more molecules, or use split.method random or stratified$"),
    ],
)
def test_no_method_is_recommended_that_is_in_use(
    curated: pd.DataFrame, method: Any, classes: bool, hint: str
) -> None:
    name = next(column.removesuffix(":relation") for column in curated if column.endswith(":relation"))
    few = curated.iloc[:40].assign(**{name: np.arange(40) % 2})
    params = SplitParams(method=method, column="c" if method == "group" else None)
    with pytest.raises(ValueError, match=hint):
        draw_splits(few, params, np.zeros(40, dtype=bool), [name] if classes else [])


def test_the_endpoint_that_leaves_too_few_is_named(curated: pd.DataFrame) -> None:
    name = next(column.removesuffix(":relation") for column in curated if column.endswith(":relation"))
    sparse = curated.assign(**{name: curated[name].where(np.arange(len(curated)) < 10)})
    with pytest.raises(ValueError, match=f"remove the endpoint with the fewest values \\({name}: "):
        draw_splits(sparse, SplitParams(), np.zeros(len(sparse), dtype=bool), [])
