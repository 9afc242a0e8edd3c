"""Another draw of the data, against simulated samples and the plain analysis of variance."""

import dataclasses

import numpy as np
import pytest

from manywalks.reproduce.data_draws import (
    DrawDesign,
    DrawTerms,
    draw_counts,
    draw_sentence,
    draw_statement,
    train_draws,
)
from tests.reproduce.test_sources import NETWORK, TRAIN, alone
from tests.support.problems import small_problem

TERMS = DrawTerms("regression", "mg", 12)


def cube(rng: np.random.Generator, draws: int, each: int, n: int, directions: int = 6) -> np.ndarray:
    """(draws, each, n) predictions: a draw moves molecules together, a replicate too, by half as much."""
    root, own = np.random.default_rng(0).normal(size=(2, directions, n)) / np.sqrt(directions)
    moved = rng.normal(size=(draws, 1, directions)) @ root
    return moved + 0.5 * rng.normal(size=(draws, each, directions)) @ own


def test_variances_are_those_of_the_draw_and_of_training() -> None:
    rng = np.random.default_rng(1)
    found = [draw_statement(cube(rng, 8, 2, 60), TERMS) for _ in range(400)]
    root, own = np.random.default_rng(0).normal(size=(2, 6, 60)) / np.sqrt(6)
    draw, within = np.mean((root**2).sum(axis=0)), 0.25 * np.mean((own**2).sum(axis=0))
    assert np.mean([one["draw_sd"] ** 2 for one in found]) == pytest.approx(draw, rel=0.05)
    assert np.mean([one["within_sd"] ** 2 for one in found]) == pytest.approx(within, rel=0.05)
    expected = 2 * (draw + within / 12)
    assert np.mean([one["difference_expected"] ** 2 for one in found]) == pytest.approx(expected, rel=0.05)
    held = [one["low"] ** 2 <= draw <= one["high"] ** 2 for one in found]
    assert np.mean(held) > 0.91


def test_the_bound_holds_for_an_ensemble_on_another_sample() -> None:
    rng = np.random.default_rng(2)
    within = []
    for _ in range(300):
        found = draw_statement(cube(rng, 8, 2, 60), TERMS)
        one, other = cube(rng, 2, 12, 60).mean(axis=1)
        within.append(np.sqrt(np.mean((one - other) ** 2)) <= found["difference_bound"])
    assert 0.93 <= np.mean(within) <= 0.995


def test_draws_that_change_nothing_have_no_part() -> None:
    rng = np.random.default_rng(3)
    found = [draw_statement(rng.normal(size=(8, 2, 60)), TERMS) for _ in range(100)]
    assert np.mean([one["draw_sd"] ** 2 for one in found]) < 0.05
    assert np.mean([one["times_retraining"] for one in found]) < 1.4


def test_whole_groups_are_drawn_and_all_draws_weigh_the_same() -> None:
    rng = np.random.default_rng(4)
    groups = np.array(["a"] * 5 + ["b"] * 2 + [f"alone {k}" for k in range(40)])
    counts = np.stack([draw_counts(groups, rng) for _ in range(500)])
    assert counts.sum(axis=1) == pytest.approx(47)
    assert (counts[:, :5] == counts[:, :1]).all() and (counts[:, 5] == counts[:, 6]).all()
    assert counts.mean(axis=0) == pytest.approx(1, abs=0.25)


def test_replicates_of_a_draw_share_its_molecules_and_nothing_else() -> None:
    problem = small_problem(NETWORK, TRAIN)
    prepared = alone(problem)
    groups = np.arange(len(problem.targets.values))
    design = DrawDesign(3, 2, 11, threads=1)
    found = train_draws([prepared], groups, design)
    assert found.shape == (3, 2, len(problem.predict), problem.n_endpoints)
    assert np.ptp(found, axis=1).min() > 0  # two replicates of a draw have streams of their own
    np.testing.assert_array_equal(found, train_draws([prepared], groups, design))
    same = np.zeros(len(groups))  # one group: every draw is all of the data
    spread = train_draws([prepared], same, design).mean(axis=1).std(axis=0)
    assert np.median(found.mean(axis=1).std(axis=0)) > 0.8 * np.median(spread)


def test_the_sentence_says_unit_and_multiple() -> None:
    found = draw_statement(cube(np.random.default_rng(5), 8, 2, 60), TERMS)
    said = draw_sentence(found, "logS", "regression")
    assert said.startswith(
        "logS: trained on another sample of as many molecules of this kind, an ensemble of 12"
    )
    assert f"{found['times_retraining']:.1f} times what retraining alone does." in said
    classes = draw_statement(
        1 / (1 + np.exp(-cube(np.random.default_rng(5), 8, 2, 60))),
        dataclasses.replace(TERMS, kind="classification"),
    )
    assert "of the molecules or more would change class." in draw_sentence(
        classes, "active", "classification"
    )
