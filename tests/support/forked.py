"""Commands as forks of a process that has imported the package: seconds less for each, and many are run.

A fork is a process like any other: it has its own environment, folder, output and status, and what it starts
(steps, packs, workers) starts as ever.
"""

import atexit
import gc
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "manywalks.cli.main",
        "manywalks.flows.train",
        "manywalks.flows.compare",
        "manywalks.predict.predict",
        "prefect.server.api.server",
        "uvicorn",
        "tests.support.forked",
    ]
)


def fork_command(
    arguments: list[str], cwd: Path | None, environment: dict[str, str], timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """Run the command line with these arguments, and wait for it."""
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder, name) for name in ("stdout", "stderr")]
        process = CONTEXT.Process(
            target=_command, args=(arguments, str(cwd or Path.cwd()), environment, said)
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["manywalks", *arguments], timeout)
        texts = [one.read_text(encoding="utf-8") if one.exists() else "" for one in said]
        return subprocess.CompletedProcess(["manywalks", *arguments], process.exitcode, *texts)


def redirect(*files: Path | str) -> None:
    """In the fork: what goes to standard output and standard error goes to these files."""
    for stream, file in enumerate(files, start=1):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, stream)
        os.close(handle)


def _command(arguments: list[str], cwd: str, environment: dict[str, str], said: list[Path]) -> None:
    """In the fork: the command line, as its program calls it."""
    from prefect.context import refresh_global_settings_context

    from manywalks.cli import main
    from manywalks.pipeline.server import DEFAULTS

    gc.freeze()  # what was imported ahead stays
    redirect(*said)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update({**DEFAULTS, **environment})
    # the program sets these before it imports Prefect
    refresh_global_settings_context()
    sys.argv = ["manywalks", *arguments]
    try:
        main.main()
    finally:
        # a fork leaves out what a program does at its end
        threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue]
        atexit._run_exitfuncs()
