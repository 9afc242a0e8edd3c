"""One Prefect server a test session, for the commands that would each start one of their own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from manywalks.pipeline.prefect_database import DATABASE, SQLITE
from manywalks.pipeline.server import DEFAULTS, MODULE, SERVER_ONLY


class Server:
    """Started when it is first asked for; `stop` ends it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._url = self._home = ""

    def url(self) -> str:
        """The API's address."""
        if self._process is None:
            self._start()
        return self._url

    def _start(self) -> None:
        self._home = tempfile.mkdtemp(prefix="manywalks-prefect-")
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            self._url = f"http://127.0.0.1:{bound.getsockname()[1]}/api"
            # as a run starts its own, without the services of schedules, which no quick test needs; and it
            # ends with this process, however that ends
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(bound.fileno())],
                env={**os.environ, **DEFAULTS, **SERVER_ONLY, DATABASE: f"{SQLITE}{self._home}/prefect.db"},
                pass_fds=[bound.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self._url}/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        raise RuntimeError("Prefect's server did not start within 300 s")

    def stop(self) -> None:
        """End the server, if it was started; its folder goes with it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None
            shutil.rmtree(self._home, ignore_errors=True)


server = Server()
