"""Settings of Prefect, DVC and TensorFlow that every command shares; set before they are imported."""

import os
from pathlib import Path

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
}


def apply(workspace: Path) -> None:
    """Fill in what the user has not set.

    Without a server of the user's own, the run's server keeps its database in the workspace, so that
    two runs in two workspaces never meet in one SQLite file.
    """
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" in os.environ or "PREFECT_SERVER_DATABASE_CONNECTION_URL" in os.environ:
        return
    if _profile_has_server():
        return
    database = workspace / ".manywalks" / "prefect.db"
    database.parent.mkdir(parents=True, exist_ok=True)
    os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = f"sqlite+aiosqlite:///{database}"


def _profile_has_server() -> bool:
    """Whether the user's Prefect profile names a server."""
    home = Path(os.environ.get("PREFECT_HOME", Path.home() / ".prefect"))
    profiles = home / "profiles.toml"
    return profiles.is_file() and "PREFECT_API_URL" in profiles.read_text(encoding="utf-8")
