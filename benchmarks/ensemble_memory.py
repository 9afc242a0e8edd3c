"""What memory the step that makes the ensemble takes, beside the weights of all replicates.

    python -m benchmarks.ensemble_memory WORKSPACE

The workspace holds trained replicates; the more of them, the clearer the ratio. The memory is the most that
the process held, less what it holds with TensorFlow loaded and nothing else.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.results import table, write_section
from manywalks import files

LOADED = "from manywalks.train.keras_engine.model import import_keras; import_keras()"
STEP = "from manywalks.tasks import ensemble; from manywalks.workspace import Workspace; "
PEAK = "; import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def peak(code: str, folder: Path) -> float:
    """MiB that a process held at most."""
    done = subprocess.run(
        [sys.executable, "-c", code + PEAK], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{folder}: {done.stderr[-2000:]}")
    return int(done.stdout.split()[-1]) / 1024


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    folder = parser.parse_args().workspace.resolve()
    step = STEP + f"ensemble.run(Workspace.open(__import__('pathlib').Path({str(folder)!r})))"
    own = peak(step, folder) - peak(LOADED, folder)
    weights = (folder / "models/ensemble/model.keras").stat().st_size / 2**20
    replicates = files.read_json(folder / "models/ensemble/manifest.json")["replicates"]
    text = (
        "## Memory of the step that makes the ensemble\n\n`python -m benchmarks.ensemble_memory`: what the "
        "process held at most, less TensorFlow itself.\n\n"
        + table(
            ["replicates", "their weights, MiB", "memory, MiB", "memory / weights"],
            [[str(replicates), f"{weights:,.0f}", f"{own:,.0f}", f"{own / weights:.1f}"]],
        )
    )
    print(text)
    write_section("ensemble-memory", text)


if __name__ == "__main__":
    main()
