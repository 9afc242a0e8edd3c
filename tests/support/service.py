"""A running `manywalks serve` for tests, where TensorFlow, Keras, Prefect and DVC cannot be imported."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

LEFT_OUT = ("tensorflow", "keras", "prefect", "dvc")


@dataclass
class Served:
    """A service: where it listens, its process, and what it says."""

    url: str
    process: "subprocess.Popen[str]"
    complaints: Path

    def client(self, **headers: str) -> httpx.Client:
        """A client of it."""
        return httpx.Client(base_url=self.url, timeout=60, headers=headers)


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[Served]:
    """Serve; `folder` is for what the service leaves, its output among it."""
    blocked = folder / "blocked"
    for name in LEFT_OUT:
        (blocked / name).mkdir(parents=True, exist_ok=True)
        (blocked / name / "__init__.py").write_text("raise ImportError('not needed to predict')\n")
    path = os.pathsep.join([str(blocked), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", "from manywalks.cli.start import main; main()", "serve"]
    complaints = folder / "complaints.txt"
    with complaints.open("w") as errors:
        process = subprocess.Popen(
            [*command, *arguments, "--port", "0", "--cores", "2"],
            stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = ""
        start = time.monotonic()
        while not line.startswith("http") and time.monotonic() - start < 120:
            line = process.stdout.readline()
            assert line, complaints.read_text()
        yield Served(line.strip(), process, complaints)
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()
