"""A process that predicts on the device: `python -m manywalks.ensemble.device.worker FD`.

Over the pipe FD it hears its search path and the path of a model.keras, then (family, features) as often as
asked, and answers ("outputs", float32 (m, n, t) in network space); or ("refused", why).
"""

import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from manywalks.features import Features
from manywalks.train.jax_engine.worker import NO_MEMORY, start_jax

# Molecules that go through all replicates at once, at first; halved where the device's memory does not do.
ROWS = 4096


def serve(pipe: Connection) -> None:
    """Predict until the pipe is closed."""
    sys.path[:] = pipe.recv()
    path: str = pipe.recv()
    start_jax()
    program = Program(Path(path))
    try:
        while True:
            family, features = pipe.recv()
            pipe.send(("outputs", program.outputs(family, features)))
    except EOFError:
        return
    except MemoryError as error:
        pipe.send(("refused", str(error)))


class Program:
    """The replicates of each family of a model.keras, compiled for blocks of one size."""

    def __init__(self, path: Path) -> None:
        import jax
        import keras

        from manywalks.ensemble.model_file.parts import family_outputs
        from manywalks.ensemble.model_file.reading import read_about

        model: Any = keras.models.load_model(path)
        parts = family_outputs(model, read_about(path)["families"])
        self._families = [keras.Model(model.inputs, part) for part in parts]
        weights = [(one.trainable_variables, one.non_trainable_variables) for one in self._families]
        self._weights = [[[v.value for v in kind] for kind in one] for one in weights]
        self._compiled = [jax.jit(_called(one)) for one in self._families]
        self._rows = [ROWS] * len(parts)

    def outputs(self, family: int, features: Features) -> np.ndarray:
        """Scaled features of n molecules -> network space (m, n, t) of one family.

        Raises:
            MemoryError: a single molecule does not fit.
        """
        while True:
            try:
                return self._blocks(family, features)
            except RuntimeError as error:
                if NO_MEMORY not in str(error):
                    raise
            if self._rows[family] == 1:
                raise MemoryError("predict: one molecule does not fit into the device's memory")
            self._rows[family] //= 2

    def _blocks(self, family: int, features: Features) -> np.ndarray:
        """Block after block, the last one filled up: a program knows one size."""
        import jax

        from manywalks.train.jax_engine.molecules import encode

        size, found = self._rows[family], []
        for start in range(0, max(1, len(features)), size):
            rows = np.arange(start, min(start + size, len(features)))
            filled = np.concatenate([rows, np.zeros(size - len(rows), np.int64)])
            block = encode(features.take(filled if len(features) else rows))
            z = self._compiled[family](*self._weights[family], jax.device_put(block))
            found.append(np.asarray(z)[: len(rows)])
        return np.ascontiguousarray(np.concatenate(found).swapaxes(0, 1))


def _called(model: Any) -> Any:
    """A pure function of weights and encoded molecules (b,): network space (b, m, t)."""

    def outputs(trained: list[Any], other: list[Any], molecules: Any) -> Any:
        import jax.numpy as jnp

        from manywalks.train.jax_engine.molecules import decode

        x = decode(molecules, jnp.arange(molecules.codes.shape[0]))
        return model.stateless_call(trained, other, x, training=False)[0]

    return outputs


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as pipe_to_parent:
        serve(pipe_to_parent)
