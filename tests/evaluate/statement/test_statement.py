"""The statement: identities, emulated ensembles against real ones, JSON, sentences."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manywalks.evaluate import scores
from manywalks.evaluate.infinite import closed_form
from manywalks.evaluate.statement import sentences, statement
from manywalks.evaluate.statement.pairs import (
    Pairs,
    _chosen,
    ensemble_pairs,
    flip_rate,
    metric_differences,
    top_overlap,
)
from manywalks.evaluate.statement.statement import Terms
from manywalks.formatting import two_digits
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.combine import Combining, combine
from manywalks.replicates.statistics.bound import difference_bound

N = 150


def experiment(rng: np.random.Generator, m: int, scale: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """(m, N) replicates that part in 5 directions and a little in all, and what was observed."""
    observed = rng.normal(size=N)
    centre = observed + 0.5 * rng.normal(size=N)
    directions = np.random.default_rng(99).normal(size=(5, N)) / np.sqrt(5)
    parting = rng.normal(size=(m, 5)) @ directions + 0.5 * rng.normal(size=(m, N))
    return centre + scale * parting, observed


def regression(**changes: Any) -> Terms:
    return Terms(**({"kind": "regression", "unit": "log10 mol/L", "tolerance": 0.2, "sd": 1.0} | changes))


def classification(**changes: Any) -> Terms:
    return Terms(**({"kind": "classification", "unit": "", "tolerance": 0.05, "sd": 0.5} | changes))


def classes(replicates: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 1 / (1 + np.exp(-replicates)), (observed > 0).astype(float)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(4, 12), st.floats(0.01, 100))
def test_the_ambiguity_identity_holds(seed, m, scale):
    replicates, observed = experiment(np.random.default_rng(seed), m, scale)
    got = statement.endpoint_statement(replicates.astype(np.float32), observed, regression())
    assert got["mse_ensemble"] == pytest.approx(got["mse_one"] - got["ambiguity"], rel=1e-6)


def test_one_of_m_replicates_and_infinitely_many_are_on_one_line():
    replicates, observed = experiment(np.random.default_rng(0), 12)
    got = statement.endpoint_statement(replicates, observed, regression())
    variance = got["spread_rms"] ** 2
    assert got["mse_one"] == pytest.approx(got["mse_infinite"] + variance)
    assert got["mse_ensemble"] == pytest.approx(got["mse_infinite"] + variance / 12)


def test_the_projected_mse_and_its_error_hold_over_experiments():
    rng = np.random.default_rng(1)
    centre, observed = rng.normal(size=N), rng.normal(size=N)
    truth = np.mean((centre - observed) ** 2)
    found = [closed_form(centre + rng.normal(size=(10, N)), observed, root=False) for _ in range(500)]
    values, errors = np.array(found, dtype=float).T
    assert values.mean() == pytest.approx(truth, abs=4 * values.std() / np.sqrt(500))
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(), rel=0.15)


def test_the_closed_form_is_the_slow_jackknife():
    error = np.random.default_rng(2).normal(size=(6, 20)) + 1

    def slow(e: np.ndarray) -> float:
        return float(np.mean((e.mean(axis=0)) ** 2 - e.var(axis=0, ddof=1) / len(e)))

    left = np.array([slow(np.delete(error, i, axis=0)) for i in range(6)])
    value, its_error = closed_form(error, np.zeros(20), root=False)
    assert value == pytest.approx(slow(error))
    assert its_error == pytest.approx(np.sqrt(5 / 6 * np.sum((left - left.mean()) ** 2)))


def test_the_statement_is_json_without_nan():
    replicates, observed = experiment(np.random.default_rng(3), 8)
    observed[:50] = np.nan
    unmeasured = np.full(N, np.nan)
    for terms in (regression(), classification()):
        shown = (replicates, observed) if terms.kind == "regression" else classes(replicates, observed)
        for y in (shown[1], unmeasured):
            got = statement.endpoint_statement(shown[0], y, terms)
            assert json.loads(json.dumps(got, allow_nan=False)) == got
            assert all(isinstance(text, str) for text in sentences.sentences(got, "e"))


def test_censored_molecules_are_left_out_of_the_algebra():
    replicates, observed = experiment(np.random.default_rng(4), 8)
    relation = np.array(["="] * 100 + ["<"] * 50)
    got = statement.endpoint_statement(replicates, observed, regression(), relation=relation)
    short = statement.endpoint_statement(replicates[:, :100], observed[:100], regression())
    assert got["mse_ensemble"] == pytest.approx(short["mse_ensemble"])


def test_replicates_needed_falls_with_the_tolerance():
    replicates, observed = experiment(np.random.default_rng(5), 16)
    needed = statement.endpoint_statement(replicates, observed, regression())["replicates_needed"]
    assert [row["sd_share"] for row in needed] == list(statement.SD_SHARES)
    assert (np.diff([row["replicates"] for row in needed]) <= 0).all()


def test_pairs_differ_as_real_ensembles_do():
    rng = np.random.default_rng(6)
    pool, _ = experiment(rng, 2000)
    real = Pairs(*(pool[rng.permutation(2000)].reshape(125, 16, N).mean(axis=1) for _ in range(2)))
    emulated = [ensemble_pairs(pool[start : start + 16]) for start in range(0, 320, 16)]
    for share in (0.05, 0.2):
        mean = np.mean([top_overlap(pairs, share) for pairs in emulated])
        assert mean == pytest.approx(top_overlap(real, share), abs=0.03)
    mean = np.mean([flip_rate(pairs, 0.1) for pairs in emulated])
    assert mean == pytest.approx(flip_rate(real, 0.1), rel=0.15)


def test_every_pair_of_few_replicates_is_taken_once():
    for m in (2, 3, 4, 7, 8, 16):
        i, j = _chosen(m, 1)
        assert len({frozenset(pair) for pair in zip(i, j, strict=True)}) == len(i) == m * (m - 1) // 2
    assert np.bincount(np.concatenate(_chosen(100, 1))).tolist() == [4] * 100


@pytest.mark.parametrize(("kind", "name"), [("regression", "rmse"), ("regression", "spearman"),
                                            ("classification", "auroc")])  # fmt: skip
def test_metric_bounds_cover(kind, name):
    rng = np.random.default_rng(7)
    pool, observed = experiment(rng, 3200)
    if kind == "classification":
        pool, observed = classes(pool, observed)

    def score(predicted: np.ndarray) -> scores.Metrics:
        whole: dict[str, float | None] = {
            "rmse": float(np.sqrt(np.mean((predicted - observed) ** 2))),
            "spearman": scores.spearman(observed, predicted),
            "auroc": scores.auroc(observed > 0.5, predicted),
        }
        return {name: whole[name]}

    ensembles = pool.reshape(200, 16, N)
    values = np.array([score(replicates.mean(axis=0))[name] for replicates in ensembles], dtype=float)
    within = []
    for replicates, value in zip(ensembles[:60], values[:60], strict=True):
        found = metric_differences(ensemble_pairs(replicates), score, 16, 0.95)[name]
        assert found is not None
        within.append(np.mean(np.abs(np.delete(values, len(within)) - value) <= found["bound"]))
    assert 0.92 <= np.mean(within) <= 0.98


def test_the_bound_of_rmse_covers_where_replicates_part_at_right_angles_to_the_error():
    rng = np.random.default_rng(11)
    error = np.linspace(-1, 1, N)
    across = rng.normal(size=N)
    across -= across @ error / (error @ error) * error

    def draw(count: int) -> np.ndarray:
        return error + 2.0 * rng.normal(size=(count, 1)) * across + 0.1 * rng.normal(size=(count, N))

    def rmse(e: np.ndarray) -> scores.Metrics:
        return {"rmse": float(np.sqrt(np.mean(e**2)))}

    values = np.array([rmse(draw(16).mean(axis=0))["rmse"] for _ in range(300)])
    within = []
    for _ in range(100):
        own = draw(16)
        found = metric_differences(ensemble_pairs(own), rmse, 16, 0.95)["rmse"]
        assert found is not None
        within.append(np.mean(np.abs(values - (rmse(own.mean(axis=0))["rmse"] or 0)) <= found["bound"]))
    assert np.mean(within) >= 0.94


@pytest.mark.parametrize("name", ["auroc", "mcc"])
def test_a_metric_that_no_pair_moves_has_no_bound_and_others_one_step_at_least(name):
    rng = np.random.default_rng(12)
    observed = np.repeat([0.0, 1.0], 5)
    bounds = []
    for apart in (0.4, 0.02):
        p = np.clip(0.5 + apart * (observed - 0.5) + 0.05 * rng.normal(size=(8, 10)), 0, 1)
        found = metric_differences(
            ensemble_pairs(p), lambda f: scores.classification_metrics(observed, f), 8, 0.95
        )
        bounds.append(found[name])
    assert bounds[0] is None
    assert bounds[1] is not None and bounds[1]["bound"] >= {"auroc": 1 / 25, "mcc": 0.1}[name]


def test_bounds_of_bounded_metrics_are_no_wider_than_their_range():
    rng = np.random.default_rng(13)
    observed = rng.normal(size=5)
    found = metric_differences(
        ensemble_pairs(rng.normal(size=(4, 5))), lambda f: scores.regression_metrics(observed, f), 4, 0.95
    )
    for name in ("spearman", "kendall"):
        bound = found[name]
        assert bound is not None and bound["bound"] <= 2


def test_other_ways_of_combining_widen_the_bound():
    replicates, observed = experiment(np.random.default_rng(8), 32)
    mean = statement.endpoint_statement(replicates, observed, regression())
    median = statement.endpoint_statement(replicates, observed, regression(combining=Combining("median")))
    assert 1.1 < median["difference_bound"] / mean["difference_bound"] < 1.35
    p, y = classes(replicates, observed)
    logit = statement.endpoint_statement(p, y, classification(combining=Combining(logits=True)))
    assert (
        logit["difference_bound"] != statement.endpoint_statement(p, y, classification())["difference_bound"]
    )


def test_probabilities_are_never_promised_within_more_than_1():
    replicates = np.random.default_rng(10).uniform(size=(2, N))
    got = statement.endpoint_statement(replicates, np.ones(N), classification())
    assert got["difference_bound"] == 1
    assert "to within 1 in probability" in sentences.sentences(got, "toxic")[0]
    assert statement.endpoint_statement(replicates, np.ones(N), regression())["difference_bound"] > 1


def test_combine_is_the_plain_thing():
    replicates = np.arange(12.0).reshape(6, 2) ** 2
    assert combine(replicates) == pytest.approx(replicates.mean(axis=0))
    assert combine(replicates, Combining("median")) == pytest.approx(np.median(replicates, axis=0))
    assert combine(replicates, Combining("trimmed")) == pytest.approx(replicates[1:5].mean(axis=0))
    p = np.array([[0.2], [0.5], [0.8]])
    assert combine(p, Combining(logits=True)) == pytest.approx([0.5])


def test_a_replicate_that_decides_otherwise_is_counted():
    replicates = np.full((8, 10), 0.9)
    replicates[3, :2] = 0.1
    got = statement.endpoint_statement(replicates, np.ones(10), classification())
    assert got["turned_share"] == pytest.approx(0.2)
    assert got["flip_rate"]["replicate"] == pytest.approx(2 / 80)
    assert got["flip_rate"]["replicates"] == pytest.approx(0.2 * 2 / 8)
    assert got["flip_rate"]["ensembles"] == 0


def test_several_endpoints_have_a_wider_bound_that_holds_for_all_at_once():
    replicates, observed = experiment(np.random.default_rng(14), 16)
    alone, one = (
        statement.endpoint_statement(replicates, observed, regression(endpoints=t)) for t in (1, 12)
    )
    assert alone["joint"]["difference_bound"] == alone["difference_bound"] == one["difference_bound"]
    at_level = difference_bound(replicates, 1 - 0.05 / 12, adaptive=True).bound
    assert one["joint"] == {"endpoints": 12, "difference_bound": pytest.approx(at_level)}
    assert "All 12 endpoints at once: to within" in sentences.sentences(one, "e")[0]
    assert "at once" not in sentences.sentences(alone, "e")[0]


def test_what_more_replicates_can_still_gain_is_what_infinitely_many_would():
    replicates, observed = experiment(np.random.default_rng(15), 12)
    got = statement.endpoint_statement(replicates, observed, regression())
    assert got["mse_left"] == pytest.approx(got["mse_ensemble"] - got["mse_infinite"])
    assert got["mse_left"] == pytest.approx(got["ambiguity"] / 11)


def test_the_farthest_replicate_is_named():
    replicates, observed = experiment(np.random.default_rng(16), 12)
    replicates[7] += 3
    far = statement.endpoint_statement(replicates, observed, regression())["farthest"]
    assert far["replicate"] == 7
    assert far["distance"] == pytest.approx(np.sqrt(np.mean((replicates[7] - replicates.mean(axis=0)) ** 2)))


def test_the_statement_names_the_molecules_that_it_is_over():
    replicates, observed = experiment(np.random.default_rng(17), 4)
    found = statement.endpoint_statement(replicates, observed, regression())
    promise = sentences.sentences(found | {"reference": ["valid", "test"]}, "e")[0]
    assert f"over the {N} valid and test molecules)" in promise
    assert f"over the {N} test molecules)" in sentences.sentences(found | {"reference": ["test"]}, "e")[0]
    assert "new molecules" not in promise
    assert "fewer than 8 replicates" in promise


def test_the_sentences_say_figures_units_and_confidence():
    replicates, observed = experiment(np.random.default_rng(9), 16)
    got = statement.endpoint_statement(replicates, observed, regression(tolerance=0.3, noise=0.3, diverged=1))
    promise, risk = sentences.sentences(got, "logS")
    figure = two_digits(got["difference_bound"])
    assert f"a retrained ensemble of 16 will agree with this one to within {figure} log10 mol/L" in promise
    assert "95 % sure" in promise and "within the tolerance of 0.3 log10 mol/L" in promise
    assert "1 replicate diverged and was replaced" in promise and "repeated measurements" in promise
    assert "single replicates" in risk
    tight = statement.endpoint_statement(replicates, observed, regression(tolerance=0.01))
    assert "is not met" in sentences.sentences(tight, "logS")[0]


@pytest.mark.parametrize(
    ("repeats", "said"),
    [(4, "0.3 log10 mol/L (SD, a rough figure from only 4 repeats)."), (25, "25 repeats).")],
)
def test_the_noise_says_how_many_repeats_it_rests_on(repeats: int, said: str) -> None:
    replicates, observed = experiment(np.random.default_rng(9), 16)
    terms = regression(tolerance=0.3, noise=0.3, noise_repeats=repeats)
    promise = sentences.sentences(statement.endpoint_statement(replicates, observed, terms), "logS")[0]
    assert said in promise
    assert ("rough" in promise) == (repeats < 10)


@pytest.mark.parametrize(("value", "text"), [(0.0873, "0.087"), (1.234, "1.2"), (343.0, "343"), (0, "0")])
def test_numbers_are_read_easily(value, text):
    assert two_digits(value) == text


def test_the_best_molecules_are_those_that_are_wanted() -> None:
    replicates, observed = experiment(np.random.default_rng(9), 12)
    low = statement.endpoint_statement(replicates, observed, regression(wanted=EndpointParams(want="low")))
    turned = statement.endpoint_statement(-replicates, -observed, regression())
    assert low["want"] == "low"
    assert low["top_overlap"] == turned["top_overlap"]
