"""A process that trains packs on the device: `python -m manywalks.train.jax_engine.worker FD`.

Over the pipe FD it hears its search path and the problem, then (indices, spare ones, entropy), and answers
("epoch", (replicate, number)), ("replicate", it) and ("done", None); or once ("refused", why) or
("memory", why).
"""

import os
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

from manywalks.train.jax_engine.device import DEVICE
from manywalks.train.jax_engine.engine import PRECISION
from manywalks.train.problem import Problem, Replicate

NO_MEMORY = "RESOURCE_EXHAUSTED"


def serve(pipe: Connection) -> None:
    """Train one pack after another until the pipe is closed."""
    sys.path[:] = pipe.recv()
    problem: Problem = pipe.recv()
    start_jax()
    try:
        while True:
            indices, spare, entropy = pipe.recv()
            for replicate in train_in_packs(problem, [indices, spare], entropy, pipe):
                pipe.send(("replicate", replicate))
            pipe.send(("done", None))
    except EOFError:
        return
    except ValueError as error:  # the builder is refused
        pipe.send(("refused", str(error)))
    except MemoryError as error:
        pipe.send(("memory", str(error)))


def start_jax(precision: str = PRECISION) -> None:
    """JAX with products of this precision, and programs that are kept for the next process."""
    import jax

    jax.config.update("jax_default_matmul_precision", precision)
    jax.config.update("jax_default_device", jax.devices()[int(os.environ.get(DEVICE, "0"))])
    from manywalks.train.jax_engine.kept_programs import keep_programs

    keep_programs()


def train_in_packs(
    problem: Problem, asked: Sequence[Sequence[int]], entropy: int, pipe: Connection
) -> Iterator[Replicate]:
    """Pack after pack, the last one filled with spare ones; in halves where memory does not suffice.

    Args:
        problem: what is trained.
        asked: the replicates to train, and those that may fill a pack.
        entropy: what their streams are spawned from.
        pipe: where each epoch is told.

    Raises:
        MemoryError: a single replicate does not fit.
    """
    from manywalks.train.jax_engine.trainer import JaxTrainer

    waiting, spare = (list(part) for part in asked)
    trainer = JaxTrainer(problem)
    while waiting:
        pack = waiting[: trainer.size]
        pack += spare[: trainer.size - len(pack)]
        try:
            trained = trainer.train(pack, entropy, lambda *heard: pipe.send(("epoch", heard)))
        except RuntimeError as error:
            if NO_MEMORY not in str(error):
                raise
            size = trainer.size // 2
        else:
            yield from trained
            del waiting[: trainer.size]
            continue
        if not size:
            raise MemoryError("train: one replicate does not fit into the device's memory")
        del trainer
        trainer = JaxTrainer(problem, size)


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as pipe_to_parent:
        serve(pipe_to_parent)
