"""Steps of the pipeline in this process: no server and no TensorFlow has to start."""

import importlib
from pathlib import Path

from manywalks.workspace import Workspace


def run_steps(folder: Path, *steps: str) -> None:
    """Run steps in the order given, as `python -m manywalks.tasks` does."""
    for step in steps:
        importlib.import_module(f"manywalks.tasks.{step}").run(Workspace.open(folder))
