"""The baselines agree with slow, obvious versions; the verdict follows its rule."""

import numpy as np
import pytest

from manywalks.evaluate.baseline import (
    Simple,
    accuracy,
    neighbour_means,
    simple_predictions,
    weighted_auroc,
)
from manywalks.evaluate.scores import auroc
from manywalks.evaluate.statement.verdict_rule import NEIGHBOURS
from manywalks.similarity import nearest_rows


def random_bits(rng: np.random.Generator, n: int, words: int = 2) -> np.ndarray:
    return rng.integers(0, 2**64, (n, words), dtype=np.uint64) & rng.integers(
        0, 2**64, (n, words), dtype=np.uint64
    )


def slow_tanimoto(one: np.ndarray, other: np.ndarray) -> float:
    either = int(np.bitwise_count(one | other).sum())
    return int(np.bitwise_count(one & other).sum()) / either if either else 1.0


def judged(observed: np.ndarray, predicted: np.ndarray, simple: Simple | None, kind: str) -> dict:
    relation = np.where(np.isfinite(observed), "=", "")
    return accuracy(observed, predicted, simple, kind=kind, relation=relation, rng=np.random.default_rng(0))


def test_the_nearest_rows_are_those_of_a_stable_sort() -> None:
    rng = np.random.default_rng(1)
    bits, among = random_bits(rng, 20), random_bits(rng, 60)
    among[:30] = among[30:]  # ties
    among[5] = bits[3] = 0
    similarity = np.array([[slow_tanimoto(a, b) for b in among] for a in bits])
    expected = np.argsort(-similarity, axis=1, kind="stable")[:, :7]
    found = nearest_rows(bits, among, 7)
    np.testing.assert_array_equal(found.rows, expected)
    np.testing.assert_allclose(found.similarity, np.take_along_axis(similarity, expected, axis=1))


def test_neighbours_are_weighted_by_similarity() -> None:
    rng = np.random.default_rng(2)
    bits, among, values = random_bits(rng, 10), random_bits(rng, 40), rng.normal(size=40)
    for query, found in zip(bits, neighbour_means(bits, among, values), strict=True):
        similarity = np.array([slow_tanimoto(query, one) for one in among])
        near = np.argsort(-similarity, kind="stable")[:NEIGHBOURS]
        assert found == pytest.approx(np.sum(similarity[near] * values[near]) / np.sum(similarity[near]))


def test_neighbours_that_are_nothing_alike_weigh_the_same() -> None:
    bits, among = np.array([[1]], dtype=np.uint64), np.array([[2], [4]], dtype=np.uint64)
    assert neighbour_means(bits, among, np.array([1.0, 4.0])).tolist() == [2.5]


def test_only_measured_training_molecules_count() -> None:
    bits = np.array([[1]], dtype=np.uint64)
    among = np.array([[1], [1], [3]], dtype=np.uint64)
    found = simple_predictions(bits, among, np.array([np.nan, 2.0, 4.0]))
    assert found is not None and found.nearest is not None
    assert (found.constant, found.nearest.tolist()) == (3.0, [pytest.approx((2 + 4 / 2) / 1.5)])
    assert simple_predictions(bits, among, np.full(3, np.nan)) is None


def test_without_fingerprints_there_are_no_neighbours() -> None:
    found = simple_predictions(np.zeros((2, 0), np.uint64), np.zeros((3, 0), np.uint64), np.ones(3))
    assert found == Simple(1.0, None)


def test_weights_repeat_molecules() -> None:
    rng = np.random.default_rng(3)
    positive, score = rng.random(25) < 0.4, rng.integers(0, 6, 25) / 5
    weights = rng.multinomial(25, np.full(25, 1 / 25), size=8).astype(float)
    slow = [auroc(np.repeat(positive, w.astype(int)), np.repeat(score, w.astype(int))) for w in weights]
    slow_numbers = [np.nan if one is None else one for one in slow]
    np.testing.assert_allclose(weighted_auroc(positive, score, weights), slow_numbers)
    assert np.isnan(weighted_auroc(positive, score, positive[None] * 1.0)).all()


