"""Metrics agree with scikit-learn and scipy, and say None where they are not defined."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from manywalks.evaluate import scores


def close(a: float | None, b: Any) -> bool:
    return a is not None and bool(np.isclose(a, b, rtol=1e-9, atol=1e-12))


def test_regression_metrics_are_scikit_learns():
    rng = np.random.default_rng(1)
    y = rng.normal(size=200).round(1)
    f = y + rng.normal(size=200)
    got = scores.regression_metrics(y, f)
    assert close(got["rmse"], sk.root_mean_squared_error(y, f))
    assert close(got["mae"], sk.mean_absolute_error(y, f))
    assert close(got["r2"], sk.r2_score(y, f))
    assert close(got["spearman"], stats.spearmanr(y, f)[0])
    assert close(got["kendall"], stats.kendalltau(y, f)[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=60))
def test_rank_correlations_are_scipys_with_ties(rows):
    y, f = np.array(rows, dtype=np.float64).T
    if np.ptp(y) and np.ptp(f):
        assert close(scores.kendall(y, f), stats.kendalltau(y, f)[0])
        assert close(scores.spearman(y, f), stats.spearmanr(y, f)[0])
    assert scores.average_ranks(y).tolist() == stats.rankdata(y).tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=4, max_size=60))
def test_classification_metrics_are_scikit_learns_with_ties(rows):
    y = np.array([float(a) for a, _ in rows])
    p = np.array([b / 10 for _, b in rows])
    got = scores.classification_metrics(y, p, 0.35)
    assert close(got["brier"], np.mean((p - y) ** 2))
    if len(set(y)) == 1:
        assert got["auroc"] is None and got["auprc"] is None and got["mcc"] is None
        return
    assert close(got["auroc"], float(sk.roc_auc_score(y, p)))
    assert close(got["auprc"], float(sk.average_precision_score(y, p)))
    assert close(got["log_loss"], sk.log_loss(y, np.clip(p, 1e-7, 1 - 1e-7)))
    if len(set(p >= 0.35)) == 2:
        assert close(got["mcc"], float(sk.matthews_corrcoef(y, p >= 0.35)))


def test_what_was_not_measured_is_left_out():
    y = np.array([1.0, np.nan, 2.0, 4.0])
    f = np.array([1.5, np.nan, 2.0, 3.0])
    assert scores.regression_metrics(y, f) == scores.regression_metrics(y[[0, 2, 3]], f[[0, 2, 3]])


def test_censored_values_cost_nothing_on_their_allowed_side():
    y = np.array([1.0, 1.0, 1.0, 1.0])
    f = np.array([0.0, 3.0, 0.0, 3.0])
    got = scores.regression_metrics(y, f, np.array(["<", "<", ">", ">"]))
    assert close(got["rmse"], np.sqrt((0 + 4 + 1 + 0) / 4))
    assert close(got["mae"], (0 + 2 + 1 + 0) / 4)
    assert got["spearman"] is None


def test_rank_metrics_are_over_uncensored_molecules():
    y = np.array([1.0, 2.0, 3.0, 0.0])
    f = np.array([1.0, 2.0, 3.0, 9.0])
    assert close(scores.regression_metrics(y, f, np.array(["=", "=", "=", ">"]))["spearman"], 1.0)


def test_undefined_metrics_are_none_and_json_ready():
    nothing = scores.regression_metrics(np.full(3, np.nan), np.zeros(3))
    assert set(nothing.values()) == {None}
    constant = scores.regression_metrics(np.ones(3), np.ones(3))
    assert constant["r2"] is None and constant["spearman"] is None and constant["rmse"] == 0.0
    json.dumps([nothing, constant], allow_nan=False)


def test_a_prediction_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="prediction 1 is nan"):
        scores.regression_metrics(np.ones(2), np.array([1.0, np.nan]))


def test_replicate_metrics_follow_the_report():
    rng = np.random.default_rng(2)
    y = rng.normal(size=50)
    y[:5] = np.nan
    f = y + rng.normal(size=(6, 50))
    f[:, :5] = 0
    got = scores.replicate_metrics(y, f, kind="regression", unit="log10 mol/L")
    assert got["n_test"] == 45
    assert got["ensemble"] == scores.regression_metrics(y, f.mean(0))
    singles = [scores.regression_metrics(y, replicate)["rmse"] or 0.0 for replicate in f]
    want = {"mean": np.mean(singles), "sd": np.std(singles, ddof=1), "min": min(singles), "max": max(singles)}
    assert got["replicates"]["rmse"] == pytest.approx(want)
    json.dumps(got, allow_nan=False)


def test_limits_among_the_test_molecules_are_counted():
    y, f = np.array([np.nan, 1.0, 2.0, 3.0]), np.zeros((2, 4))
    relation = np.array([">", "=", "<", ">"])
    got = scores.replicate_metrics(y, f, kind="regression", relation=relation)
    assert (got["n_test"], got["n_limits"]) == (3, 2)
    assert scores.replicate_metrics(y, f, kind="regression")["n_limits"] == 0
