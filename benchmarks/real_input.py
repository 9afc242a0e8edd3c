"""Real tables through `manywalks init` and `manywalks train`, as a user would, with the defaults.

    python -m benchmarks.real_input [FOLDER_OF_DATA] [NAME …]

The folder holds tdc/*.csv and assay/bace.csv; MANYWALKS_DATA names it too. Writes its section of
benchmarks/RESULTS.md.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import table as markdown_table
from benchmarks.results import write_section

HERE = Path(__file__).resolve().parent
MAIN = {"regression": "rmse", "classification": "auroc"}


def tables(folder: Path, names: list[str]) -> list[Path]:
    """The tables to run, all of them where no names are given."""
    found = [*sorted((folder / "tdc").glob("*.csv")), folder / "assay/bace.csv"]
    return [path for path in found if path.is_file() and (not names or path.stem in names)]


def run(table: Path, work: Path) -> list[list[str]]:
    """Init and train one table; a row an endpoint."""
    program = str(Path(sys.executable).with_name("manywalks"))
    start = time.monotonic()
    for arguments in (["init", str(table), "--workspace", str(work)], ["train", "--workspace", str(work)]):
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{table.name}: manywalks {arguments[0]}: {done.stderr}")
    seconds = time.monotonic() - start
    metrics = json.loads((work / "reports/metrics.json").read_text())
    statements = json.loads((work / "reports/statement.json").read_text())
    card = json.loads((work / "reports/data.json").read_text())
    rows = []
    for name, found in metrics.items():
        metric, statement = MAIN[found["kind"]], statements[name]
        replicates = found["replicates"][metric]
        rows.append(
            [
                table.stem, name, str(card["records"]), str(card["molecules"]), str(found["n_test"]),
                metric, f"{found['ensemble'][metric]:.3f}",
                f"{replicates['mean']:.3f} ± {replicates['sd']:.3f}",
                f"{replicates['min']:.3f} to {replicates['max']:.3f}",
                str(statement["replicates"]), f"{statement['difference_bound']:.3g}",
                "yes" if statement["met"] else "no", f"{seconds:.0f}",
            ]
        )  # fmt: skip
    return rows


def main() -> None:
    """Run the tables and write the section."""
    given = [argument for argument in sys.argv[1:] if not Path(argument).is_dir()]
    folders = [Path(argument) for argument in sys.argv[1:] if Path(argument).is_dir()]
    default = Path(os.environ.get("MANYWALKS_DATA", HERE.parent.parent / "shared/data"))
    folder = folders[0] if folders else default
    if not (chosen := tables(folder, given)):
        raise SystemExit(f"{folder}: holds none of the tables; name the folder, or set MANYWALKS_DATA")
    rows = []
    with tempfile.TemporaryDirectory() as works:
        for table in chosen:
            rows += run(table, Path(works) / table.stem)
            print(*rows[-1], flush=True)
    titles = [
        "table", "endpoint", "records", "molecules", "test", "metric", "ensemble",
        "single replicates", "range",
        "replicates", "bound", "within tolerance", "seconds",
    ]  # fmt: skip
    write_section(
        "real_input",
        "## Real tables, defaults, from `manywalks init` to the report\n\n"
        "Seconds are wall clock on two cores, everything included. `python -m benchmarks.real_input`.\n\n"
        + markdown_table(titles, rows),
    )


if __name__ == "__main__":
    main()
