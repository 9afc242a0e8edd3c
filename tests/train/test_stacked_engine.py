"""The stacked engine, on the processor: no accelerator is needed to be correct."""

from typing import Any

import numpy as np
import pytest

from manywalks.train import stacked_engine
from manywalks.train.keras_engine.trainer import KerasTrainer
from manywalks.train.stacked_engine import train_pack
from tests.support.problems import small_problem

# Keras 3.15 copies TensorFlow variables in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

ENTROPY = 3
EVEN = {"batch_size": 25}
"""Divides the 150 molecules: without a short batch at the end there is half as much to compile."""


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small packs: copies in spare places take time."""
    monkeypatch.setattr(stacked_engine, "PACK_LIMIT", 5)


# what differs between KerasTrainer and Lockstep is rounding alone, so smooth activations and no dropout;
# 10 batches an epoch of 150 molecules, the last one short: 50 steps
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "classes, censored, layer normalization": (
        {"normalization": "layer", "activation": "gelu"},
        {"optimizer": "adamw", "loss": "huber", "l2": 0.01},
        {"classes": (False, True), "censored": True},
    ),
    "batch normalization": ({"normalization": "batch"}, {"optimizer": "adamw"}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_fifty_steps_are_those_of_the_keras_engine(case: str) -> None:
    network, train, more = CASES[case]
    problem = small_problem(network, train, **more)
    trainer = KerasTrainer(problem)
    for replicate in train_pack(problem, [4, 1, 2], ENTROPY):
        other = trainer.train(replicate.index, ENTROPY)
        assert replicate.epochs == other.epochs == replicate.best_epoch == 5
        trainer.set_weights(replicate.weights)
        np.testing.assert_allclose(replicate.predictions, trainer.predict(problem.predict), atol=1e-5)
        for place, (ours, theirs) in enumerate(zip(replicate.weights, other.weights, strict=True)):
            # a bias before a batch normalization has no effect: its gradient is rounding error,
            # which Adam blows up, and the moving mean follows it (late: so predictions differ, too)
            if case == "batch normalization" and place < 12 and place % 6 in (1, 4):
                continue
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_replicate_in_a_pack_is_the_same_as_alone() -> None:
    problem = small_problem(
        {"dropout": 0.3, "activation": "relu", "normalization": "batch"}, {**EVEN, "epochs": 3}
    )
    pack = {replicate.index: replicate for replicate in train_pack(problem, [5, 0, 3, 9], ENTROPY)}
    (alone,) = train_pack(problem, [3], ENTROPY)
    np.testing.assert_array_equal(alone.predictions, pack[3].predictions)
    for ours, theirs in zip(alone.weights, pack[3].weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(pack[0].predictions, pack[3].predictions)


def test_packs_are_as_large_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = small_problem(train={**EVEN, "epochs": 1})
    monkeypatch.setattr(stacked_engine, "PACK_BYTES", int(2.5 * stacked_engine.replicate_bytes(problem)))
    assert stacked_engine.pack_size(problem) == 2
    told: list[tuple[int, int, int]] = []
    found = list(train_pack(problem, range(3), ENTROPY, progress=lambda *words: told.append(words)))
    assert [replicate.index for replicate in found] == [0, 1, 2]
    assert told == [(0, 1, 1), (1, 1, 1), (2, 1, 1)]


def test_early_stopping_is_each_replicates_own() -> None:
    problem = small_problem(train={**EVEN, "epochs": 40, "early_stopping": 2, "learning_rate": 0.03})
    trainer = KerasTrainer(problem)
    found = list(train_pack(problem, [0, 1, 2, 3], ENTROPY))
    assert len({replicate.epochs for replicate in found}) > 1
    for replicate in found:
        other = trainer.train(replicate.index, ENTROPY)
        assert (replicate.epochs, replicate.best_epoch) == (other.epochs, other.best_epoch)
        np.testing.assert_allclose(replicate.predictions, other.predictions, atol=1e-3)


def test_divergence_is_reported() -> None:
    problem = small_problem({"activation": "relu"}, {**EVEN, "learning_rate": 1e30, "optimizer": "adam"})
    for replicate in train_pack(problem, [0, 1], ENTROPY):
        assert replicate.diverged
        assert replicate.weights == []
        assert np.isnan(replicate.predictions).all()
