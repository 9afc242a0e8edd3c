"""Trainings on JAX for the engine's tests, all in one process: `python -m tests.support.jax_cases FILE`.

Keras runs on one backend in a process, and the tests' own runs on TensorFlow.
"""

import os
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from manywalks.features import Features
from manywalks.train.problem import Problem, Replicate
from manywalks.train.streams import streams
from tests.support.graph_problems import graph_problem
from tests.support.problems import small_problem

ENTROPY = 3
EVEN = {"batch_size": 25}
NORMALIZED = {"normalization": "layer", "activation": "gelu", "dropout": 0.3}
# name: network, train, the rest of `small_problem`, replicates
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[int]]] = {
    "classes, censored, layers normalized, dropout": (
        NORMALIZED,
        {"loss": "huber", "l2": 0.01, "warmup": 0.3},
        {"classes": (False, True), "censored": True},
        [4, 1, 2],
    ),
    "squared loss, adam, constant rate": (
        {"activation": "relu", "dropout": 0.2},
        {"loss": "mse", "optimizer": "adam", "schedule": "constant"},
        {},
        [4, 1],
    ),
    "classes alone": ({}, {}, {"classes": (True, True)}, [0]),
    "batches normalized": ({"normalization": "batch"}, {}, {}, [4, 1]),
    "early stopping": (
        {},
        {**EVEN, "epochs": 40, "early_stopping": 2, "learning_rate": 0.03},
        {},
        [0, 1, 2, 3],
    ),
    "diverged": ({"activation": "relu"}, {"learning_rate": 1e30, "optimizer": "adam"}, {}, [0, 1]),
    "own network": ({"builder": "tests.support.jax_cases:own_network"}, {**EVEN, "epochs": 2}, {}, [0, 1]),
}
# the same of networks on graphs: network, train, the rest of `graph_problem`, replicates
GRAPH_CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[int]]] = {
    "relations, dropout": (
        {"builder": "relational"},
        {"l2": 0.01, "loss": "huber", "warmup": 0.3},
        {},
        [4, 1, 2],
    ),
    "relations alone, not normalized, early stopping": (
        {"builder": "relational", "normalization": "none", "readout": "sum", "dropout": 0, "widths": (8, 8)},
        {"epochs": 8, "early_stopping": 2, "learning_rate": 0.03},
        {"beside": False},
        [0, 3],
    ),
    "bonds, dropout": ({"builder": "dmpnn"}, {}, {}, [1]),
}


def case_problem(name: str) -> Problem:
    """The problem of a case."""
    if name in GRAPH_CASES:
        network, train, more, _ = GRAPH_CASES[name]
        return graph_problem(network, train, **more)
    network, train, more, _ = CASES[name]
    return small_problem(network, train, **more)


def many_values() -> Problem:
    """A problem whose counts take more values than a byte can name."""
    given = small_problem()
    counts = sparse.csr_matrix(given.features.counts)
    counts.data = np.linspace(0.1, 2, counts.nnz).astype(np.float32)
    features = Features(counts, given.features.dense, given.features.names)
    return Problem(**{**given.__dict__, "features": features})


def own_network(n_features: int, n_endpoints: int) -> Any:
    """A network that params.yaml cannot describe: batch normalization, and two ways that meet."""
    import keras

    inputs = keras.Input((n_features,))
    first = keras.layers.BatchNormalization()(keras.layers.Dense(8, activation="tanh")(inputs))
    second = keras.layers.Dense(8, kernel_regularizer="l2")(inputs)
    both = keras.layers.Dropout(0.2)(keras.ops.concatenate([first, second], axis=1))
    return keras.Model(inputs, keras.layers.Dense(n_endpoints)(both))


def precisions_of_predictions() -> list[str]:
    """Of all products in the program that predicts, where training may round its own."""
    import jax

    from manywalks.train.jax_engine.trainer import JaxTrainer

    problem = case_problem(next(iter(CASES)))
    with jax.default_matmul_precision("tensorfloat32"):
        trainer = JaxTrainer(problem, size=2)
        state = trainer._fresh([streams(ENTROPY, k) for k in range(2)])
        molecules, here = trainer._molecules.of(problem.predict)
        program = trainer._programs.predict.lower(state.weights, state.other, molecules, here).as_text()
    return re.findall(r"dot_general.*precision = \[(\w+), \w+\]", program)


def trained() -> dict[str, list[Replicate]]:
    """Every case, and the first one again in other ways."""
    from manywalks.train.jax_engine.trainer import JaxTrainer

    found: dict[str, list[Replicate]] = {}
    for name, (*_, indices) in {**CASES, **GRAPH_CASES}.items():
        found[name] = JaxTrainer(case_problem(name), size=4).train(indices, ENTROPY)
    assert set(precisions_of_predictions()) == {"HIGHEST"}
    first = next(iter(CASES))
    trainer = JaxTrainer(case_problem(first), size=4)
    found["alone"] = trainer.train([1], ENTROPY)
    found["molecules brought"] = brought(trainer, [4, 1, 2])
    found["many values"] = JaxTrainer(many_values(), size=1).train([0], ENTROPY)
    name, (*_, indices) = next(iter(GRAPH_CASES.items()))
    trainer = JaxTrainer(case_problem(name), size=4)
    rooms: Any = trainer._molecules._rooms
    for room in (rooms.atoms, *rooms.more):
        room.held[trainer._batch] = np.arange(8, dtype=np.int32)
    found["graphs brought, room too small"] = brought(trainer, indices)
    return found


def brought(trainer: Any, indices: list[int]) -> list[Replicate]:
    """Trained with so few bytes for molecules that each step brings its own."""
    import jax

    molecules = trainer._molecules
    molecules._budget, molecules.resident = 1000, False
    molecules._held = jax.tree.map(np.asarray, molecules._held)
    return trainer.train(indices, ENTROPY)


if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "jax"
    from manywalks.train.jax_engine.worker import start_jax

    start_jax()
    Path(sys.argv[1]).write_bytes(pickle.dumps(trained()))
