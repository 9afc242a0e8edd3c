"""`manywalks predict` from CSV to Parquet, beside a former commit and beside standardizing and featurizing.

    python -m benchmarks.predict_table [--rows 20000] [--turns 2] [--before COMMIT]
        [--workspace FOLDER] [--before-workspace FOLDER] [--chemprop ENVIRONMENT/bin/chemprop] [--memory]

The rows are drawn from the folder MANYWALKS_DATA (default ../shared/data), large/mixed_real.csv.gz: real
strings of public sets, as they are. Each package predicts with the ensemble of 32 replicates that it trains
on the demo's solubilities with the defaults of `manywalks init` (minutes; kept where a workspace is named).
The former commit gets half the rows. Every way is a process of its own, whose start counts. chemprop
(another network, in an environment of its own) trains an ensemble of 4 on the same table for a few epochs,
since it is its `predict` that is timed, on a sample of molecules that are standardized already.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.before import COMMIT, ROOT, Took, run, source
from benchmarks.predict_memory import by_rows
from benchmarks.results import table, write_section
from manywalks.chemistry.standardize_many import standardize_smiles
from manywalks.params.sections.curate import CurateParams
from manywalks.tables.frame import read_table

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
GOAL, FASTER = 1.15, 3
SAMPLE = 2048
ALONE = """
import sys
from manywalks.chemistry.standardize_many import standardize_smiles
from manywalks.ensemble import manifest
from manywalks.featurize.featurize import featurize_each
from manywalks.params.sections.curate import CurateParams
from manywalks.params.sections.model import FeaturizeParams
from manywalks.tables.frame import read_table
from pathlib import Path

