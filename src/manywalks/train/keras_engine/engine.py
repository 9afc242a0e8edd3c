"""Engine for any Keras model: whole epochs compiled, one process a core, traced once for all its replicates.

Keras in threads is wrong (its seeds and names are global), and TensorFlow's own threads make the result
depend on their number. So each thread asked for is a process of one thread.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait

from manywalks.train import child
from manywalks.train.child import Child
from manywalks.train.problem import Problem, Progress, Replicate

WORKER = "manywalks.train.keras_engine.worker"


def supports(problem: Problem) -> bool:
    """Every network that is a Keras model: all of them."""
    return True


def train_pack(
    problem: Problem,
    indices: Sequence[int],
    entropy: int,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> Iterator[Replicate]:
    """Train the replicates `indices` in `threads` processes; yields each as it ends.

    Raises:
        ValueError: the network's builder was refused.
        RuntimeError: a process died; the message holds the last it said.
    """
    waiting = list(reversed(indices))
    with ExitStack() as stack:
        working: dict[Connection, tuple[Child, int]] = {}
        for _ in range(min(threads, len(waiting))):
            started = child.start(WORKER, problem, {"OMP_NUM_THREADS": "1"}, stack)
            working[started.pipe] = (started, _give(started, waiting.pop(), entropy))
        while working:
            for ready in wait(list(working)):
                one, index = working[ready]  # pyright: ignore[reportArgumentType]
                kind, content = child.hear(one, f"replicate {index}")
                if kind == "refused":
                    raise ValueError(content)
                if kind == "epoch":
                    if progress is not None:
                        progress(index, content, problem.epochs)
                    continue
                del working[one.pipe]
                if waiting:
                    working[one.pipe] = (one, _give(one, waiting.pop(), entropy))
                yield content


def _give(one: Child, index: int, entropy: int) -> int:
    """Let a process train replicate `index`."""
    child.tell(one, (index, entropy), f"replicate {index}")
    return index
