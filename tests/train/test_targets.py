"""Target transforms: there and back, chosen from the train subset, weights and censoring carried."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from manywalks.params.load import Params, parse_params
from manywalks.train.targets import TargetStep, TargetTransform, choose_kind, log_offset


def params(targets: str = "auto", balance: bool = False, **kinds: str) -> Params:
    return parse_params(
        {
            "data": {"path": "x.csv", "endpoints": {name: {"kind": kind} for name, kind in kinds.items()}},
            "transform": {"targets": targets},
            "train": {"class_balance": balance},
        }
    )


def table(relation: list[str] | None = None, **columns) -> pd.DataFrame:
    frame = pd.DataFrame()
    for name, values in columns.items():
        values = np.asarray(values, dtype=float)
        frame[name] = values
        frame[f"{name}:weight"] = np.where(np.isnan(values), 0.0, 1.0)
        plain = np.where(np.isnan(values), "", "=")
        frame[f"{name}:relation"] = plain if relation is None else relation
    return frame


# six decimals, as an assay has: the logarithm of 1e-266 leaves float32 no digits for the others
finite = hnp.arrays(np.float64, st.integers(3, 30), elements=st.floats(-1e4, 1e4)).map(lambda y: y.round(6))


@given(finite, st.sampled_from(["auto", "standard", "none"]))
@settings(max_examples=50, deadline=None)
def test_inverse_of_the_targets_is_what_was_measured(values, kind):
    frame = table(y=values)
    transform = TargetTransform.fit(frame, params(kind, y="regression"))
    assume(not transform.steps[0].clipped)
    back = transform.inverse(transform.targets(frame).values.astype(np.float64))
    np.testing.assert_allclose(back[:, 0], values, rtol=2e-5, atol=2e-6 * (1 + np.ptp(values)))


@given(hnp.arrays(np.float64, st.integers(3, 30), elements=st.floats(0, 1e4, width=16)))
@settings(max_examples=50, deadline=None)
def test_inverse_of_log_and_rank_too(values):
    frame = table(y=values + 1)
    for kind in ("log", "normal_scores"):
        transform = TargetTransform.fit(frame, params(kind, y="regression"))
        back = transform.inverse(transform.targets(frame).values.astype(np.float64))
        np.testing.assert_allclose(back[:, 0], values + 1, rtol=1e-5, atol=1e-6 * np.ptp(values))


def test_auto_takes_the_logarithm_of_skewed_positive_values():
    rng = np.random.default_rng(0)
    assert choose_kind(rng.lognormal(0, 1.5, 500)) == "log"
    assert choose_kind(rng.normal(5, 1, 500)) == "standard"
    assert choose_kind(-rng.lognormal(0, 1.5, 500)) == "standard"
    assert choose_kind(np.full(10, 3.0)) == "standard"
    counts = rng.negative_binomial(1, 0.05, 500).astype(float)
    assert counts.min() == 0 and choose_kind(counts) in ("log", "standard")


def assay_with_zeros() -> np.ndarray:
    """Values as an assay has them: log-normal, a tenth reported as 0, one tiny."""
    values = np.random.default_rng(3).lognormal(2, 1, 400)
    return np.where(values < np.quantile(values, 0.1), 0.0, np.where(values == values.max(), 1e-4, values))


def test_the_offset_of_zeros_leaves_the_logarithms_most_symmetric():
    values = assay_with_zeros()
    offset = log_offset(values)
    tried = [1e-4 / 2, 0.01, 0.1, 1.0, 10.0, 100.0]
    skews = [abs(stats.skew(np.log10(values + other))) for other in tried]
    assert abs(stats.skew(np.log10(values + offset))) <= min(skews)
    assert 1e-4 / 2 < offset < np.quantile(values, 0.9)
    assert log_offset(values[values > 0]) == 0


def test_zeros_do_not_pull():
    values = assay_with_zeros()
    former = np.log10(values + 1e-4 / 2)
    assert (former.min() - former.mean()) / former.std() < -2.5
    z = TargetTransform.fit(table(y=values), params("log", y="regression")).targets(table(y=values)).values
    assert z.min() > -2 and np.abs(z).max() <= 3


def test_what_is_still_beyond_3_sd_is_clipped_and_counted():
    values = np.concatenate([np.zeros(3), np.random.default_rng(4).lognormal(2, 0.4, 500), [1e5, 1e6]])
    transform = TargetTransform.fit(table(y=values), params("log", y="regression"))
    step = transform.steps[0]
    logs = np.log10(values + step.offset)
    beyond = np.abs(logs - logs.mean()) > 3 * logs.std()
    assert step.clip == 3 and step.clipped == beyond.sum() > 0
    z = transform.targets(table(y=values)).values[:, 0]
    np.testing.assert_allclose(np.abs(z[beyond]), 3, rtol=1e-6)


def test_values_that_are_never_negative_are_not_predicted_so():
    transform = TargetTransform.fit(table(y=assay_with_zeros()), params("log", y="regression"))
    assert (transform.inverse(np.full((2, 1), -9.0)) == 0).all()


def test_steps_of_former_versions_are_read_and_mean_what_they_did():
    step = TargetStep("y", "log", mean=0.4, sd=0.6, offset=0.05)
    former = [{key: value for key, value in asdict(step).items() if key not in ("clip", "clipped")}]
    transform = TargetTransform.from_json(json.loads(json.dumps(former)))
    assert transform.steps == (step,)
    z = np.array([[-4.0], [0.0], [4.0]])
    np.testing.assert_allclose(transform.inverse(z), 10 ** (z * 0.6 + 0.4) - 0.05)


def test_zeros_come_back():
    frame = table(y=[0.0, 0.2, 1.0, 100.0])
    transform = TargetTransform.fit(frame, params("log", y="regression"))
    np.testing.assert_allclose(transform.inverse(transform.targets(frame).values)[0], 0, atol=1e-6)
    with pytest.raises(ValueError, match="endpoint y has the value -1"):
        TargetTransform.fit(table(y=[-1.0, 2.0]), params("log", y="regression"))


def test_standard_values_have_mean_0_and_sd_1():
    frame = table(y=np.random.default_rng(1).normal(40, 7, 300))
    z = TargetTransform.fit(frame, params(y="regression")).targets(frame).values
    assert z.dtype == np.float32
    assert z.mean() == pytest.approx(0, abs=1e-6) and z.std() == pytest.approx(1, abs=1e-6)


def test_only_train_rows_are_fitted():
    frame = table(y=[1.0, 2.0, 3.0, 1000.0])
    step = TargetTransform.fit(frame.iloc[:3], params(y="regression")).steps[0]
    assert step.mean == pytest.approx(2.0) and step.kind == "standard"


def test_not_measured_weighs_nothing_and_classes_stay():
    frame = table(y=[1.0, np.nan, 3.0], c=[0.0, 1.0, np.nan])
    targets = TargetTransform.fit(frame, params(y="regression", c="classification")).targets(frame)
    np.testing.assert_array_equal(targets.weights, [[1, 1], [0, 1], [1, 0]])
    np.testing.assert_array_equal(targets.values[:, 1], [0, 1, 0])
    assert targets.values[1, 0] == 0
    np.testing.assert_array_equal(targets.classes, [False, True])


def test_record_weights_are_carried():
    frame = table(y=[1.0, 2.0, 3.0]).assign(**{"y:weight": [0.5, 2.0, 0.0]})
    transform = TargetTransform.fit(frame, params(y="regression"))
    np.testing.assert_array_equal(transform.targets(frame).weights[:, 0], [0.5, 2.0, 0.0])
    assert transform.steps[0].mean == pytest.approx(1.5)


def test_censoring_keeps_its_side():
    frame = table(y=[1.0, 2.0, 3.0, np.nan], relation=["=", ">", "<", ""])
    for kind in ("standard", "log", "normal_scores"):
        targets = TargetTransform.fit(frame, params(kind, y="regression")).targets(frame)
        np.testing.assert_array_equal(targets.censored[:, 0], [0, 1, -1, 0])
        assert targets.censored.dtype == np.int8
        assert (np.diff(targets.values[:3, 0]) > 0).all()


def test_balanced_classes_weigh_the_same_and_keep_the_total():
    frame = table(c=[1.0, 0, 0, 0, np.nan])
    transform = TargetTransform.fit(frame, params(balance=True, c="classification"))
    weights = transform.targets(frame).weights[:, 0]
    assert weights[0] == pytest.approx(weights[1:4].sum()) and weights.sum() == pytest.approx(4)
    one = TargetTransform.fit(table(c=[1.0, 1.0]), params(balance=True, c="classification"))
    assert one.steps[0].class_weights == (1.0, 1.0)


def test_logits_become_probabilities():
    transform = TargetTransform.fit(table(c=[0.0, 1.0]), params(c="classification"))
    z = np.array([[[-1e4], [0.0]], [[2.0], [1e4]]], dtype=np.float32)
    p = transform.inverse(z)
    assert p.shape == z.shape and p.dtype == np.float32
    np.testing.assert_allclose(p[..., 0], [[0, 0.5], [1 / (1 + np.exp(-2)), 1]], rtol=1e-6)


@pytest.mark.parametrize("kind", ["auto", "log", "normal_scores", "none"])
def test_json_round_trip(kind):
    frame = table(y=np.random.default_rng(2).lognormal(0, 1, 400), c=[0.0, 1.0] * 200)
    transform = TargetTransform.fit(frame, params(kind, y="regression", c="classification"))
    text = json.dumps(transform.to_json(), allow_nan=False)
    assert TargetTransform.from_json(json.loads(text)) == transform
    with pytest.raises(ValueError, match="train again"):
        TargetTransform.from_json([{"endpoint": "y"}])


def test_an_endpoint_without_train_values_is_refused():
    with pytest.raises(ValueError, match="endpoint y: no value in the train subset"):
        TargetTransform.fit(table(y=[np.nan, np.nan]), params(y="regression"))
