"""The weights that a replicate of any Keras model starts from."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

from manywalks.params.sections.model import NetworkParams
from manywalks.train.keras_engine.model import build
from manywalks.train.problem import Problem
from manywalks.train.streams import Streams, nudge
from manywalks.train.weights import glorot, initial_weights


def fresh_weights(problem: Problem, own: Streams) -> list[np.ndarray]:
    """Fresh weights from the replicate's stream, in the order of `get_weights()`."""
    sizes = problem.features.width, problem.n_endpoints
    if problem.network.builder is None:
        return nudge(initial_weights(problem.network, *sizes, own.weights), own)
    if problem.network.on_graph:
        begun = _begun(problem.network.model_dump_json(), *sizes)
        drawn = [glorot(one.shape, own.weights) if one.ndim > 1 else one.copy() for one in begun]
        return nudge(drawn, own)
    with python_random(own.weights):
        return nudge(build(problem.network, *sizes).get_weights(), own)


@cache
def _begun(network: str, n_features: int, n_endpoints: int) -> list[np.ndarray]:
    """What a network on graphs (as JSON) begins with; of its kernels the shapes alone are used.

    Kept, since Keras takes longer to build the model than the accelerator to train it for an epoch.
    """
    return build(NetworkParams.model_validate_json(network), n_features, n_endpoints).get_weights()


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
