"""Churn against simulated retrainings, and against the slow obvious counts."""

import numpy as np
import pytest
from scipy import stats

from manywalks.evaluate.churn import ChurnTerms, Side, churn, false_discovery_rates, side_of
from manywalks.evaluate.churn_words import churn_sentences
from manywalks.params.sections.cut import Cut
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.combine import MEAN, Combining

TERMS = ChurnTerms("regression", "mg", Cut(low=0.5))


def training(rng: np.random.Generator, true: np.ndarray, root: np.ndarray, m: int = 12) -> np.ndarray:
    """(m, n) replicates that move in the directions of `root` (k, n)."""
    return true + rng.normal(size=(m, len(root))) @ root + 0.05 * rng.normal(size=(m, true.size))


def compared(former: Side, new: Side) -> dict:
    return churn(former, new, TERMS)


def test_two_trainings_on_the_same_data_show_luck_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    true, root = rng.normal(size=100), 0.1 * rng.normal(size=(4, 100))
    within, named, seen, stated = [], [], [], []
    for _ in range(200):
        found = compared(*(side_of(training(rng, true, root, m), MEAN) for m in (12, 16)))
        within.append(found["rms_change"] <= found["luck_bound"])
        named.append(found["beyond"]["molecules"] > 0)
        seen.append(found["rms_change"] ** 2)
        stated.append(found["luck_rms"] ** 2)
    assert 0.92 < np.mean(within) < 0.99
    assert np.mean(named) < 0.07  # where nothing moved, any name is a wrong one
    assert np.mean(stated) == pytest.approx(np.mean(seen), rel=0.1)


def test_false_discovery_rates_are_scipys() -> None:
    p = np.random.default_rng(0).uniform(size=200) ** 3
    np.testing.assert_allclose(false_discovery_rates(p), stats.false_discovery_control(p))


def test_molecules_that_moved_are_named_and_few_others() -> None:
    rng = np.random.default_rng(1)
    true, root = rng.normal(size=200), 0.1 * rng.normal(size=(4, 200))
    moved = np.zeros(200)
    moved[:30] = 1.0
    wrong, found_of_30 = [], []
    for _ in range(50):
        sides = [side_of(training(rng, centre, root), MEAN) for centre in (true, true + moved)]
        found = compared(*sides)
        places = np.array(found["beyond"]["places"])
        wrong.append(np.mean(places >= 30))
        found_of_30.append(np.sum(places < 30))
    assert np.mean(wrong) < 0.06
    assert np.mean(found_of_30) > 28


def test_numbers_are_the_obvious_ones() -> None:
    rng = np.random.default_rng(2)
    before, after = rng.normal(size=(6, 120)), rng.normal(size=(9, 120))
    found = churn(side_of(before, MEAN), side_of(after, MEAN), TERMS)
    old, new = before.mean(axis=0), after.mean(axis=0)
    assert found["rms_change"] == pytest.approx(np.sqrt(np.mean((new - old) ** 2)))
    assert found["mean_change"] == pytest.approx(np.mean(new - old))
    luck = before.var(axis=0, ddof=1) / 6 + after.var(axis=0, ddof=1) / 9
    assert found["luck_rms"] == pytest.approx(np.sqrt(luck.mean()))
    assert found["flips"]["molecules"] == np.sum((old >= 0.5) != (new >= 0.5))
    best = {*np.argsort(old)[-6:].tolist()} & {*np.argsort(new)[-6:].tolist()}
    assert (found["top"]["molecules"], found["top"]["stayed"]) == (6, len(best))
    order = np.argsort(-np.abs(new - old))[:10]
    assert [one["place"] for one in found["moved_most"]] == order.tolist()
    assert [one["change"] for one in found["moved_most"]] == pytest.approx((new - old)[order].tolist())


def test_expected_flips_and_best_ones_are_those_of_two_trainings() -> None:
    rng = np.random.default_rng(3)
    stated, seen = [], []
    for _ in range(200):
        true, root = rng.normal(size=100), 0.2 * rng.normal(size=(5, 100))
        found = compared(*(side_of(training(rng, true, root), MEAN) for _ in range(2)))
        stated.append((found["flips"]["by_luck"], found["top"]["by_luck"]))
        seen.append((found["flips"]["molecules"], found["top"]["stayed"]))
    assert np.mean(stated, axis=0) == pytest.approx(np.mean(seen, axis=0), rel=0.15)


@pytest.mark.parametrize("how", [Combining("median"), Combining("trimmed")], ids=["median", "trimmed"])
def test_the_luck_of_other_averages_is_their_own(how: Combining) -> None:
    rng = np.random.default_rng(4)
    true, root = rng.normal(size=80), 0.1 * rng.normal(size=(10, 80))
    found = [compared(*(side_of(training(rng, true, root), how) for _ in range(2))) for _ in range(150)]
    assert np.mean([one["luck_rms"] ** 2 for one in found]) == pytest.approx(
        np.mean([one["rms_change"] ** 2 for one in found]), rel=0.1
    )


def test_the_same_model_has_not_changed() -> None:
    replicates = np.random.default_rng(5).normal(size=(8, 100))
    found = churn(side_of(replicates, MEAN), side_of(replicates, MEAN), TERMS)
    assert found["rms_change"] == found["beyond"]["molecules"] == found["flips"]["molecules"] == 0
    assert found["top"]["stayed"] == found["top"]["molecules"]


def test_without_spread_any_change_is_beyond_luck() -> None:
    flat = np.ones((4, 50))
    found = churn(side_of(flat, MEAN), side_of(flat + 0.1, MEAN), TERMS)
    assert found["beyond"]["molecules"] == 50
    assert churn(side_of(flat, MEAN), side_of(flat, MEAN), TERMS)["beyond"]["molecules"] == 0


def test_without_molecules_it_says_so() -> None:
    none = side_of(np.ones((4, 0)), MEAN)
    found = churn(none, none, TERMS)
    assert churn_sentences(found, "logS", "regression") == [
        "logS: there is no molecule on which both models can be compared."
    ]


def test_the_sentences_have_unit_flips_and_best_ones() -> None:
    rng = np.random.default_rng(6)
    before, after = rng.normal(size=(6, 120)), 3 + rng.normal(size=(6, 120))
    wanted = ChurnTerms("regression", "mg", Cut(low=0.5), EndpointParams(want="low"))
    said = " ".join(
        churn_sentences(churn(side_of(before, MEAN), side_of(after, MEAN), wanted), "logS", "regression")
    )
    assert "logS: predictions of 120 molecules changed by 3" in said and " mg (root mean square)" in said
    assert "moved beyond luck" in said and "of the 6 lowest predictions (5 %)" in said
