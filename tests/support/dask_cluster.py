"""A Dask cluster of processes that share no folder with the driver."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster(NamedTuple):
    """A scheduler and its workers, each a process with a folder of its own."""

    address: str
    folder: Path
    workers: list[subprocess.Popen]

    def start_worker(self) -> None:
        """One more worker, with one thread."""
        own = self.folder / f"worker-{len(self.workers)}"
        own.mkdir()
        self.workers.append(
            start(own, "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                  "--local-directory", str(own))
        )  # fmt: skip


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    """A process of Dask's command line, in its own folder."""
    with (folder / "log.txt").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments], cwd=folder, stdout=log, stderr=log,
            env={**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "3"},
        )  # fmt: skip


@contextmanager
def started(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A scheduler and some workers below `folder`."""
    port = free_port()
    scheduler = start(folder, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    made = Cluster(f"tcp://127.0.0.1:{port}", folder, [])
    for _ in range(workers):
        made.start_worker()
    try:
        yield made
    finally:
        for process in (*made.workers, scheduler):
            process.kill()
            process.wait()