asked = manifest.read(Path(sys.argv[1]))["params"]
cores = int(sys.argv[3])
curate = CurateParams.model_validate(asked["curate"])
standard = standardize_smiles(read_table(Path(sys.argv[2]))["smiles"].tolist(), curate, cores=cores)
kept = [one.smiles for one in standard if one.smiles is not None]
featurize_each(kept, FeaturizeParams.model_validate(asked["featurize"]).blocks, cores=cores)
"""


def trained(folder: Path, package: Path) -> Path:
    """The ensemble of 32 replicates of a workspace, which a package trains unless it is there."""
    model = folder / "models/ensemble"
    if not model.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "table.csv").write_bytes((ROOT / "data/raw/solubility.csv").read_bytes())
        run(package, ["init", str(folder / "table.csv"), "--workspace", str(folder)])
        params = folder / "params.yaml"
        text = params.read_text(encoding="utf-8").replace("\n  count: null", "\n  count: 32")
        params.write_text(text, encoding="utf-8")
        run(package, ["train", "--workspace", str(folder)])
    return model


def sample(rows: int) -> list[str]:
    """So many rows of the large table, drawn the same way every time."""
    path = DATA / "large/mixed_real.csv.gz"
    if not path.is_file():
        raise SystemExit(f"{path}: no such file; set MANYWALKS_DATA")
    return read_table(path)["smiles"].sample(rows, random_state=0).tolist()


def chemprop(program: str, clean: list[str], scratch: Path) -> float:
    """Train its ensemble, then predict molecules: molecules a second, once it has started."""
    model, asked = scratch / "chemprop", scratch / "asked.csv"
    options = ["--smiles-columns", "smiles"]
    _seconds([
        program,
        "train", "--data-path", str(ROOT / "data/raw/solubility.csv"), *options, "--target-columns", "logS",
        "--task-type", "regression", "--ensemble-size", "4", "--epochs", "3", "--output-dir", str(model),
    ])  # fmt: skip
    took = []
    for rows in (clean[:SAMPLE], clean[: SAMPLE // 8]):
        pd.DataFrame({"smiles": rows}).to_csv(asked, index=False)
        given = ["--test-path", str(asked), *options, "--model-paths", str(model)]
        took.append(_seconds([program, "predict", *given, "--preds-path", str(scratch / "out.csv")]))
    return (SAMPLE - SAMPLE // 8) / (took[0] - took[1])


def _seconds(arguments: list[str]) -> float:
    """Run a program; seconds by the clock."""
    start = time.perf_counter()
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
    return time.perf_counter() - start


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--before", default=COMMIT)
    parser.add_argument(
        "--workspace", type=Path, help="keep the trained workspace there, or take it from there"
    )
    parser.add_argument("--before-workspace", type=Path, help="likewise, of the former commit")
    parser.add_argument("--chemprop", default="", help="its program; without it that row is left out")
    parser.add_argument("--memory", action="store_true", help="also what memory a run takes, by rows done")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        text = measure(asked, Path(name))
    print(text)
    write_section("predict_table", text)


def measure(asked: argparse.Namespace, scratch: Path) -> str:
    """All ways in turn: the section's text."""
    smiles, cores = sample(asked.rows), len(os.sched_getaffinity(0))
    packages = {"before": source(scratch / "before", asked.before), "now": ROOT / "src"}
    folders = {"before": asked.before_workspace, "now": asked.workspace}
    models = {
        way: trained(folder or scratch / f"workspace-{way}", packages[way]) for way, folder in folders.items()
    }
    for way, rows in (("before", asked.rows // 2), ("now", asked.rows)):
        pd.DataFrame({"smiles": smiles[:rows]}).to_csv(scratch / f"{way}.csv", index=False)
    pd.DataFrame({"smiles": smiles[:50]}).to_csv(scratch / "few.csv", index=False)
    for way, model in models.items():  # compiles what is compiled once
        run(packages[way], ["predict", str(model), str(scratch / "few.csv"), str(scratch / "few.parquet")])
    took: dict[str, list[Took]] = {"before": [], "now": [], "alone": []}
    for _ in range(asked.turns):
        for way in ("before", "now"):
            files = [str(scratch / f"{way}.csv"), str(scratch / f"{way}.parquet")]
            took[way].append(run(packages[way], ["predict", str(models[way]), *files]))
        alone = [str(models["now"]), str(scratch / "now.csv"), str(cores)]
        took["alone"].append(run(packages["now"], alone, code=ALONE))
    theirs = 0.0
    if asked.chemprop:
        standard = standardize_smiles(smiles[: 2 * SAMPLE], CurateParams(), cores=cores)
        theirs = chemprop(asked.chemprop, [one.smiles for one in standard if one.smiles], scratch)
    rows = {"before": asked.rows // 2, "now": asked.rows, "alone": asked.rows}
    text = _text(took, rows, cores, theirs)
    if asked.memory:
        text += f"\n{by_rows(models['now'], scratch / 'now.csv', scratch / 'memory.parquet')}\n"
    return text


def _text(took: dict[str, list[Took]], rows: dict[str, int], cores: int, theirs: float) -> str:
    """The table, and whether the goals are met."""
    names = {
        "before": "`manywalks predict` before (its own default features, one network)",
        "now": "`manywalks predict` now (two families, 32 replicates)",
        "alone": "standardizing, then featurizing, alone",
    }
    a_row = {way: np.array([one.clock / rows[way] for one in turns]) for way, turns in took.items()}
    work = {way: statistics.median(one.processor / rows[way] for one in turns) for way, turns in took.items()}
    lines = [
        [names[way], f"{rows[way]:,}", f"{1 / np.median(each):,.0f} ({1 / each.max():,.0f} to "
         f"{1 / each.min():,.0f})", f"{1000 * work[way]:.2f}"]
        for way, each in a_row.items()
    ]  # fmt: skip
    if theirs:
        lines.append(["chemprop's ensemble of 4, once started", f"{SAMPLE:,}", f"{theirs:,.0f}", ""])
    faster, over = a_row["before"] / a_row["now"], a_row["now"] / a_row["alone"]
    met = "met" if np.median(faster) >= FASTER else "missed"
    near = "met" if np.median(over) <= GOAL else "missed"
    return f"""## Predicting end to end

`python -m benchmarks.predict_table`: rows of mixed_real, from CSV to Parquet, 32 replicates, {cores} cores,
the median (least to most) of {len(faster)} turns by the clock, all ways in turn, each a process that starts
anew. "Before" is the commit before the descriptors were compiled.

{table(["way", "rows", "rows a second", "core ms a row"], lines)}

Rows a second, now over before: {np.median(faster):.1f} ({faster.min():.1f} to {faster.max():.1f}; goal
{FASTER}: {met}). Time now over standardizing and featurizing alone: {np.median(over):.2f} ({over.min():.2f}
to {over.max():.2f}; goal {GOAL}: {near}).
"""


if __name__ == "__main__":
    main()
