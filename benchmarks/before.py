"""A former commit of the package beside the present one: its source, and a command run with either.

Both run in the same environment and in processes of their own, in turn, so that a busy machine slows both.
"""

import os
import resource
import subprocess
import sys
import tarfile
import time
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# the last commit before the descriptors were compiled
COMMIT = "144f3be~1"


class Took(NamedTuple):
    """Seconds by the clock, processor seconds of a command and its processes, and what it printed."""

    clock: float
    processor: float
    output: str


def source(folder: Path, commit: str = COMMIT) -> Path:
    """The package of a commit, unpacked in `folder`: what to put on PYTHONPATH."""
    archive = subprocess.run(
        ["git", "archive", commit, "src", "tasks", "flows", "dvc.yaml"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        raise SystemExit(f"{commit}: {archive.stderr.decode().strip()}; name another commit with --before")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return folder / "src"


def run(package: Path, arguments: list[str], *, code: str = "") -> Took:
    """The command line of a package, or Python `code`, with these arguments; fails where it fails."""
    program = code or "from manywalks.cli.start import main; main()"
    # what numba has compiled for one package is not the other's
    known = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    start, before = time.perf_counter(), _processor()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=known | {"PYTHONPATH": f"{package}{os.pathsep}{package.parent}"},
        capture_output=True,
        text=True,
        check=False,
    )
    took = Took(time.perf_counter() - start, _processor() - before, done.stdout)
    if done.returncode:
        raise SystemExit(f"{package}: {' '.join(arguments)}: {done.stderr[-2000:]}")
    return took


def _processor() -> float:
    """Processor seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
