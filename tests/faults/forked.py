"""Flows and servers as forks (tests/support/forked.py): seconds less a kill, and many are wanted."""

import os
import sys
import time
import urllib.error
import urllib.request
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NamedTuple

from tests.runtime.test_dask import free_port
from tests.support.forked import CONTEXT, redirect


class Forked(NamedTuple):
    """A forked process, and the file that it writes to; begun and ended as a command is."""

    process: ForkServerProcess
    said: Path

    def kill(self) -> None:
        """SIGKILL to the process alone."""
        self.process.kill()
        self.process.join()

    def lives(self) -> bool:
        """Whether it still runs."""
        return self.process.is_alive()

    def wait(self, timeout: float) -> int:
        """Its status, once it has ended."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise TimeoutError(f"still runs after {timeout} s")
        return self.process.exitcode


def fork_flow(folder: Path, api: str) -> Forked:
    """`manywalks train` in a workspace, against the server at `api`."""
    said = folder / ".manywalks" / "said.txt"
    process = CONTEXT.Process(target=_flow, args=(str(folder), str(said), api))
    process.start()
    return Forked(process, said)


def fork_server(home: Path) -> tuple[Forked, str]:
    """A Prefect server with its database in a folder, once it answers; its API's address."""
    port = free_port()
    process = CONTEXT.Process(target=_server, args=(str(home), port), daemon=True)
    process.start()
    for _ in range(1200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5):
                return Forked(process, home / "server.txt"), f"http://127.0.0.1:{port}/api"
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("Prefect's server did not start within 120 s")


def _begin(said: str, **environment: str) -> None:
    """In the fork: its own environment and output, and Prefect's settings read again."""
    from prefect.context import refresh_global_settings_context

    redirect(said)
    os.dup2(1, 2)
    os.environ.update(environment)
    refresh_global_settings_context()


def _flow(folder: str, said: str, api: str) -> None:
    """In the fork: the command line, as its program calls it."""
    os.chdir(folder)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # a server that is killed here stays dead: asked again once, and not five times within a minute
    _begin(said, PREFECT_API_URL=api, PATH=path, PREFECT_CLIENT_MAX_RETRIES="1")
    from manywalks.cli import main

    sys.argv = ["manywalks", "train"]
    main.main()


def _server(home: str, port: int) -> None:
    """In the fork: the server, as Prefect starts it."""
    url = f"sqlite+aiosqlite:///{home}/server.db"
    _begin(f"{home}/server.txt", PREFECT_HOME=home, PREFECT_SERVER_DATABASE_CONNECTION_URL=url)
    import uvicorn

    uvicorn.run("prefect.server.api.server:create_app", factory=True, port=port, log_level="error")
