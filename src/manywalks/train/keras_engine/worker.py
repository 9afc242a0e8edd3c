"""A process that trains replicates in one thread: `python -m manywalks.train.keras_engine.worker FD`.

Over the pipe FD it hears its search path and the problem, and then answers as `child.answer` does.
"""

import sys
from multiprocessing.connection import Connection

from manywalks.runtime.imports import without_collector
from manywalks.train import child


def serve(pipe: Connection) -> None:
    """Train one replicate after another until the pipe is closed."""
    sys.path[:] = pipe.recv()
    problem = pipe.recv()
    with without_collector(program=True):
        from manywalks.train.keras_engine.model import import_keras
        from manywalks.train.keras_engine.trainer import KerasTrainer

        import_keras()
    one_thread()
    child.answer(pipe, lambda: KerasTrainer(problem).train)


def one_thread() -> None:
    """Let TensorFlow use one thread; to be said before its first operation."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as pipe_to_parent:
        serve(pipe_to_parent)
