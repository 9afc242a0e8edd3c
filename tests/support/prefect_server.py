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
from pathlib import Path

from manywalks.pipeline import prefect_database


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
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        home = self._home = tempfile.mkdtemp(prefix="manywalks-prefect-")
        if prefect_database.kept().is_file():
            prefect_database.copy_kept(Path(home, "prefect.db"))
        program = str(Path(sys.executable).with_name("prefect"))
        self._url = f"http://127.0.0.1:{port}/api"
        # the pages ask the API at this address, 4200 unless told
        quiet = {"PREFECT_HOME": home, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1",
                 "PREFECT_SERVER_UI_API_URL": self._url}  # fmt: skip
        self._process = subprocess.Popen(
            [program, "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **quiet}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
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
            self._process = None
            shutil.rmtree(self._home, ignore_errors=True)


server = Server()
