"""The Prefect server of a run: the user's where one is set, else one of the run's own."""

import atexit
import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from manywalks.pipeline import definition
from manywalks.pipeline.prefect_database import DATABASE, SQLITE
from manywalks.pipeline.prefect_server import LOADED
from manywalks.runtime import interrupt
from manywalks.workspace import Workspace

API_URL = "PREFECT_API_URL"
# set where the run started the server at API_URL itself
OWN = "MANYWALKS_OWN_SERVER"
MODULE = "manywalks.pipeline.prefect_server"
# set before Prefect, DVC and TensorFlow are imported
DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # what goes wrong is said once, by the command line; Prefect's records keep the rest
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
}
SERVER_ONLY = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
# Reading Prefect's code takes 3 to 30 s, by the disk; what comes after takes 2 to 5 s on two busy cores.
LOAD_S, START_S = 120.0, 120.0
REACH_S = 5.0


def start(folder: Path) -> Callable[[], None]:
    """Set the environment for Prefect and see to a server, without waiting for it.

    Without a server of the user's own, one is started for this run. It keeps its database in the
    workspace, so that two runs in two workspaces never meet in one SQLite file.

    Returns:
        A function that waits until the server answers, to be called before a flow begins.

    Raises:
        ValueError: the user's server does not answer.
    """
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    url = users_server()
    if url is not None:
        _check_reached(url)
        return Waiting().stop
    _spare_proxies()
    if "?" in str(folder):
        raise ValueError(
            f"{folder}: SQLite takes no path with '?' for the database of runs; rename the folder"
        )
    state = folder / ".manywalks"
    (state / "logs").mkdir(parents=True, exist_ok=True)
    os.environ.setdefault(DATABASE, f"{SQLITE}{state / 'prefect.db'}")
    server = OwnServer(state / "logs/prefect.log", Waiting())
    os.environ[API_URL] = os.environ[OWN] = server.url
    atexit.register(server.stop)
    return server.wait


def _spare_proxies() -> None:
    """The run's own server is on this machine: its address goes through no proxy of the user's."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [host.strip() for host in os.environ.get(name, "").split(",") if host.strip()]
        own = [host for host in ("127.0.0.1", "localhost") if host not in known]
        os.environ[name] = ",".join([*known, *own])


def users_server() -> str | None:
    """The API that the user set: in the environment, or in the Prefect profile in use."""
    if API_URL in os.environ:
        return os.environ[API_URL]
    file = Path(os.environ.get("PREFECT_HOME", Path.home() / ".prefect")) / "profiles.toml"
    if not file.is_file():
        return None
    known = tomllib.loads(file.read_text(encoding="utf-8"))
    profile = os.environ.get("PREFECT_PROFILE", known.get("active"))
    return known.get("profiles", {}).get(profile, {}).get(API_URL)


def _check_reached(url: str) -> None:
    """Refuse a server that does not answer before anything starts."""
    import httpx

    try:
        # whether somebody answers, whoever it is: nothing is said to him yet
        httpx.get(f"{url.rstrip('/')}/health", timeout=REACH_S, verify=False)
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise ValueError(
            f"{API_URL}: no Prefect server answers at {url} ({error}); start it (prefect server start), or "
            f"unset {API_URL} to run without one"
        ) from None


class Waiting:
    """Says that Prefect is being started, from the first moment on: importing it takes seconds too."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        if not console.is_terminal:
            console.print("starting Prefect")
        self._status = console.status("starting Prefect")
        self._status.start()
        self._open = ExitStack()
        self._open.callback(self._status.stop)
        self._open.enter_context(interrupt.last_act(self._status.stop))
        atexit.register(self.stop)

    def say(self, seconds: float) -> None:
        """How long it has taken so far."""
        self._status.update(f"starting Prefect ({seconds:.0f} s)")

    def stop(self) -> None:
        """It is there, or will not come."""
        self._open.close()


class OwnServer:
    """A Prefect server for one run, in a session of its own."""

    def __init__(self, log: Path, waiting: Waiting) -> None:
        """Start it; what it prints goes to `log`."""
        self._log, self._waiting = log, waiting
        self._began = time.monotonic()
        with socket.socket() as bound, log.open("wb") as said:
            bound.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{bound.getsockname()[1]}/api"
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(bound.fileno())],
                env={**os.environ, **SERVER_ONLY},
                pass_fds=[bound.fileno()],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            RuntimeError: it ended, or does not answer in time; with its own last line.
        """
        try:
            loaded = None
            while not self._answers():
                seconds = time.monotonic() - self._began
                if loaded is None and LOADED in self._said():
                    loaded = seconds
                limit = LOAD_S if loaded is None else loaded + START_S
                if seconds > limit or self._process.poll() is not None:
                    raise RuntimeError(self._why(seconds))
                self._waiting.say(seconds)
                time.sleep(0.1)
        finally:
            self._waiting.stop()

    def _why(self, seconds: float) -> str:
        """Why it does not answer, in one line."""
        said = [line for line in self._said() if line not in ("", LOADED)]
        last = said[-1] if said else "it printed nothing"
        ended = self._process.poll()
        what = f"did not start within {seconds:.0f} s" if ended is None else f"ended with status {ended}"
        return (
            f"Prefect's server {what}: {last} (all of it: {self._log}); run the command again, what was "
            "finished is kept"
        )

    def _said(self) -> list[str]:
        """What it printed."""
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()

    def _answers(self) -> bool:
        """Whether it takes requests."""
        import httpx

        try:
            return httpx.get(f"{self.url}/health", timeout=REACH_S).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End it, politely at first."""
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


# how Prefect's own RuntimeError begins where a server is gone before the run has begun
UNREACHED = "Failed to reach API"


def outlast(run: Callable[[], object], root: Path) -> None:
    """Run a flow; where its server ended meanwhile, what counts is whether the outputs are complete.

    Tasks tell the server of themselves and do not ask it, so a run whose server was killed finishes its
    work and fails only when it reports its end; one whose server was gone before has not begun.

    Raises:
        RuntimeError: the server ended and something is left to do; run again, what was finished is kept.
    """
    import httpx

    try:
        run()
    except (httpx.TransportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith(UNREACHED):
            raise
        workspace = Workspace.open(root)
        stages = definition.load_stages(workspace).values()
        if not all(definition.is_current(stage, workspace) for stage in stages):
            raise RuntimeError(
                f"Prefect's server ended during the run ({error}); start it where it is your own "
                f"({API_URL}), and run again: what was finished is kept"
            ) from None
        Console(stderr=True).print(
            "Prefect's server ended during the run: its record of the run has a gap, the outputs have none.",
            style="yellow",
        )
