"""Evaluation: scores, predictions and what `manywalks predict` says are on one scale."""

import numpy as np
import pandas as pd
import pytest

from manywalks.ensemble.intervals import calibration
from manywalks.evaluate.endpoint_results import EndpointResults, endpoint_results, prediction_table
from manywalks.evaluate.evaluation import scores_on_test, training_scores
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.load import Params, parse_params

N, REPLICATES = 90, 8


@pytest.fixture(scope="module")
def params() -> Params:
    endpoints = {"active": {"kind": "classification"}, "logS": {"kind": "regression", "unit": "mg"}}
    return parse_params({"data": {"path": "t.csv", "endpoints": endpoints}})


def case(params: Params, name: str) -> tuple[EndpointResults, pd.DataFrame]:
    """Replicates that are too sure of themselves, and the curated table: every molecule is out of sample."""
    rng = np.random.default_rng(3)
    truth = rng.normal(size=N)
    replicates = truth + rng.normal(size=N) + 0.5 * rng.normal(size=(REPLICATES, N))
    kind, observed = params.data.endpoints[name].kind, truth
    if kind == "classification":
        replicates, observed = 1 / (1 + np.exp(-6 * replicates)), (truth > 0).astype(float)
    subsets = np.array(["valid", "test", "test"] * (N // 3))
    valid = subsets == "valid"
    mean, spread = replicates.mean(axis=0), replicates.std(axis=0, ddof=1)
    fitted = calibration.fit(observed[valid], mean[valid], spread[valid], kind)
    curated = pd.DataFrame(
        {"id": [f"m{i}" for i in range(N)], "smiles": "C", name: observed, f"{name}:relation": "="}
    )
    return endpoint_results(curated, subsets, name, fitted, replicates, params), curated


@pytest.mark.parametrize("name", ["active", "logS"])
def test_metrics_are_those_of_the_predictions_that_are_handed_out(params: Params, name: str) -> None:
    seen, curated = case(params, name)
    table = prediction_table(seen, curated, params)
    test = pd.DataFrame(table[table["subset"] == "test"])
    expected = endpoint_metrics(
        test["observed"].to_numpy(), test["predicted"].to_numpy(), kind=params.data.endpoints[name].kind
    )
    assert scores_on_test(seen, params)["ensemble"] == expected


@pytest.mark.parametrize(
    ("name", "endpoint", "positive", "told"),
    [
        ("y", {"unit": "mg"}, True, True),
        ("y", {"unit": "mg"}, False, False),  # some values are negative
        ("y", {"unit": "log10 mg"}, True, False),
        ("logD", {}, True, False),
        ("y", {"unit": "log10 mg", "transform": "log10"}, True, False),
    ],
)
def test_predictions_below_zero_are_counted_where_no_value_is(
    name: str, endpoint: dict[str, str], positive: bool, told: bool
) -> None:
    made = parse_params({"data": {"path": "t.csv", "endpoints": {name: {"kind": "regression", **endpoint}}}})
    seen, _ = case(made, name)
    observed = np.abs(seen.observed) if positive else seen.observed
    seen = seen._replace(observed=observed, mean=np.full(N, -1.0))
    assert scores_on_test(seen, made)["below_zero"] == (2 * N // 3 if told else 0)


def test_a_class_is_handed_out_calibrated(params: Params) -> None:
    seen, curated = case(params, "active")
    table = prediction_table(seen, curated, params)
    replicates = seen.fitted.probability(seen.replicates)
    np.testing.assert_allclose(table["predicted"], seen.fitted.probability(seen.mean))
    np.testing.assert_allclose(table["spread"], replicates.std(axis=0, ddof=1))
    assert table["decision"].tolist() == (table["predicted"] >= 0.5).tolist()
    differ = (replicates >= 0.5) != table["decision"].to_numpy(dtype=bool)
    np.testing.assert_allclose(table["flip"], differ.mean(axis=0))
    # replicates this sure are far off before calibration
    found = scores_on_test(seen, params)
    assert found["ensemble"]["log_loss"] == found["calibration"]["log_loss"]
    assert found["ensemble"]["log_loss"] < 0.8 * found["calibration"]["uncalibrated"]["log_loss"]


def test_a_number_is_handed_out_as_it_is(params: Params) -> None:
    seen, curated = case(params, "logS")
    table = prediction_table(seen, curated, params)
    np.testing.assert_array_equal(table["predicted"], seen.mean)
    np.testing.assert_allclose(table["spread"], seen.replicates.std(axis=0, ddof=1))
    assert "flip" not in table


def test_the_fit_is_scored_where_values_were_measured(params: Params) -> None:
    rows = pd.DataFrame({"logS": [1.0, np.nan, 3.0], "logS:relation": ["=", "", "="]})
    found = training_scores(rows, "logS", np.array([1.0, 9.0, 5.0]), params)
    assert found["molecules"] == 2
    assert found["rmse"] == pytest.approx(np.sqrt(2))
