"""Settings of Prefect, DVC and TensorFlow that every command shares; set before they are imported."""

import os
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
from rich.console import Console

from manywalks.pipeline import definition
from manywalks.workspace import Workspace

DATABASE = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
OWNER = "MANYWALKS_OWNER"
SERVER = "prefect.server.api.server:create_app"
DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # the server that Prefect starts for one run needs 10 to 30 s where its code is not cached
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # what goes wrong is said once, by the command line; Prefect's records keep the rest
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
}


def apply(workspace: Path) -> None:
    """Fill in what the user has not set.

    Without a server of the user's own, the run's server keeps its database in the workspace, so that
    two runs in two workspaces never meet in one SQLite file.
    """
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" in os.environ or DATABASE in os.environ:
        return
    if _profile_has_server():
        return
    database = workspace / ".manywalks" / "prefect.db"
    database.parent.mkdir(parents=True, exist_ok=True)
    url = f"sqlite+aiosqlite:///{database}"
    end_orphans(url)
    os.environ[DATABASE] = url
    os.environ[OWNER] = _mark(psutil.Process())


def end_orphans(url: str) -> list[int]:
    """End servers of this database whose run was killed: they would go on, and lock the database.

    Returns their process numbers.
    """
    ended = []
    for process in psutil.process_iter(["cmdline"]):
        if SERVER not in (process.info["cmdline"] or []):
            continue
        try:
            known = process.environ()
            if known.get(DATABASE) == url and OWNER in known and not _lives(known[OWNER]):
                process.kill()
                process.wait(timeout=10)
                ended.append(process.pid)
        except psutil.Error:  # it ended meanwhile, or is another user's
            continue
    return ended


def _mark(process: psutil.Process) -> str:
    """A process beyond the reuse of its number."""
    return f"{process.pid} {process.create_time()}"


def _lives(mark: str) -> bool:
    """Whether the process of a mark still runs."""
    try:
        process = psutil.Process(int(mark.split()[0]))
        return _mark(process) == mark and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _profile_has_server() -> bool:
    """Whether the user's Prefect profile names a server."""
    home = Path(os.environ.get("PREFECT_HOME", Path.home() / ".prefect"))
    profiles = home / "profiles.toml"
    return profiles.is_file() and "PREFECT_API_URL" in profiles.read_text(encoding="utf-8")


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
        stages = definition.load_stages(workspace).values()
        if not all(definition.is_current(stage, workspace) for stage in stages):
            raise RuntimeError(
                f"Prefect's server ended or was never there ({error}); start it where it is your own "
                "(PREFECT_API_URL), and run again: what was finished is kept"
            ) from None
        Console(stderr=True).print(
            "Prefect's server ended during the run: its record of the run has a gap, the outputs have none.",
            style="yellow",
        )
