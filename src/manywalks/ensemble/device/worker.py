"""A process that predicts on the device: `python -m manywalks.ensemble.device.worker FD`.

Over the pipe FD it hears its search path and the path of a model.keras, then (family, features) as often as
asked, and answers ("outputs", float32 (m, n, t) in network space); or ("refused", why).
"""

import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from manywalks.ensemble.device.graphs import GraphProgram
from manywalks.ensemble.model_file.parts import family_outputs
from manywalks.ensemble.model_file.reading import read_model
from manywalks.ensemble.stacks.graph import GraphStack
from manywalks.ensemble.stacks.stack import row_blocks
from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams
from manywalks.train.jax_engine.molecules import decode, encode
from manywalks.train.jax_engine.worker import NO_MEMORY, start_jax

# Molecules that go through all replicates at once, at first; halved where the device's memory does not do.
ROWS = 4096


def serve(pipe: Connection) -> None:
    """Predict until the pipe is closed."""
    sys.path[:] = pipe.recv()
    path: str = pipe.recv()
    # a user compares the numbers with those of a processor
    start_jax("float32")
    program = Program(Path(path))
    try:
        while True:
            family, features = pipe.recv()
            pipe.send(("outputs", program.outputs(family, features)))
    except EOFError:
        return
    except MemoryError as error:
        pipe.send(("refused", str(error)))


class Family(Protocol):
    """The replicates of one family, compiled for blocks of one size; `rows` molecules at first."""

    rows: int

    def blocks(self, features: Features, size: int) -> np.ndarray:
        """Scaled features of n molecules -> network space (m, n, t)."""
        ...


class Program:
    """The replicates of each family of a model.keras."""

    def __init__(self, path: Path) -> None:
        about, weights = read_model(path)
        networks = [NetworkParams.model_validate(family["network"]) for family in about["families"]]
        model, parts = None, [None] * len(networks)
        if not all(network.on_graph for network in networks):
            import keras

            model: Any = keras.models.load_model(path)
            parts = family_outputs(model, about["families"])
        self._families: list[Family] = [
            GraphProgram(GraphStack.from_arrays(network, weights, 1, family))
            if network.on_graph
            else KerasProgram(model, part)
            for network, family, part in zip(networks, about["families"], parts, strict=True)
        ]

    def outputs(self, family: int, features: Features) -> np.ndarray:
        """Scaled features of n molecules -> network space (m, n, t) of one family.

        Raises:
            MemoryError: a single molecule does not fit.
        """
        own = self._families[family]
        while True:
            try:
                return own.blocks(features, own.rows)
            except RuntimeError as error:
                if NO_MEMORY not in str(error):
                    raise
            if own.rows == 1:
                raise MemoryError("predict: one molecule does not fit into the device's memory")
            own.rows //= 2


class KerasProgram:
    """A part of a Keras model.

    Args:
        model: all of it.
        part: the tensor of the family's outputs.
    """

    def __init__(self, model: Any, part: Any) -> None:
        import jax
        import keras

        self.rows = ROWS
        own: Any = keras.Model(model.inputs, part)
        self._weights = [
            [v.value for v in kind] for kind in (own.trainable_variables, own.non_trainable_variables)
        ]
        self._compiled = jax.jit(_called(own))

    def blocks(self, features: Features, size: int) -> np.ndarray:
        """Block after block, the last one filled up: a program knows one size."""
        import jax

        found = []
        for rows in row_blocks(len(features), size):
            filled = np.concatenate([rows, np.zeros(size - len(rows), np.int64)])
            block = encode(features.take(filled if len(features) else rows))
            z = self._compiled(*self._weights, jax.device_put(block))
            found.append(np.asarray(z)[: len(rows)])
        return np.ascontiguousarray(np.concatenate(found).swapaxes(0, 1))


def _called(model: Any) -> Any:
    """A pure function of weights and encoded molecules (b,): network space (b, m, t)."""

    def outputs(trained: list[Any], other: list[Any], molecules: Any) -> Any:
        import jax.numpy as jnp

        x = decode(molecules, jnp.arange(molecules.codes.shape[0]))
        return model.stateless_call(trained, other, x, training=False)[0]

    return outputs


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as pipe_to_parent:
        serve(pipe_to_parent)
