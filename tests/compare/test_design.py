"""Successive elimination: what looks may cost, who is out, and splits that leave rows out."""

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from manywalks.compare.design import Design, beaten, eliminated, looks_of
from manywalks.compare.folds import read_splits, write_splits
from manywalks.compare.report.score_table import ScoreTable
from manywalks.compare.studentized_range import range_ppf, range_sf
from manywalks.compare.study import check_folds
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.families import Family
from manywalks.split.split import folds
from manywalks.train.prepare import prepare

FOLDS, REPEATS = 5, 5
THRESHOLD = 0.01


def table(gains: list[float], *, noise: float = 0.02, seed: int = 1) -> ScoreTable:
    """Scores (25, c), more is better: each configuration ahead by its gain."""
    rng = np.random.default_rng(seed)
    split = rng.normal(0, 0.1, (REPEATS * FOLDS, 1))
    scores = split + np.array(gains) + rng.normal(0, noise, (REPEATS * FOLDS, len(gains)))
    return ScoreTable(scores, np.full(scores.shape, 1e-6), 1 / (FOLDS - 1), FOLDS)


@pytest.mark.parametrize("repeats", [2, 5, 9])
def test_all_looks_together_cost_what_was_allowed(repeats: int) -> None:
    looks = looks_of(repeats, FOLDS, 0.95, stop=True)
    assert looks.splits == tuple(FOLDS * (k + 1) for k in range(repeats))
    assert (repeats - 1) * (1 - looks.early) + (1 - looks.last) == pytest.approx(0.05)


@pytest.mark.parametrize(("repeats", "stop"), [(1, True), (5, False)])
def test_one_look_at_the_end_spends_nothing_before(repeats: int, stop: bool) -> None:
    looks = looks_of(repeats, FOLDS, 0.95, stop=stop)
    assert looks.splits == (repeats * FOLDS,)
    assert looks.last == 0.95


def test_who_is_far_behind_is_out_and_gets_no_more_replicates() -> None:
    scores = table([0.0, 0.3, 0.31])
    looks = looks_of(REPEATS, FOLDS, 0.95, stop=True)
    left, stopped = eliminated(scores, THRESHOLD, looks)
    assert list(stopped) == [0]
    assert np.isfinite(left.scores[:, 0]).sum() == stopped[0] < REPEATS * FOLDS
    np.testing.assert_array_equal(left.scores[:, 1:], scores.scores[:, 1:])


def test_the_last_one_left_needs_no_more_splits() -> None:
    looks = looks_of(REPEATS, FOLDS, 0.95, stop=True)
    left, stopped = eliminated(table([0.0, 0.5]), THRESHOLD, looks)
    assert stopped == {0: FOLDS}
    assert len(left.scores) == FOLDS


def test_equals_stay() -> None:
    looks = looks_of(REPEATS, FOLDS, 0.95, stop=True)
    out = [bool(eliminated(table([0, 0, 0], seed=seed), THRESHOLD, looks)[1]) for seed in range(60)]
    assert sum(out) <= 3  # 1 % allowed: 4 or more by chance once in 300


def test_only_running_ones_are_judged() -> None:
    scores = table([0.0, 0.3, 0.0])
    assert beaten(scores, THRESHOLD, 0.99, [0, 1, 2]) == {0: 1, 2: 1}
    assert beaten(scores, THRESHOLD, 0.99, [0, 2]) == {}


@pytest.mark.parametrize(("groups", "freedom"), [(3, 2.5), (4, 13.7), (9, 80.0)])
def test_the_studentized_range_is_scipys(groups: int, freedom: float) -> None:
    found = range_ppf(0.96, groups, freedom)
    assert found == pytest.approx(stats.studentized_range.ppf(0.96, groups, freedom), rel=1e-6)
    for q in (0.0, 0.5, found, 3 * found):
        expected = stats.studentized_range.sf(q, groups, freedom)
        assert range_sf(q, groups, freedom) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def timed() -> tuple[pd.DataFrame, Features, Params]:
    """Molecules measured over years, to be split in periods."""
    n = 60
    smiles = ["C" * (1 + i % 20) + "O" * (1 + i // 20) for i in range(n)]
    raw = {
        "data": {"path": "t.csv", "endpoints": {"y": {}}},
        "split": {"method": "time", "column": "year", "test": 0.2, "valid": 0.1},
    }
    curated = pd.DataFrame(
        {
            "id": [str(i) for i in range(n)], "smiles": smiles, "y": np.linspace(0, 1, n), "y:relation": "=",
            "y:weight": 1.0, "y:repeats": 1, "y:repeat_sd": np.nan, "split:time": 2000.0 + np.arange(n) // 3,
        }
    )  # fmt: skip
    params = parse_params(raw)
    return curated, featurize(smiles, params.featurize.blocks), params


def test_rows_that_a_split_leaves_out_neither_train_nor_test(tmp_path) -> None:
    curated, features, params = timed()
    splits = folds(curated, params.split, 1, 3)
    assert all((subsets == "").any() for subsets in splits[:-1])
    write_splits(tmp_path / "splits.npz", splits)
    for subsets, again in zip(splits, read_splits(tmp_path / "splits.npz"), strict=True):
        np.testing.assert_array_equal(subsets, again)
        problem = prepare(curated, features, again, Family("", params)).problem
        used = np.concatenate([problem.train, problem.predict])
        assert not set(used) & set(np.flatnonzero(subsets == ""))
        assert len(used) == np.sum(subsets != "")
        changed = curated.assign(y=np.where(subsets == "", 1e6, curated["y"]))
        other = prepare(changed, features, again, Family("", params)).problem
        np.testing.assert_array_equal(problem.targets.values[used], other.targets.values[used])


@pytest.mark.parametrize(
    "bad", [{"replicates": 1}, {"folds": 2}, {"repeats": 0}, {"threshold": -1.0}], ids=lambda bad: str(bad)
)
def test_designs_that_say_nothing_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="--"):
        Design(**bad)  # pyright: ignore[reportArgumentType]


def curated_of(values: list[float], kind: str) -> tuple[pd.DataFrame, Params]:
    """Alkanes with these values, and the parameters that go with them."""
    unit = "kind: classification" if kind == "classification" else "unit: M"
    raw = yaml.safe_load(f"data: {{path: t.csv, endpoints: {{y: {{{unit}}}}}}}")
    params = parse_params({**raw, "split": {"method": "random", "test": 0.2, "valid": 0}})
    smiles = ["C" * (n + 1) for n in range(len(values))]
    return pd.DataFrame({"smiles": smiles, "y": values, "y:relation": "="}), params


def test_too_many_folds_are_refused_as_soon_as_there_is_a_curated_table() -> None:
    curated, params = curated_of([*map(float, range(12)), np.nan], "regression")
    check_folds(curated, params, Design(repeats=2, folds=3, metric="rmse"))
    with pytest.raises(
        ValueError, match=r"^y: [01] measured molecules? in the test subset of split .*use fewer"
    ):
        check_folds(curated, params, Design(repeats=2, folds=12))


def test_a_class_that_a_fold_lacks_is_found_before_anything_is_trained() -> None:
    curated, params = curated_of([1.0, 0.0, *[0.0] * 22], "classification")
    with pytest.raises(ValueError, match=r"^y: auroc is not defined on the test molecules of a split"):
        check_folds(curated, params, Design(repeats=1, folds=3))
    check_folds(curated, params, Design(repeats=1, folds=3, metric="brier"))
