"""Engine for accelerators: any Keras model, all replicates of a pack in one program, Keras on JAX.

One small network leaves an accelerator idle, so m replicates train side by side. The process that does it is
the only one that runs Keras on JAX. On a processor the same programs are right, and slower than the others.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.util import find_spec

from manywalks.train import child
from manywalks.train.jax_engine.device import accelerators
from manywalks.train.problem import Problem, Progress, Replicate

WORKER = "manywalks.train.jax_engine.worker"
# Memory is taken as it is needed: another process may use the device as well.
ENVIRONMENT = {"KERAS_BACKEND": "jax", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
# Seconds that JAX takes to start and to compile; less work than that is done sooner elsewhere.
START_SECONDS = 15.0
# Of one core, with the engines for processors (benchmarks/engine.py).
FLOPS_OF_A_CORE = 2e10


def supports(problem: Problem) -> bool:
    """Every network that is a Keras model, where JAX is installed."""
    return find_spec("jax") is not None


def is_worth_it(problem: Problem, cores: int) -> bool:
    """Whether there is an accelerator, and enough to do that it ends sooner than `cores` cores."""
    return processor_seconds(problem, cores) > START_SECONDS and bool(accelerators())


def processor_seconds(problem: Problem, cores: int) -> float:
    """About how long the smallest ensemble (8 replicates) would take here without an accelerator."""
    widths = [problem.features.width, *problem.network.widths, problem.n_endpoints]
    weights = sum(a * b for a, b in zip(widths, widths[1:], strict=False))
    if problem.network.builder is not None:
        # nobody knows what it holds; the engine for any Keras model is slower besides
        weights = max(weights, 10**6)
    steps = problem.steps_per_epoch * problem.epochs
    return 8 * 6 * weights * problem.train_params.batch_size * steps / (FLOPS_OF_A_CORE * cores)


def train_pack(
    problem: Problem,
    indices: Sequence[int],
    entropy: int,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> Iterator[Replicate]:
    """Train the replicates `indices`, as many at once as the device's memory holds; threads are JAX's own.

    Raises:
        ValueError: the network's builder was refused.
        MemoryError: one replicate does not fit into the device's memory.
        RuntimeError: the process died; the message holds the last it said.
    """
    with ExitStack() as stack:
        worker = child.start(WORKER, problem, ENVIRONMENT, stack)
        child.tell(worker, (list(indices), entropy), "the start")
        while True:
            kind, content = child.hear(worker, "work on the device")
            if kind == "refused":
                raise ValueError(content)
            if kind == "memory":
                raise MemoryError(content)
            if kind == "done":
                return
            if kind == "replicate":
                yield content
            elif progress is not None:
                progress(*content, problem.epochs)
