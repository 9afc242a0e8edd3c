"""Scoring a large table end to end, beside featurizing alone and beside the loop that a user would write.

    python -m benchmarks.predict_table [--rows 12288] [--chemprop ENVIRONMENT/bin/chemprop]

The rows are drawn from the folder MANYWALKS_DATA (default ../shared/data), large/mixed_real.csv.gz: real
strings of public sets, as they are. The ensemble is trained on the demo's solubilities with 32 replicates
first (minutes). The loop standardizes and featurizes once, as `manywalks` does, and then calls `predict` of
32 Keras models. chemprop (another network, in an environment of its own) trains an ensemble of 4 on the same
table for a few epochs, since it is its `predict` that is timed, on a sample of molecules that are
standardized already.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.chemprop import run_program
from benchmarks.results import table, write_section
from manywalks.chemistry.standardize_many import standardize_smiles
from manywalks.ensemble.model import Ensemble
from manywalks.featurize.featurize import featurize
from manywalks.params.families import families_of
from manywalks.predict.predict import predict_table
from manywalks.replicates.mixing import Mixing
from manywalks.replicates.store import open_store, read_used_replicates
from manywalks.tables.frame import read_table
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.workspace import Workspace

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
DEMO = Path(__file__).resolve().parent.parent / "data/raw/solubility.csv"
GOAL = 1.15
TURNS = 3
SAMPLE = 2048
SILENT: Any = 0
PARAMS = """
data: {path: table.csv, id: id, endpoints: {logS: {kind: regression, unit: log10 mol/L}}}
split: {method: random}
replicates: {count: 32}
"""


def train(folder: Path) -> None:
    """32 replicates of the demo in `folder`, unless they stand there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.csv").write_bytes(DEMO.read_bytes())
    (folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
    command = Path(sys.executable).with_name("manywalks")
    subprocess.run([command, "train", "--workspace", folder], check=True)


def sample(rows: int) -> list[str]:
    """So many rows of the large table, drawn the same way every time."""
    path = DATA / "large/mixed_real.csv.gz"
    if not path.is_file():
        raise SystemExit(f"{path}: no such file; set MANYWALKS_DATA")
    smiles = read_table(path)["smiles"]
    return smiles.sample(rows, random_state=0).tolist()


def seconds(work: Callable[[], object]) -> float:
    """By the clock."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def loop(folder: Path, smiles: list[str], cores: int) -> np.ndarray:
    """What a user would write: features, then one Keras model after another; mean and spread (2, n)."""
    workspace = Workspace.open(folder)
    ensemble = Ensemble.load(folder / "models/ensemble")
    found = [one.smiles for one in standardize_smiles(smiles, ensemble.curate, cores=cores)]
    kept = [text for text in found if text is not None]
    scaled = ensemble.scaler.transform(featurize(kept, ensemble.blocks, cores=cores))
    families, shares = families_of(workspace.params), Mixing.of(workspace.params).weights or (1.0,)
    kept = read_used_replicates(open_store(workspace))[0]
    values = np.zeros((len(kept), len(scaled)))
    for place, (family, columns) in enumerate(zip(families, ensemble.scaler.family_columns, strict=True)):
        matrix = scaled.columns(columns).matrix()
        for number, replicate in enumerate(kept):
            model = build(family.params.network, matrix.shape[1], 1)
            model.set_weights(replicate.parts[place].weights)
            output = model.predict(matrix, batch_size=1024, verbose=SILENT)
            step = ensemble.predictor.families[place].transform
            values[number] += shares[place] * step.inverse(output)[:, 0]
    return np.stack([values.mean(axis=0), values.std(axis=0, ddof=1)])


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=12_288)
    parser.add_argument("--chemprop", default="", help="its program; without it that row is left out")
    parser.add_argument(
        "--workspace", type=Path, help="keep the trained workspace there, or take it from there"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = asked.work or Path(name) / "work"
        train(folder)
        text = measure(folder, sample(asked.rows), Path(name), asked.chemprop)
    print(text)
    write_section("predict_table", text)


def chemprop(program: str, clean: list[str], scratch: Path) -> tuple[float, float]:
    """Train its ensemble, then predict molecules: seconds, and seconds for a tenth of them."""
    model, asked = scratch / "chemprop", scratch / "asked.csv"
    options = ["--smiles-columns", "smiles"]
    run_program(program, [
        "train", "--data-path", str(DEMO), *options, "--target-columns", "logS", "--task-type", "regression",
        "--ensemble-size", "4", "--epochs", "3", "--output-dir", str(model),
    ])  # fmt: skip
    took = []
    for rows in (clean[:SAMPLE], clean[: SAMPLE // 8]):
        pd.DataFrame({"smiles": rows}).to_csv(asked, index=False)
        given = ["--test-path", str(asked), *options, "--model-paths", str(model)]
        took.append(run_program(program, ["predict", *given, "--preds-path", str(scratch / "out.csv")]))
    return took[0], took[1]


def measure(folder: Path, smiles: list[str], scratch: Path, program: str) -> str:
    """The ways in turn, several times: the section's text."""
    cores = len(os.sched_getaffinity(0))
    model = folder / "models/ensemble"
    ensemble = Ensemble.load(model)
    pd.DataFrame({"smiles": smiles}).to_csv(scratch / "in.csv", index=False)
    standard = [one.smiles for one in standardize_smiles(smiles, ensemble.curate, cores=cores)]
    clean = [text for text in standard if text is not None]
    import_keras()

    def score() -> None:
        predict_table(model, scratch / "in.csv", scratch / "out.parquet")

    ways: dict[str, Callable[[], object]] = {
        "featurizing alone (standardized molecules)": lambda: featurize(clean, ensemble.blocks, cores=cores),
        "standardizing, then featurizing": lambda: (
            standardize_smiles(smiles, ensemble.curate, cores=cores),
            featurize(clean, ensemble.blocks, cores=cores),
        ),
        "`manywalks predict`, from CSV to Parquet": score,
        "the loop over 32 Keras models": lambda: loop(folder, smiles, cores),
    }
    first = ensemble.predict(clean[:200])["logS"].to_numpy()
    np.testing.assert_allclose(loop(folder, clean[:200], 1)[0], first, rtol=1e-3, atol=1e-3)
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(TURNS):
        for way, work in ways.items():
            times[way].append(seconds(work))
    return _text(times, len(smiles), cores, chemprop(program, clean, scratch) if program else None)


def _text(times: dict[str, list[float]], count: int, cores: int, theirs: tuple[float, float] | None) -> str:
    """The table, and whether the goal is met."""
    found = {way: statistics.median(took) for way, took in times.items()}
    alone, both, ours, _ = found.values()
    rows = [
        [way, f"{found[way]:.1f} ({min(took):.1f} to {max(took):.1f})", f"{count / found[way]:,.0f}",
         f"{found[way] / alone:.2f}"]
        for way, took in times.items()
    ]  # fmt: skip
    if theirs is not None:
        whole, part = theirs
        a_row = (whole - part) / (SAMPLE - SAMPLE // 8)
        rows.append([f"chemprop's ensemble of 4 ({SAMPLE:,} rows)", f"{whole:.1f}", f"{1 / a_row:,.0f} "
                     "once started", ""])  # fmt: skip
    return f"""## Scoring end to end

`python -m benchmarks.predict_table`: {count:,} rows of mixed_real, 32 replicates of the default network and
features, {cores} cores, the median (least to most) of {TURNS} turns by the clock. Goal: {GOAL} times
featurizing alone; {"met" if ours <= GOAL * alone else "missed"} ({ours / alone:.2f}) against molecules that
are standardized already, {"met" if ours <= GOAL * both else "missed"} ({ours / both:.2f}) where standardizing
is part of it. Starting the workers and predicting the last chunk are counted: the longer the table, the less.

{table(["way", "seconds", "rows a second", "of featurizing alone"], rows)}
"""


if __name__ == "__main__":
    main()
