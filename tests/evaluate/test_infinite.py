"""The score of infinitely many replicates, by the closed form and by extrapolation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manywalks.evaluate.infinite import closed_form, extrapolated, project, scorer, subset_scores


@given(st.integers(3, 9), st.integers(2, 12), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_closed_form_is_mse_minus_v_over_m(m: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    replicates, observed = rng.normal(size=(m, n)), rng.normal(size=n)
    expected = np.mean((replicates.mean(axis=0) - observed) ** 2) - replicates.var(axis=0, ddof=1).mean() / m
    found, error = closed_form(replicates, observed, root=False)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    slow = [closed_form(np.delete(replicates, j, 0), observed, root=False)[0] for j in range(m)]
    slow_error = np.sqrt((m - 1) / m * np.sum((np.array(slow) - np.mean(slow)) ** 2))
    np.testing.assert_allclose(error, slow_error, atol=1e-12)


@pytest.mark.parametrize("metric", ["rmse", "mae", "spearman", "auroc"])
def test_projection_is_nearer_to_infinity_and_knows_its_error(metric: str) -> None:
    rng = np.random.default_rng(4)
    errors, plain, said = [], [], []
    for _ in range(40):
        truth = rng.normal(size=150)
        observed = (truth > 0) * 1.0 if metric == "auroc" else truth
        middle = 0.8 * truth + 0.4 * rng.normal(size=150)
        replicates = middle + 0.6 * rng.normal(size=(8, 150))
        kind = "classification" if metric == "auroc" else "regression"
        score = scorer(observed, np.full(150, "="), metric=metric, kind=kind, threshold=0.5)
        one = project(replicates, observed, score, closed="rmse" if metric == "rmse" else None)
        errors.append(one.infinite - score(middle))
        plain.append(one.ensemble - score(middle))
        said.append(one.error)
    assert abs(np.mean(errors)) < 0.4 * abs(np.mean(plain))
    assert 0.7 < np.sqrt(np.mean(np.square(said))) / np.std(errors) < 1.6


def test_extrapolation_agrees_with_the_closed_form() -> None:
    rng = np.random.default_rng(1)
    observed = rng.normal(size=400)
    replicates = observed + 0.3 * rng.normal(size=400) + 0.5 * rng.normal(size=(16, 400))
    score = scorer(observed, np.full(400, "="), metric="rmse", kind="regression", threshold=0.5)
    line, _ = extrapolated(replicates, score, subset_scores(replicates, score))
    assert abs(line - closed_form(replicates, observed, root=True)[0]) < 0.01


def test_a_score_that_is_not_defined_says_so() -> None:
    score = scorer(np.ones(5), np.full(5, "="), metric="auroc", kind="classification", threshold=0.5)
    with pytest.raises(ValueError, match="auroc is not defined"):
        score(np.arange(5.0))
