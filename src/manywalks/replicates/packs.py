"""Run a pack of replicates in a process of its own, in smaller packs where memory does not suffice."""

import logging
from concurrent.futures import ThreadPoolExecutor

from manywalks.replicates.family_weights.opening import open_called
from manywalks.replicates.opening import open_store
from manywalks.replicates.store import saved_replicates
from manywalks.replicates.tally import RunPacks, Tally
from manywalks.runtime import progress
from manywalks.runtime.resources import cores_of, processes_of
from manywalks.runtime.steps.step_process import OutOfMemory, StepFailed, run_step
from manywalks.train.engines import choose_engine
from manywalks.train.jax_engine.device import accelerators
from manywalks.train.prepare import read_prepared
from manywalks.workspace import Workspace

logger = logging.getLogger(__name__)


def pack_processes(workspace: Workspace) -> int:
    """Packs that run side by side on this machine: one a core, or one a device where devices train."""
    devices = len(accelerators())
    if devices and any(
        choose_engine(read_prepared(workspace, family.family, family.key).problem) == "jax"
        for family in open_store(workspace).families
    ):
        return devices
    return processes_of(workspace)


def run_pack(workspace: Workspace, key: str, indices: list[int], tell: progress.Tell | None = None) -> None:
    """Train the replicates `indices` of store `key` on one core.

    Out of memory, what is left of the pack is halved, and the halves run one after the other; what was
    trained before is kept.

    Raises:
        OutOfMemory: a single replicate does not fit.
        StepFailed: killed, hung, I/O; another try may pass.
        ValueError: bad input.
    """
    waiting = [list(indices)]
    while waiting:
        part = waiting.pop(0)
        before = len(indices) - len(part) - sum(map(len, waiting))
        try:
            _run(workspace, key, part, _shifted(tell, before, len(indices)))
        except OutOfMemory as error:
            saved = saved_replicates(open_called(workspace, key))
            left = [index for index in part if index not in saved]
            if left == part and len(part) == 1:
                raise
            logger.warning("%s; %d replicates left go on in smaller packs", error, len(left))
            middle = -(-len(left) // 2)
            waiting[:0] = [half for half in (left[:middle], left[middle:]) if half]


def run_pack_with_retries(
    workspace: Workspace, key: str, indices: list[int], tell: progress.Tell | None = None
) -> None:
    """`run_pack` with `orchestrate.retries` more tries, where no orchestrator retries."""
    for tries_left in range(workspace.params.orchestrate.retries, -1, -1):
        try:
            return run_pack(workspace, key, indices, tell)
        except StepFailed as error:
            if not tries_left:
                raise
            logger.warning("%s; tried again", error)
    return None


def side_by_side(workspace: Workspace, processes: int) -> RunPacks:
    """What runs packs in so many processes at once, where no orchestrator does."""

    def run_packs(key: str, packs: list[list[int]], tally: Tally) -> None:
        def run_one(number: int) -> None:
            run_pack_with_retries(workspace, key, packs[number], tally.of(number))

        with ThreadPoolExecutor(processes) as pool:
            list(pool.map(run_one, range(len(packs))))

    return run_packs


def _run(workspace: Workspace, key: str, indices: list[int], tell: progress.Tell | None) -> None:
    """One process for these replicates."""
    run_step(
        ["pack", key, ",".join(map(str, indices))],
        folder=workspace.root,
        time_limit=workspace.params.orchestrate.time_limit,
        tell=tell,
        threads=_threads(workspace),
    )


def _threads(workspace: Workspace) -> int:
    """Threads of a pack's process: one, or its share of the cores where there is a pack a device."""
    return max(1, cores_of(workspace) // pack_processes(workspace)) if accelerators() else 1


def _shifted(tell: progress.Tell | None, before: int, total: int) -> progress.Tell | None:
    """The progress of a part, told as that of the whole pack."""
    if tell is None:
        return None
    return lambda done, _, note="": tell(before + done, total, note)
