"""A process that trains replicates one by one on a core: `python -m manywalks.train.jax_engine.alone FD`.

Over the pipe FD it hears its search path and the problem, and then answers as `child.answer` does.
"""

import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from manywalks.runtime.imports import without_collector
from manywalks.train import child
from manywalks.train.jax_engine.worker import start_jax
from manywalks.train.problem import Replicate

if TYPE_CHECKING:
    from manywalks.train.jax_engine.trainer import JaxTrainer


def serve(pipe: Connection) -> None:
    """Train one replicate after another until the pipe is closed."""
    sys.path[:] = pipe.recv()
    problem = pipe.recv()
    with without_collector(program=True):
        start_jax()
        from manywalks.train.jax_engine.trainer import JaxTrainer
    # side by side, the weights of several would leave the core's cache
    child.answer(pipe, lambda: _one_by_one(JaxTrainer(problem, size=1)))


def _one_by_one(trainer: "JaxTrainer") -> child.TrainOne:
    """What trains replicates with it."""

    def train(index: int, entropy: int, tell: Callable[[int], None]) -> Replicate:
        (replicate,) = trainer.train([index], entropy, lambda _, epoch: tell(epoch))
        return replicate

    return train


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as pipe_to_parent:
        serve(pipe_to_parent)
