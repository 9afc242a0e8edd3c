"""One process at a time for each step of a workspace; and what a killed one left behind."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from manywalks.workspace import Workspace

WAIT_S = 5.0


@contextmanager
def single_process(workspace: Workspace, step: str) -> Iterator[None]:
    """Be the only process that runs this step here.

    The flow and DVC each hold a lock over a whole run; this one holds where a killed `dvc repro` left
    its step running, or where a step is started by hand.

    Raises:
        ValueError: another process runs it; the line says which.
    """
    workspace.state.mkdir(parents=True, exist_ok=True)
    holder = workspace.state / f"step-{step}"
    try:
        with FileLock(f"{holder}.lock", timeout=WAIT_S):
            holder.write_text(str(os.getpid()), encoding="utf-8")
            yield
    except Timeout:
        raise ValueError(
            f"{workspace.root}: {step} still runs here in process {_said(holder)}; "
            "wait until it ends, or end it"
        ) from None


def remove_leftovers(workspace: Workspace) -> list[Path]:
    """Remove half-written files of killed processes; only the process that holds the workspace may."""
    found = [
        path
        for folder in (workspace.root / "data", workspace.root / "models", workspace.reports, workspace.state)
        for path in folder.rglob(".tmp-*")
    ]
    for path in [*found, workspace.ensemble.with_name(".ensemble")]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return found


def _said(path: Path) -> str:
    """What a file says, as far as it is there."""
    return path.read_text(encoding="utf-8") if path.is_file() else "unknown"
