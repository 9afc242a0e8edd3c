"""What a run does when Prefect's server ends before it: the work goes on, and the end says so."""

from collections.abc import Callable
from pathlib import Path

import httpx
from rich.console import Console

from manywalks.tasks import pipeline
from manywalks.tasks.workspace import Workspace

# how Prefect's own RuntimeError begins where a server is gone before the run has begun
UNREACHED = "Failed to reach API"


def outlast(run: Callable[[], object], root: Path) -> None:
    """Run a flow; where its server ended meanwhile, what counts is whether the outputs are complete.

    Tasks tell the server of themselves and do not ask it, so a run whose server was killed finishes its
    work and fails only when it reports its end; one whose server was gone before has not begun.

    Raises:
        RuntimeError: the server ended and something is left to do; run again, what was finished is kept.
    """
    try:
        run()
    except (httpx.TransportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith(UNREACHED):
            raise
        workspace = Workspace.open(root)
        stages = pipeline.load_stages(workspace).values()
        if not all(pipeline.is_current(stage, workspace) for stage in stages):
            raise RuntimeError(
                f"Prefect's server ended or was never there ({error}); start it where it is your own "
                "(PREFECT_API_URL), and run again: what was finished is kept"
            ) from None
        Console(stderr=True).print(
            "Prefect's server ended during the run: its record of the run has a gap, the outputs have none.",
            style="yellow",
        )