def test_scores_of_the_baselines_are_over_the_measured_molecules() -> None:
    observed = np.array([0.0, 2.0, np.nan, 4.0])
    found = judged(observed, observed, Simple(1.0, np.array([0.0, 2.0, 9.0, 7.0])), "regression")
    assert found["baselines"]["mean"]["rmse"] == pytest.approx(np.sqrt((1 + 1 + 9) / 3))
    assert found["baselines"]["neighbours"]["rmse"] == pytest.approx(np.sqrt(9 / 3))


def test_the_interval_is_that_of_a_paired_bootstrap() -> None:
    rng = np.random.default_rng(4)
    truth = rng.normal(size=80)
    predicted, nearest = truth + 0.5 * rng.normal(size=80), truth + 0.8 * rng.normal(size=80)
    verdict = judged(truth, predicted, Simple(0.0, nearest), "regression")["verdict"]

    def rmse(values: np.ndarray, rows: np.ndarray) -> float:
        return float(np.sqrt(np.mean((values[rows] - truth[rows]) ** 2)))

    drawn = [rng.integers(0, 80, 80) for _ in range(4000)]
    gains = [rmse(nearest, rows) - rmse(predicted, rows) for rows in drawn]
    assert verdict["against"] == "neighbours"
    assert verdict["gain"] == pytest.approx(rmse(nearest, np.arange(80)) - rmse(predicted, np.arange(80)))
    np.testing.assert_allclose(
        [verdict["low"], verdict["high"]], np.quantile(gains, [0.025, 0.975]), atol=0.02
    )


@pytest.mark.parametrize(
    ("model", "nearest", "word", "against"),
    [
        (0.3, 0.8, "useful", "neighbours"),
        (0.3, 3.0, "useful", "mean"),
        (0.8, 0.5, "weak", "neighbours"),
        (2.2, 3.0, "weak", "mean"),
        (8.0, 9.0, "no better", "mean"),
    ],
)
def test_the_word_of_a_number(model: float, nearest: float, word: str, against: str) -> None:
    """The model sees the truth with noise of so many SD and shrinks it as is best; the neighbours do not."""
    rng = np.random.default_rng(5)
    truth = rng.normal(size=3000)
    predicted = (truth + model * rng.normal(size=3000)) / (1 + model**2)
    simple = Simple(0.0, truth + nearest * rng.normal(size=3000))
    verdict = judged(truth, -predicted if word == "no better" else predicted, simple, "regression")["verdict"]
    assert (verdict["word"], verdict["against"]) == (word, against)


@pytest.mark.parametrize(
    ("model", "nearest", "word", "against"),
    [
        (0.5, 2.0, "useful", "neighbours"),
        (2.0, 0.5, "weak", "neighbours"),
        (4.0, 9.0, "weak", "neighbours"),
        (1e9, 1e9, "no better", "majority"),
    ],
)
def test_the_word_of_a_class(model: float, nearest: float, word: str, against: str) -> None:
    rng = np.random.default_rng(6)
    truth = (rng.random(3000) < 0.3).astype(float)
    found = judged(
        truth,
        truth + model * rng.normal(size=3000),
        Simple(0.3, truth + nearest * rng.normal(size=3000)),
        "classification",
    )
    assert found["baselines"]["majority"]["auroc"] == 0.5
    assert (found["verdict"]["word"], found["verdict"]["against"]) == (word, against)


@pytest.mark.parametrize("observed", [np.full(4, np.nan), np.ones(4)])
def test_what_cannot_be_judged_is_unknown(observed: np.ndarray) -> None:
    found = judged(observed, np.full(4, 0.5), Simple(0.5, None), "classification")
    assert (found["baselines"], found["verdict"]["word"]) == ({}, "unknown")


def test_a_limit_counts_as_the_score_counts_it() -> None:
    observed, relation = np.array([1.0, 2.0, 3.0]), np.array(["=", ">", "="])
    found = accuracy(
        observed,
        observed,
        Simple(2.5, None),
        kind="regression",
        relation=relation,
        rng=np.random.default_rng(0),
    )
    assert found["baselines"]["mean"]["rmse"] == pytest.approx(np.sqrt((1.5**2 + 0 + 0.5**2) / 3))
