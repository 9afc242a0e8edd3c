"""A process that trains packs on the device: `python -m manywalks.train.jax_engine.worker FD`.

Over the pipe FD it hears its search path and the problem, then (indices, entropy), and answers ("epoch",
(replicate, number)), ("replicate", it) and ("done", None); or once ("refused", why) or ("memory", why).
"""

import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

from manywalks.train.problem import Problem, Replicate

NO_MEMORY = "RESOURCE_EXHAUSTED"


def serve(pipe: Connection) -> None:
    """Train one pack after another until the pipe is closed."""
    sys.path[:] = pipe.recv()
    problem: Problem = pipe.recv()
    start_jax()
    try:
        while True:
            indices, entropy = pipe.recv()
            for replicate in train_in_packs(problem, indices, entropy, pipe):
                pipe.send(("replicate", replicate))
            pipe.send(("done", None))
    except EOFError:
        return
    except ValueError as error:  # the builder is refused
        pipe.send(("refused", str(error)))
    except MemoryError as error:
        pipe.send(("memory", str(error)))


def start_jax() -> None:
    """JAX with full float32 products, and programs that are kept for the next process."""
    import jax

    # "tensorfloat32" would be the default on an NVIDIA device: 10 bits of the 23
    jax.config.update("jax_default_matmul_precision", "highest")
    from manywalks.train.jax_engine.kept_programs import folder

    jax.config.update("jax_compilation_cache_dir", str(folder()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


def train_in_packs(
    problem: Problem, indices: Sequence[int], entropy: int, pipe: Connection
) -> Iterator[Replicate]:
    """Pack after pack; in halves where the device's memory does not suffice.

    Raises:
        MemoryError: a single replicate does not fit.
    """
    from manywalks.train.jax_engine.trainer import JaxTrainer

    waiting, size = list(indices), None
    trainer = JaxTrainer(problem)
    while waiting:
        try:
            pack = trainer.train(
                waiting[: trainer.size], entropy, lambda *heard: pipe.send(("epoch", heard))
            )
        except RuntimeError as error:
            if NO_MEMORY not in str(error):
                raise
            size = trainer.size // 2
        else:
            yield from pack
            del waiting[: trainer.size]
            continue
        if not size:
            raise MemoryError("train: one replicate does not fit into the device's memory")
        del trainer
        trainer = JaxTrainer(problem, size)


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as pipe_to_parent:
        serve(pipe_to_parent)
