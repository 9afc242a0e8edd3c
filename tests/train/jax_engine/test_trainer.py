"""The engine for accelerators, on the processor: no accelerator is needed to be right."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manywalks.train.jax_engine.trainer import LEAST, MOST, pack_size
from manywalks.train.keras_engine.model import build
from manywalks.train.keras_engine.trainer import KerasTrainer
from manywalks.train.problem import Replicate
from tests.support.jax_cases import CASES, ENTROPY, GRAPH_CASES, case_problem, many_values
from tests.support.problems import small_problem

# Keras 3.15 copies TensorFlow variables in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

FIRST = next(iter(CASES))


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Replicate]]:
    """All trainings of tests/support/jax_cases.py."""
    file: Path = tmp_path_factory.mktemp("jax") / "replicates.pickle"
    subprocess.run([sys.executable, "-m", "tests.support.jax_cases", str(file)], check=True)
    return pickle.loads(file.read_bytes())


@pytest.mark.parametrize(
    "case", [name for name in (*CASES, *GRAPH_CASES) if name not in ("diverged", "own network")]
)
def test_all_steps_are_those_of_the_keras_engine(case: str, on_jax: dict[str, list[Replicate]]) -> None:
    problem = case_problem(case)
    trainer = KerasTrainer(problem, compiled=False)  # compiling would take longer
    for replicate in on_jax[case]:
        other = trainer.train(replicate.index, ENTROPY)
        assert (replicate.epochs, replicate.best_epoch) == (other.epochs, other.best_epoch)
        trainer.set_weights(replicate.weights)
        np.testing.assert_allclose(replicate.predictions, trainer.predict(problem.predict), atol=1e-5)
        for place, (ours, theirs) in enumerate(zip(replicate.weights, other.weights, strict=True)):
            # a bias before a batch normalization has no effect: its gradient is rounding error,
            # which Adam blows up, and the moving mean follows it
            if case == "batches normalized" and place < 12 and place % 6 in (1, 4):
                continue
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_early_stopping_is_each_replicates_own(on_jax: dict[str, list[Replicate]]) -> None:
    found = on_jax["early stopping"]
    assert len({replicate.epochs for replicate in found}) > 1
    assert all(replicate.best_epoch <= replicate.epochs - 2 for replicate in found if replicate.epochs < 40)


def test_replicate_in_a_pack_is_the_same_as_alone(on_jax: dict[str, list[Replicate]]) -> None:
    pack, (alone,) = {replicate.index: replicate for replicate in on_jax[FIRST]}, on_jax["alone"]
    np.testing.assert_array_equal(alone.predictions, pack[1].predictions)
    for ours, theirs in zip(alone.weights, pack[1].weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(pack[4].predictions, pack[1].predictions)


@pytest.mark.parametrize(
    ("brought_by_steps", "kept"),
    [("molecules brought", FIRST), ("graphs brought, room too small", next(iter(GRAPH_CASES)))],
)
def test_molecules_that_do_not_fit_are_brought_step_by_step(
    brought_by_steps: str, kept: str, on_jax: dict[str, list[Replicate]]
) -> None:
    for brought, held in zip(on_jax[brought_by_steps], on_jax[kept], strict=True):
        assert brought.index == held.index
        for ours, theirs in zip(brought.weights, held.weights, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_counts_of_many_values_are_as_exact_as_bytes(on_jax: dict[str, list[Replicate]]) -> None:
    (replicate,) = on_jax["many values"]
    other = KerasTrainer(many_values(), compiled=False).train(0, ENTROPY)
    np.testing.assert_allclose(replicate.predictions, other.predictions, atol=1e-4)


def test_divergence_is_reported(on_jax: dict[str, list[Replicate]]) -> None:
    for replicate in on_jax["diverged"]:
        assert replicate.diverged
        assert replicate.weights == []
        assert np.isnan(replicate.predictions).all()


def test_weights_of_an_own_network_are_in_keras_order(on_jax: dict[str, list[Replicate]]) -> None:
    problem = case_problem("own network")
    model: Any = build(problem.network, problem.features.width, problem.n_endpoints)
    first, second = on_jax["own network"]
    assert not np.array_equal(first.predictions, second.predictions)
    for replicate in (first, second):
        model.set_weights(replicate.weights)
        outputs = model.predict(problem.features.matrix()[problem.predict], verbose=0)
        np.testing.assert_allclose(replicate.predictions, outputs, atol=1e-5)


def test_small_networks_train_in_large_packs_and_large_ones_in_small() -> None:
    small, large = (pack_size(small_problem(), parameters) for parameters in (10**4, 10**7))
    assert LEAST <= large < small <= MOST
    assert all(size & (size - 1) == 0 for size in (small, large))
