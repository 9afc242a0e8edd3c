"""The weights that a replicate of any Keras model starts from."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from manywalks.train.keras_engine.model import build
from manywalks.train.problem import Problem
from manywalks.train.streams import Streams, nudge
from manywalks.train.weights import initial_weights


def fresh_weights(problem: Problem, own: Streams) -> list[np.ndarray]:
    """Fresh weights from the replicate's stream, in the order of `get_weights()`."""
    sizes = problem.features.width, problem.n_endpoints
    if problem.network.builder is None:
        return nudge(initial_weights(problem.network, *sizes, own.weights), own)
    with python_random(own.weights):
        return nudge(build(problem.network, *sizes).get_weights(), own)


@contextmanager
def python_random(rng: np.random.Generator) -> Iterator[None]:
    """Python's own random seeded from `rng` within the block, and as it was after it.

    Keras's initializers without a seed draw theirs from there: so a builder's model starts from the stream
    as if it had been built afresh, whatever its layers and initializers are.
    """
    state = random.getstate()
    random.seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        random.setstate(state)
