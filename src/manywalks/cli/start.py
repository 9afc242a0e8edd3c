"""The program `manywalks`: what ^C does is settled before anything that takes time is imported."""

import os

from manywalks.runtime import interrupt
from manywalks.runtime.imports import without_collector
from manywalks.runtime.terminal import fill_closed_streams


def main() -> None:
    """Run the command line."""
    fill_closed_streams()
    interrupt.watch()
    # pydantic reads the metadata of every installed package for plugins, 60 ms; ours has no use for any
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with without_collector(program=True):
        from manywalks.cli.main import main as run

    run()
