"""Stage draws, as DVC runs it: replicates on other draws of the training molecules, with plain processes."""

from manywalks.replicates.draw_loop import train_draws
from manywalks.replicates.packs import pack_processes, side_by_side
from manywalks.runtime import progress
from manywalks.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write models/draws."""
    processes = pack_processes(workspace)
    with progress.telling("draws") as tell:
        train_draws(workspace, side_by_side(workspace, processes), processes=processes, tell=tell)
