"""Stage train, as DVC runs it: the same loop as the flow's, with plain processes."""

from concurrent.futures import ThreadPoolExecutor

from manywalks.replicates.loop import Tally, train_until_enough
from manywalks.replicates.packs import pack_processes, run_pack_with_retries
from manywalks.runtime import progress
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write models/replicates."""
    processes = pack_processes(workspace)

    def run_packs(key: str, packs: list[list[int]], tally: Tally) -> None:
        def run_one(number: int) -> None:
            run_pack_with_retries(workspace, key, packs[number], tally.of(number))

        with ThreadPoolExecutor(processes) as pool:
            list(pool.map(run_one, range(len(packs))))

    with progress.telling("train") as tell:
        train_until_enough(workspace, run_packs, processes=processes, tell=tell)
