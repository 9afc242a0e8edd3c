"""chemprop's ensemble of message-passing networks beside ours, on the same rows: scores and time.

    python -m benchmarks.chemprop --program ENVIRONMENT/bin/chemprop [--tasks caco2_wang …] [--ensemble 4]

chemprop is another network, in an environment of its own (`pip install chemprop==2.3.1`), with its defaults;
an eighth of the rows to train on, drawn at random, chooses its best epoch. Both get all cores, one after the
other.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.results import table, write_section
from manywalks.benchmark.forms import Asked, params_of, tdc
from manywalks.benchmark.run import Suite, run_task
from manywalks.benchmark.scores import score
from manywalks.tables.frame import read_table

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
CORES = len(os.sched_getaffinity(0))


class Outcome(NamedTuple):
    """chemprop's test score (the ensemble's mean) and seconds to train and to predict the test rows."""

    score: float
    train: float
    predict: float


def run_program(program: str, arguments: list[str]) -> float:
    """Run chemprop; seconds it took."""
    start = time.perf_counter()
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{program} {' '.join(arguments)}: {done.stderr[-2000:]}")
    return time.perf_counter() - start


def chemprop(program: str, path: Path, metric: str, ensemble: int, epochs: int) -> Outcome:
    """Train on the rows that are not test rows, predict those."""
    frame = pd.read_csv(path)
    test = frame["split"] == "test"
    drawn = np.random.default_rng(0).random(len(frame)) < 1 / 8
    subsets = np.where(test, "test", np.where(drawn, "val", "train"))
    kind = "classification" if metric in ("auroc", "auprc") else "regression"
    with tempfile.TemporaryDirectory() as folder:
        given, asked, out = Path(folder) / "all.csv", Path(folder) / "test.csv", Path(folder) / "out.csv"
        frame.loc[:, ["Drug", "Y"]].assign(subset=subsets).to_csv(given, index=False)
        frame.loc[test, ["Drug"]].to_csv(asked, index=False)
        trained = run_program(program, [
            "train", "--data-path", str(given), "--smiles-columns", "Drug", "--target-columns", "Y",
            "--splits-column", "subset", "--task-type", kind, "--ensemble-size", str(ensemble),
            "--epochs", str(epochs), "--output-dir", f"{folder}/model",
        ])  # fmt: skip
        predicted = run_program(program, [
            "predict", "--test-path", str(asked), "--smiles-columns", "Drug",
            "--model-paths", f"{folder}/model", "--preds-path", str(out),
        ])  # fmt: skip
        found = pd.read_csv(out)["Y"].to_numpy(np.float64)
    return Outcome(score(metric, frame.loc[test, "Y"].to_numpy(np.float64), found), trained, predicted)


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="chemprop")
    parser.add_argument("--data", type=Path, default=DATA / "tdc")
    parser.add_argument("--tasks", nargs="+", default=["caco2_wang"])
    parser.add_argument("--ensemble", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--replicates", type=int, default=32)
    asked = parser.parse_args()
    load, lines = os.getloadavg()[0], []
    for name in asked.tasks:
        path = asked.data / f"{name}.csv"
        frame = read_table(path)
        form = tdc(frame, str(path), Asked())
        params = params_of(form, str(path), CORES)
        ours, _ = run_task(name, frame, form, params, Suite("tdc", asked.replicates, CORES))
        scored = ours["endpoints"]["Y"]
        metric = scored["metric"]
        theirs = chemprop(asked.program, path, metric, asked.ensemble, asked.epochs)
        lines.append([
            name, metric, f"{scored['ensemble'][metric]['value']:.3f}", f"{ours['seconds']:.0f}",
            f"{theirs.score:.3f}",
            f"{theirs.train:.0f}", f"{theirs.predict:.0f}",
            f"{(theirs.train / asked.ensemble) / (ours['seconds'] / asked.replicates):.0f}",
        ])  # fmt: skip
        print(*lines[-1], flush=True)
        write_section("chemprop", section(asked, lines, load))  # a task takes minutes: none is lost


def section(asked: argparse.Namespace, lines: list[list[str]], load: float) -> str:
    """The section's text."""
    titles = [
        "task", "metric", f"ours, {asked.replicates} replicates", "seconds",
        f"chemprop, ensemble of {asked.ensemble}", "seconds to train", "to predict", "time a model, ratio",
    ]  # fmt: skip
    return (
        f"## Beside chemprop\n\n`python -m benchmarks.chemprop`: another network (message passing on the "
        f"graph), its defaults, {asked.epochs} epochs; {CORES} cores, load when it began {load:.1f}. "
        "Our seconds are from reading the table to the scores. chemprop gets the values as they stand; the "
        "logarithm that our defaults take of skewed ones (VDss) it would have to be given.\n\n"
        + table(titles, lines)
    )


if __name__ == "__main__":
    main()
