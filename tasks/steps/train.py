"""Stage train, as DVC runs it: the same loop as the flow's, with plain processes."""

import os
from concurrent.futures import ThreadPoolExecutor

from manywalks.tasks import progress
from manywalks.tasks.child import run_step
from manywalks.tasks.training import Tally, train_until_enough
from manywalks.tasks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write models/replicates."""
    limits = workspace.params.orchestrate
    processes = limits.cores or os.cpu_count() or 1

    def run_packs(key: str, packs: list[list[int]], tally: Tally) -> None:
        def run_pack(number: int) -> None:
            arguments = ["pack", key, ",".join(map(str, packs[number]))]
            run_step(
                arguments,
                folder=workspace.root,
                time_limit=limits.time_limit,
                tell=tally.of(number),
                threads=1,
            )

        with ThreadPoolExecutor(processes) as pool:
            list(pool.map(run_pack, range(len(packs))))

    with progress.telling("train") as tell:
        train_until_enough(workspace, run_packs, processes=processes, tell=tell)
