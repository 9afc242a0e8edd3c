"""Another draw of the data, against simulated samples and the plain analysis of variance."""

import dataclasses

import numpy as np
import pytest

from manywalks.evaluate.statement.data_draws import (
    FEWEST_OF_CLASS,
    SHRINKS,
    DrawTerms,
    draw_sentence,
    draw_statement,
    not_stated,
    too_few,
)
from manywalks.params.sections.evaluate import FEWEST_TRAINED

TERMS = DrawTerms("regression", "mg", 12, within=0.25)
ROOT, OWN = np.random.default_rng(0).normal(size=(2, 6, 60)) / np.sqrt(6)
# of a draw, and of training alone: molecules move together in six directions
DRAW, WITHIN = np.mean((ROOT**2).sum(axis=0)), 0.25 * np.mean((OWN**2).sum(axis=0))


def cube(rng: np.random.Generator, pairs: int, each: int = 2, *, draw: float = 1.0) -> np.ndarray:
    """(pairs, 2, each, 60) predictions: a half moves molecules together, a replicate too, by half as much."""
    moved = draw * rng.normal(size=(pairs, 2, 1, 6)) @ ROOT
    return moved + 0.5 * rng.normal(size=(pairs, 2, each, 6)) @ OWN


def test_variances_are_those_of_the_plain_analysis_of_variance() -> None:
    """Molecule by molecule and pair by pair, with loops and the textbook's sums of squares."""
    drawn, draws = cube(np.random.default_rng(7), 5, 3), []
    for i in range(60):
        for halves in drawn[:, :, :, i].tolist():
            means = [sum(one) / 3 for one in halves]
            middle = sum(means) / 2
            inside = sum((x - mean) ** 2 for one, mean in zip(halves, means, strict=True) for x in one) / 4
            between = sum(3 * (mean - middle) ** 2 for mean in means) / 1
            draws.append((between - inside) / 3)
    found = draw_statement(drawn, TERMS)
    expected = SHRINKS * sum(draws) / len(draws)
    assert found["draw_sd"] ** 2 == pytest.approx(expected)
    assert found["difference_expected"] == pytest.approx((2 * (expected + 0.25 / 12)) ** 0.5)
    assert found["times_retraining"] == pytest.approx(((expected + 0.25 / 12) / (0.25 / 12)) ** 0.5)


def test_over_many_tables_the_variance_of_a_draw_is_found_and_within_its_interval() -> None:
    rng = np.random.default_rng(1)
    found = [draw_statement(cube(rng, 4), TERMS) for _ in range(400)]
    assert np.mean([one["draw_sd"] ** 2 for one in found]) == pytest.approx(SHRINKS * DRAW, rel=0.05)
    held = [one["low"] ** 2 <= SHRINKS * DRAW <= one["high"] ** 2 for one in found]
    assert np.mean(held) > 0.91


@pytest.mark.parametrize("pairs", [3, 4, 8])
def test_the_bound_holds_for_an_ensemble_on_another_sample(pairs: int) -> None:
    rng = np.random.default_rng(2)
    within = []
    for _ in range(300):
        found = draw_statement(cube(rng, pairs), DrawTerms("regression", "mg", 12, within=float(WITHIN)))
        one, other = cube(rng, 1, 12, draw=SHRINKS**0.5).mean(axis=2)[0]
        within.append(np.sqrt(np.mean((one - other) ** 2)) <= found["difference_bound"])
    assert 0.92 <= np.mean(within) <= 0.995


def test_draws_that_change_nothing_have_no_part() -> None:
    rng = np.random.default_rng(3)
    found = [draw_statement(cube(rng, 4, draw=0.0), TERMS) for _ in range(100)]
    assert np.mean([one["draw_sd"] ** 2 for one in found]) < 0.1 * WITHIN


def test_pairs_stand_as_far_apart_as_is_stated() -> None:
    found = draw_statement(cube(np.random.default_rng(4), 4), DrawTerms("classification", "", 12, within=0.2))
    drawn = cube(np.random.default_rng(4), 4).mean(axis=2)
    scale = found["difference_expected"] / np.sqrt(np.mean((drawn[:, 0] - drawn[:, 1]) ** 2))
    middle = drawn.mean(axis=1)
    one, other = (middle + sign * scale * (drawn[:, 0] - drawn[:, 1]) / 2 for sign in (1, -1))
    assert np.sqrt(np.mean((one - other) ** 2)) == pytest.approx(found["difference_expected"])
    assert found["flip_share"] == pytest.approx(np.mean((one >= 0.5) != (other >= 0.5)))


def test_the_sentence_says_unit_interval_and_multiple() -> None:
    found = draw_statement(np.tile(cube(np.random.default_rng(5), 8), 2), TERMS)
    said = draw_sentence(found, "logS", "regression")
    assert said.startswith(
        "logS: trained on another sample of as many molecules of this kind, an ensemble of 12"
    )
    assert f"{found['times_retraining']:.1f} times what retraining alone does." in said
    assert found["difference_low"] < found["difference_expected"] < found["difference_high"]
    assert f"95 % interval {found['difference_low']:.2g} to {found['difference_high']:.2g})" in said
    assert said.endswith("% of their top 5 % of molecules.")
    classes = draw_statement(
        1 / (1 + np.exp(-cube(np.random.default_rng(5), 8))),
        dataclasses.replace(TERMS, kind="classification"),
    )
    said = draw_sentence(classes, "active", "classification")
    assert "of the molecules would change class." in said
    assert "of their top" not in said  # of 60 molecules, 5 % are three


@pytest.mark.parametrize(
    ("kind", "trained", "says"),
    [
        ("regression", np.arange(FEWEST_TRAINED - 1.0), f"{FEWEST_TRAINED - 1} measured training molecules"),
        ("regression", np.append(np.full(500, np.nan), 1), "1 measured training molecule is too few"),
        ("classification", np.arange(400) < FEWEST_OF_CLASS - 1, f"{FEWEST_OF_CLASS - 1} training"),
    ],
)
def test_from_too_few_molecules_nothing_is_stated(kind: str, trained: np.ndarray, says: str) -> None:
    why = too_few(kind, trained.astype(np.float64))
    assert why is not None
    assert why.startswith(says)
    assert why in not_stated(why, "y")["sentence"]


def test_from_enough_molecules_it_is() -> None:
    assert too_few("regression", np.arange(float(FEWEST_TRAINED))) is None
    assert too_few("classification", (np.arange(400) < FEWEST_OF_CLASS).astype(np.float64)) is None
