"""Engine for any Keras model: whole epochs compiled, one process a core, traced once for all its replicates.

Keras in threads is wrong (its seeds and names are global), and TensorFlow's own threads make the result
depend on their number. So each thread asked for is a process of one thread.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait

from manywalks.train import child
from manywalks.train.child import Child
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
    waiting = list(reversed(pack.indices))
    with ExitStack() as stack:
        working: dict[Connection, tuple[Child, int]] = {}
        for _ in range(min(pack.threads, len(waiting))):
            started = child.start(WORKER, pack.problem, {"OMP_NUM_THREADS": "1"}, stack)
            working[started.pipe] = (started, _give(started, waiting.pop(), pack.entropy))
        while working:
            for ready in wait(list(working)):
                one, index = working[ready]  # pyright: ignore[reportArgumentType]
                kind, content = child.hear(one, f"replicate {index}")
                if kind == "refused":
                    raise ValueError(content)
                if kind == "epoch":
                    if pack.progress is not None:
                        pack.progress(index, content, pack.problem.epochs)
                    continue
                del working[one.pipe]
                if waiting:
                    working[one.pipe] = (one, _give(one, waiting.pop(), pack.entropy))
                yield content


def _give(one: Child, index: int, entropy: int) -> int:
    """Let a process train replicate `index`."""
    child.tell(one, (index, entropy), f"replicate {index}")
    return index
