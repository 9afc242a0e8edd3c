"""Stage train, as DVC runs it: the same loop as the flow's, with plain processes."""

from manywalks.replicates.loop import train_until_enough
from manywalks.replicates.packs import pack_processes, side_by_side
from manywalks.runtime import progress
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write models/replicates."""
    processes = pack_processes(workspace)
    with progress.telling("train") as tell:
        train_until_enough(workspace, side_by_side(workspace, processes), processes=processes, tell=tell)
