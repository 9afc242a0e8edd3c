"""What trains shares of a comparison or a search: processes of this machine, or a Dask cluster's workers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from prefect.futures import wait

from manywalks.compare.design import Share
from manywalks.pipeline.stages import CONNECT_S, bound
from manywalks.replicates.tally import Tally
from manywalks.runtime.progress import Tell
from manywalks.runtime.resources import NO_DASK, cores_of
from manywalks.runtime.steps.kept_process import KeptProcesses
from manywalks.workspace import Workspace

# threads that wait for a cluster's workers cost little; on this machine, one a core is enough
MOST_WAITING = 1000


class Trainer(NamedTuple):
    """What trains shares.

    Attributes:
        train: one share, on one core of a process that may have trained others before; its progress is told.
        processes: how many of them side by side.
    """

    train: Callable[[Share, Tell], None]
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
            yield Trainer(cluster.train, cluster.processes)
        finally:
            cluster.close()
        return
    kept, limit = KeptProcesses(workspace.root), workspace.params.orchestrate.time_limit
    try:
        yield Trainer(lambda share, tell: kept.run(share.arguments, limit, tell), cores_of(workspace))
    finally:
        kept.end()


def most_threads(workspace: Workspace) -> int:
    """Threads of a flow that trains shares."""
    return cores_of(workspace) if workspace.params.orchestrate.runner == "local" else MOST_WAITING


def untold(*_: object) -> None:
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
