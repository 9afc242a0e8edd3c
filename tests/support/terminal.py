"""A command in a real terminal: what the screen says, ^C as the keyboard sends it, what is left running."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import psutil

MARK = "MANYWALKS_TEST_TERMINAL"
# the program opens the terminal itself: so it becomes the one that ^C is for
LAUNCH = """
import os, sys
terminal = os.open(sys.argv[1], os.O_RDWR)
for stream in (0, 1, 2):
    os.dup2(terminal, stream)
os.execvp(sys.argv[2], sys.argv[2:])
"""
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """One command in a terminal of 80 columns."""

    def __init__(self, *arguments: str, cwd: Path, **environment: str) -> None:
        self._mark = uuid.uuid4().hex
        self._master, slave = pty.openpty()
        self._heard = b""
        known = {**os.environ, "COLUMNS": "80", "TERM": "xterm", MARK: self._mark, **environment}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, os.ttyname(slave), *arguments],
            cwd=cwd, env={**known, "PATH": path}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._slave = slave
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._master, 4096)
            except OSError:
                return
            if not piece:
                return
            self._heard += piece

    @property
    def screen(self) -> str:
        """All that was written, without what moves the cursor."""
        return ESCAPE.sub("", self._heard.decode(errors="replace")).replace("\r", "\n")

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Wait until the screen has shown a text."""
        deadline = time.monotonic() + seconds
        while text not in self.screen:
            assert self._process.poll() is None, f"ended before it said {text!r}:\n{self.screen}"
            assert time.monotonic() < deadline, f"no {text!r} within {seconds} s:\n{self.screen}"
            time.sleep(0.02)

    def press_ctrl_c(self) -> float:
        """^C at the keyboard; the seconds until the command had ended."""
        return self._ended_after(lambda: os.write(self._master, b"\x03"))

    def terminate(self) -> float:
        """SIGTERM to the command alone; the seconds until it had ended."""
        return self._ended_after(lambda: os.kill(self._process.pid, signal.SIGTERM))

    def _ended_after(self, act) -> float:
        began = time.monotonic()
        act()
        self.status(60)
        return time.monotonic() - began

    def status(self, seconds: float = 120) -> int:
        """The exit status, once the command has ended."""
        status = self._process.wait(timeout=seconds)
        time.sleep(0.1)  # the reader's last piece
        return status

    def left(self) -> list[list[str]]:
        """Commands that the ended one has left running."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.cmdline())
            except psutil.Error:
                continue
        return found

    def close(self) -> None:
        """End what a failed test has left, and the terminal."""
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self._mark:
                    process.kill()
            except psutil.Error:
                continue
        self._process.wait()
        os.close(self._slave)
        os.close(self._master)
