"""chemprop's ensemble of message-passing networks beside ours, on the same rows: scores and time.

    python -m benchmarks.chemprop --program ENVIRONMENT/bin/chemprop [--tasks caco2_wang …] [--ensemble 4]
        [--presets default best]

chemprop is another network, in an environment of its own (`pip install chemprop==2.3.1`), with its defaults;
an eighth of the rows to train on, drawn at random, chooses its best epoch. Every way is a program of its own,
one after the other, and time is that of all cores together, so that a busy machine changes little.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import table, write_section
from manywalks import files
from manywalks.benchmark.scores import score

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))


def core_seconds(arguments: list[str]) -> float:
    """Run a program to its end; the seconds of all cores that it and its processes took."""
    before = _children()
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
    return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(path: Path, preset: str, replicates: int) -> tuple[dict[str, Any], float]:
    """The task's result with a preset of ours, and core seconds from the table to the scores."""
    program = [sys.executable, "-c", "from manywalks.cli.start import main; main()"]
    with tempfile.TemporaryDirectory() as folder:
        took = core_seconds([
            *program, "benchmark", "tdc", "--data", str(path), "--preset", preset,
            "--replicates", str(replicates), "--results", folder,
        ])  # fmt: skip
        return files.read_json(Path(folder) / "tdc" / f"{path.stem}.json"), took


def chemprop(program: str, path: Path, metric: str, ensemble: int, epochs: int) -> tuple[float, float]:
    """The test score of the ensemble's mean, and core seconds to train and predict."""
    frame = pd.read_csv(path)
    test = frame["split"] == "test"
    drawn = np.random.default_rng(0).random(len(frame)) < 1 / 8
    subsets = np.where(test, "test", np.where(drawn, "val", "train"))
    kind = "classification" if metric in ("auroc", "auprc") else "regression"
    with tempfile.TemporaryDirectory() as folder:
        given, asked, out = Path(folder) / "all.csv", Path(folder) / "test.csv", Path(folder) / "out.csv"
        frame.loc[:, ["Drug", "Y"]].assign(subset=subsets).to_csv(given, index=False)
        frame.loc[test, ["Drug"]].to_csv(asked, index=False)
        took = core_seconds([
            program, "train", "--data-path", str(given), "--smiles-columns", "Drug", "--target-columns", "Y",
            "--splits-column", "subset", "--task-type", kind, "--ensemble-size", str(ensemble),
            "--epochs", str(epochs), "--output-dir", f"{folder}/model",
        ])  # fmt: skip
        took += core_seconds([
            program, "predict", "--test-path", str(asked), "--smiles-columns", "Drug",
            "--model-paths", f"{folder}/model", "--preds-path", str(out),
        ])  # fmt: skip
        found = pd.read_csv(out)["Y"].to_numpy(np.float64)
    return score(metric, frame.loc[test, "Y"].to_numpy(np.float64), found), took


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="chemprop")
    parser.add_argument("--data", type=Path, default=DATA / "tdc")
    parser.add_argument("--tasks", nargs="+", default=["caco2_wang", "pgp_broccatelli", "vdss_lombardo"])
    parser.add_argument("--ensemble", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--replicates", type=int, default=32)
    parser.add_argument("--presets", nargs="+", default=["default", "best"])
    asked = parser.parse_args()
    lines: list[list[str]] = []
    for name in asked.tasks:
        path, metric = asked.data / f"{name}.csv", ""
        for preset in asked.presets:
            result, took = ours(path, preset, asked.replicates)
            scored = result["endpoints"]["Y"]
            metric = scored["metric"]
            value = scored["ensemble"][metric]["value"]
            who = f"{asked.replicates} replicates, preset {preset}"
            lines.append([name, metric, who, f"{value:.3f}", *_times(took, asked.replicates)])
        value, took = chemprop(asked.program, path, metric, asked.ensemble, asked.epochs)
        who = f"chemprop, ensemble of {asked.ensemble}"
        lines.append([name, metric, who, f"{value:.3f}", *_times(took, asked.ensemble)])
        print("\n".join(map(" ".join, lines)), flush=True)
        write_section("chemprop", section(asked, lines))  # a task takes minutes: none is lost


def _times(took: float, members: int) -> list[str]:
    """Core seconds in all, and for one member of the ensemble."""
    return [f"{took:,.0f}", f"{took / members:.1f}"]


def section(asked: argparse.Namespace, lines: list[list[str]]) -> str:
    """The section's text."""
    titles = ["task", "metric", "model", "test score", "core seconds", "for one member"]
    return (
        "## Beside chemprop\n\n`python -m benchmarks.chemprop`: another network (message passing on the "
        f"graph), its defaults, {asked.epochs} epochs. Core seconds: all processes, from the table to the "
        "test scores, start included; a member of ours is a replicate, with all its families. chemprop gets "
        "the values as they are; the logarithm that our defaults take of skewed ones (VDss) would have to be "
        "given to it.\n\n" + table(titles, lines)
    )


if __name__ == "__main__":
    main()
