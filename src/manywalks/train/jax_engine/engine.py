"""Engine on JAX: any Keras model on accelerators, all replicates of a pack in one program; graphs anywhere.

One small network leaves an accelerator idle, so m replicates train side by side. The processes that train
are the only ones that run Keras on JAX. On a processor each replicate trains alone by the same programs: for
networks on graphs, whose empty slots they leave out, that is sooner done than by the engine on TensorFlow.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from itertools import pairwise

from manywalks.train import child
from manywalks.train.jax_engine.device import DEVICE, accelerators, one_device
from manywalks.train.problem import Pack, Problem, Replicate

WORKER, WORKER_OF_A_CORE = (f"manywalks.train.jax_engine.{name}" for name in ("worker", "alone"))
# Memory is taken as it is needed: another process may use the device as well.
ENVIRONMENT = {"KERAS_BACKEND": "jax", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
# On a processor one thread: XLA takes NPROC for the number of cores.
OF_A_CORE = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "NPROC": "1", "OMP_NUM_THREADS": "1"}
# Of matrix products, as JAX names it: factors with 10 of their 23 bits, sums in full. NVIDIA's matrix units
# are made for it, and JAX and TensorFlow take it unasked; scores are the same (benchmarks/engine_jax.py
# precision). Processors compute in full, and so do predictions everywhere.
PRECISION = "tensorfloat32"
# Replicates of the smallest ensemble; operations a weight and molecule, forward and back.
SMALLEST, FLOPS_A_WEIGHT = 8, 6
# Seconds that JAX takes to start and to compile; less work than that is done sooner elsewhere.
START_SECONDS = 15.0
# Arithmetic a second of one core, zeros counted, with the numba engine and with the one for any Keras model.
FLOPS_OF_A_CORE = 1.3e11
KERAS_FLOPS_OF_A_CORE = 2.5e10
# What a builder's network is taken to hold: nobody knows.
UNKNOWN_WEIGHTS = 10**7
# of a molecule: on graphs each uses the weights
ATOMS = 25


def supports(problem: Problem) -> bool:
    """Every network that is a Keras model: all of them."""
    return True


def is_worth_it(problem: Problem, cores: int) -> bool:
    """Whether there is an accelerator, and so much to do that it ends sooner than `cores` cores would."""
    return processor_seconds(problem, cores) > START_SECONDS and bool(accelerators())


def processor_seconds(problem: Problem, cores: int) -> float:
    """About how long the smallest ensemble (8 replicates) takes without an accelerator; not on graphs."""
    widths = [problem.features.width, *problem.network.widths, problem.n_endpoints]
    weights, speed = sum(a * b for a, b in pairwise(widths)), FLOPS_OF_A_CORE
    if problem.network.builder is not None:
        weights, speed = UNKNOWN_WEIGHTS, KERAS_FLOPS_OF_A_CORE
    molecules = len(problem.train) * problem.epochs
    return SMALLEST * FLOPS_A_WEIGHT * weights * molecules / (speed * cores)


def description() -> str:
    """What the manifest says of the engine: device, version, exactness of products."""
    found = accelerators()
    device, precision = (found[0], PRECISION) if found else ("a processor", "float32")
    return f"jax on {device} (JAX {version('jax')}, {precision} products)"


def train_pack(pack: Pack) -> Iterator[Replicate]:
    """Train a pack's replicates on the device if there is one, and else in `threads` processes.

    Raises:
        ValueError: the network's builder was refused.
        MemoryError: one replicate does not fit into the device's memory.
        RuntimeError: a process died; the message holds the last it said.
    """
    if accelerators():
        return train_on_device(pack)
    return child.train_side_by_side(WORKER_OF_A_CORE, OF_A_CORE, pack)


def train_on_device(pack: Pack) -> Iterator[Replicate]:
    """Train a pack's replicates, as many at once as the device's memory holds; threads are JAX's own.

    A pack that they do not fill costs as much as a full one: the first of its `spare` fill it up, and
    are given as well.

    Raises:
        ValueError: the network's builder was refused.
        MemoryError: one replicate does not fit into the device's memory.
        RuntimeError: the process died; the message holds the last it said.
    """
    with ExitStack() as stack:
        device = stack.enter_context(one_device())
        worker = child.start(WORKER, pack.problem, {**ENVIRONMENT, DEVICE: str(device)}, stack)
        child.tell(worker, (list(pack.indices), list(pack.spare), pack.entropy), "the start")
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
            elif pack.progress is not None:
                index, epoch = content
                pack.progress(index, epoch, pack.problem.epochs)
