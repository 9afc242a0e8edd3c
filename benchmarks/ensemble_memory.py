"""What memory the step that makes the ensemble takes, beside a former commit.

    python -m benchmarks.ensemble_memory WORKSPACE [--before COMMIT]

The workspace holds trained replicates of today's code; the more of them, the clearer the slope. The memory is
the most that the process held, less what it holds with TensorFlow loaded and nothing else.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.before import ROOT, source
from benchmarks.results import table, write_section

# the last commit that held all replicates' weights until the model was written
BEFORE = "0a8de08"
LOADED = "from manywalks.train.keras_engine.model import import_keras; import_keras()"
STEP = "from manywalks.tasks import ensemble; from manywalks.workspace import Workspace; "
PEAK = "; import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def peak(package: Path, code: str, folder: Path) -> float:
    """MiB that a process held at most."""
    done = subprocess.run(
        [sys.executable, "-c", code + PEAK],
        env=os.environ | {"PYTHONPATH": f"{package}{os.pathsep}{package.parent}"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{package}: {done.stderr[-2000:]}")
    return int(done.stdout.split()[-1]) / 1024


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--before", default=BEFORE)
    asked = parser.parse_args()
    folder = asked.workspace.resolve()
    step = STEP + f"ensemble.run(Workspace.open(__import__('pathlib').Path({str(folder)!r})))"
    lines = []
    with tempfile.TemporaryDirectory() as name:
        for way, package in (("before", source(Path(name), asked.before)), ("now", ROOT / "src")):
            loaded = peak(package, LOADED, folder)
            own = peak(package, step, folder) - loaded
            weights = (folder / "models/ensemble/model.keras").stat().st_size / 2**20
            lines.append([way, f"{weights:,.0f}", f"{own:,.0f}", f"{own / weights:.1f}"])
    text = (
        "## Memory of the step that makes the ensemble\n\n`python -m benchmarks.ensemble_memory`: what the "
        "process held at most, less TensorFlow itself. Before: the commit that held the weights of all "
        "replicates until the model was written.\n\n"
        + table(["", "weights of all replicates, MiB", "memory, MiB", "memory / weights"], lines)
    )
    print(text)
    write_section("ensemble-memory", text)


if __name__ == "__main__":
    main()
