"""What memory `manywalks predict` takes, by the rows that it has done: it does not grow with their number.

    python -m benchmarks.predict_memory MODEL TABLE

What was computed for the last 32 chunks is remembered, so memory grows until so many rows are done, and not
beyond. Here with the smallest chunks, of 256 rows: 8,192 rows are remembered (131,072 otherwise).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.before import ROOT
from benchmarks.results import table, write_section

CODE = """
import sys
from manywalks.cli.start import main
from manywalks.predict import predict
predict.CHUNK = 256
main()
"""
CHUNK = 256
LINES = 10


def by_rows(model: Path, given: Path, output: Path) -> str:
    """Predict a table, looking at the processes meanwhile: rows done, and MiB of the main one and of all."""
    seen: list[tuple[int, float, float]] = []
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, "predict", str(model), str(given), str(output)],
            env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
            stdout=said,
            stderr=said,
        )
        parts = output.with_name(output.name + ".parts")
        while process.poll() is None:
            time.sleep(0.5)
            rows = CHUNK * len(list(parts.glob("*.parquet"))) if parts.is_dir() else 0
            if rows and (not seen or rows > seen[-1][0]):
                seen.append((rows, *_memory(process.pid)))
        said.seek(0)
        if process.returncode:
            raise SystemExit(said.read()[-2000:].decode())
    kept = seen[:: max(1, len(seen) // LINES)]
    lines = [[f"{rows:,}", f"{own:,.0f}", f"{whole:,.0f}"] for rows, own, whole in kept]
    return f"""Memory (chunks of {CHUNK} rows, of which 32 are remembered: {32 * CHUNK:,} rows):

{table(["rows done", "main process, MiB", "with its workers, MiB"], lines)}"""


def _memory(pid: int) -> tuple[float, float]:
    """MiB of a process, and of it with all below it."""
    try:
        main = psutil.Process(pid)
        own = main.memory_info().rss
        return own / 2**20, (own + sum(one.memory_info().rss for one in main.children(True))) / 2**20
    except psutil.NoSuchProcess:
        return 0.0, 0.0


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("table", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        text = by_rows(asked.model, asked.table, Path(name) / "out.parquet")
    print(text)
    write_section(
        "predict-memory", f"## Memory of predict\n\n`python -m benchmarks.predict_memory`. {text}\n"
    )


if __name__ == "__main__":
    main()
