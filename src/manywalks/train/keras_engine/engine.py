"""Engine for any Keras model: whole epochs compiled, one process a core, traced once for all its replicates.

Keras in threads is wrong (its seeds and names are global), and TensorFlow's own threads make the result
depend on their number. So each thread asked for is a process of one thread.
"""

from collections.abc import Iterator

from manywalks.train.child import train_side_by_side
from manywalks.train.problem import Pack, Problem, Replicate

WORKER = "manywalks.train.keras_engine.worker"


def supports(problem: Problem) -> bool:
    """Every network that is a Keras model: all of them."""
    return True


def train_pack(pack: Pack) -> Iterator[Replicate]:
    """Train a pack's replicates in `threads` processes; yields each as it ends.

    Raises:
        ValueError: the network's builder was refused.
        RuntimeError: a process died; the message holds the last it said.
    """
    return train_side_by_side(WORKER, {"OMP_NUM_THREADS": "1"}, pack)
