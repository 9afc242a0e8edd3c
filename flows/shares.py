"""What trains shares of a comparison or a search: processes of this machine, or a Dask cluster's workers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from prefect.futures import wait

from manywalks.compare.design import Share
from manywalks.compare.kept_process import KeptProcesses
from manywalks.pipeline.stages import CONNECT_S, bound
from manywalks.replicates.tally import Tally
from manywalks.runtime.progress import Tell
from manywalks.runtime.resources import NO_DASK, cores_of
from manywalks.runtime.step_process import run_step
from manywalks.workspace import Workspace

# threads that wait for a cluster's workers cost little; on this machine, one a core is enough
MOST_WAITING = 1000


class Trainer(NamedTuple):
    """What trains shares.

    Attributes:
        train: one share in a process of its own, on one core, its progress told.
        train_next: a small share, in a process that has trained others before where that saves time.
        processes: how many of them side by side.
    """

    train: Callable[[Share, Tell], None]
    train_next: Callable[[Share], None]
    processes: int


@contextmanager
def trainer(workspace: Workspace) -> Iterator[Trainer]:
    """By orchestrate.runner: this machine's cores, or a cluster."""
    if workspace.params.orchestrate.runner == "dask":
        try:
            from manywalks.compare.dask_shares import Cluster
        except ImportError:
            raise ValueError(NO_DASK) from None
        cluster = Cluster(workspace, CONNECT_S)
        try:
            yield Trainer(cluster.train, lambda share: cluster.train(share, _untold), cluster.processes)
        finally:
            cluster.close()
        return
    kept, limit = KeptProcesses(workspace.root), workspace.params.orchestrate.time_limit
    try:
        yield Trainer(
            partial(_train_here, workspace),
            lambda share: kept.run(share.arguments, limit),
            cores_of(workspace),
        )
    finally:
        kept.end()


def most_threads(workspace: Workspace) -> int:
    """Threads of a flow that trains shares."""
    return cores_of(workspace) if workspace.params.orchestrate.runner == "local" else MOST_WAITING


def _train_here(workspace: Workspace, share: Share, tell: Tell) -> None:
    """Train one share in a process of its own, on one core."""
    limit = workspace.params.orchestrate.time_limit
    run_step(share.arguments, folder=workspace.root, time_limit=limit, tell=tell, threads=1)


def _untold(*_: object) -> None:
    """Nobody follows so small a share."""


def train_share(by: Trainer, share: Share, tell: Tell) -> None:
    """Train one share."""
    by.train(share, tell)


# what was kept before a failure is not trained again
share_task = bound(
    train_share, name="train replicates", task_run_name="train replicates of {share.numbers}", retries=2
)


def train_shares(by: Trainer, shares: Sequence[Share], tally: Tally) -> None:
    """Train shares side by side; the first failure is raised when all have ended."""
    futures = [share_task.submit(by, share, tally.of(n)) for n, share in enumerate(shares)]
    wait(futures)
    for future in futures:
        future.result()
