"""chemprop's ensemble of message-passing networks beside ours, on the same rows: scores and time.

    python -m benchmarks.chemprop --program ENVIRONMENT/bin/chemprop [--tasks caco2_wang …] [--ensemble 4]
        [--presets default best] [--accelerator gpu]
    python -m benchmarks.chemprop --write [--accelerator gpu] --kept FILE      (measured on another machine)

chemprop is another network, in an environment of its own (`pip install chemprop==2.3.1`), with its defaults;
an eighth of the rows to train on, drawn at random, chooses its best epoch. Every way is a program of its own,
one after the other. A busy machine changes the time of all cores together less than the time by the clock,
which counts where an accelerator does the work. Rows are kept as they come; what is kept is not run again.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.problems import CACHE
from benchmarks.results import table, write_section
from manywalks import files
from manywalks.benchmark.scores import score
from manywalks.train.jax_engine.device import accelerators

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
VERSIONS = """
from importlib.metadata import version
import torch
seen = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "a processor"
print(f"chemprop {version('chemprop')}, torch {torch.__version__} on {seen}")
"""


class Took(NamedTuple):
    """Seconds by the clock, and of all cores together."""

    clock: float
    cores: float

    def __add__(self, other: Any) -> "Took":
        return Took(self.clock + other.clock, self.cores + other.cores)


def timed(arguments: list[str]) -> Took:
    """Run a program to its end; the cores' seconds are those of its processes too."""
    before, start = _children(), time.perf_counter()
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return Took(time.perf_counter() - start, _children() - before)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(path: Path, preset: str, asked: argparse.Namespace) -> tuple[str, float, Took]:
    """Metric and test score of a preset of ours, and the time from the table to the scores."""
    program = [sys.executable, "-c", "from manywalks.cli.start import main; main()"]
    with tempfile.TemporaryDirectory() as folder:
        params = Path(folder, "params.yaml")
        params.write_text(f"train: {{engine: {'jax' if asked.accelerator == 'gpu' else 'auto'}}}\n")
        took = timed([
            *program, "benchmark", "tdc", "--data", str(path), "--preset", preset, "--params", str(params),
            "--replicates", str(asked.replicates), "--results", folder,
        ])  # fmt: skip
        scored = files.read_json(Path(folder) / "tdc" / f"{path.stem}.json")["endpoints"]["Y"]
    metric = scored["metric"]
    return metric, scored["ensemble"][metric]["value"], took


def chemprop(path: Path, metric: str, asked: argparse.Namespace, *, log: bool = False) -> tuple[float, Took]:
    """The test score of the ensemble's mean, and the time to train and predict; `log`: it gets logarithms."""
    frame = pd.read_csv(path)
    if log:
        frame["Y"] = np.log10(frame["Y"])
    test = frame["split"] == "test"
    drawn = np.random.default_rng(0).random(len(frame)) < 1 / 8
    subsets = np.where(test, "test", np.where(drawn, "val", "train"))
    kind = "classification" if metric in ("auroc", "auprc") else "regression"
    device = ["--accelerator", asked.accelerator, "--devices", "1"]
    with tempfile.TemporaryDirectory() as folder:
        given, wanted, out = Path(folder) / "all.csv", Path(folder) / "test.csv", Path(folder) / "out.csv"
        frame.loc[:, ["Drug", "Y"]].assign(subset=subsets).to_csv(given, index=False)
        frame.loc[test, ["Drug"]].to_csv(wanted, index=False)
        took = timed([
            asked.program, "train", "--data-path", str(given), "--smiles-columns", "Drug",
            "--target-columns", "Y", "--splits-column", "subset", "--task-type", kind,
            "--ensemble-size", str(asked.ensemble), "--epochs", str(asked.epochs),
            "--output-dir", f"{folder}/model", *device,
        ])  # fmt: skip
        took += timed([
            asked.program, "predict", "--test-path", str(wanted), "--smiles-columns", "Drug",
            "--model-paths", f"{folder}/model", "--preds-path", str(out), *device,
        ])  # fmt: skip
        found = pd.read_csv(out)["Y"].to_numpy(np.float64)
    return score(metric, frame.loc[test, "Y"].to_numpy(np.float64), found), took


def machine(asked: argparse.Namespace) -> str:
    """The devices and versions of both."""
    from importlib.metadata import version

    program = Path(shutil.which(asked.program) or asked.program)
    # the environment that chemprop lies in is not this one
    python = program.read_text().splitlines()[0].removeprefix("#!")
    theirs = subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True, check=True).stdout
    device = (accelerators() or ("a processor",))[0] if asked.accelerator == "gpu" else "a processor"
    return f"Ours on {device}, JAX {version('jax')}; {theirs.strip()}; {len(os.sched_getaffinity(0))} cores"


def measure(asked: argparse.Namespace, rows: dict[str, Any]) -> None:
    """Every way on every task, as far as it is not kept."""
    rows["machine"] = machine(asked)
    for name in asked.tasks:
        path = asked.data / f"{name}.csv"
        for preset in asked.presets:
            if f"{name} {preset}" not in rows:
                metric, value, took = ours(path, preset, asked)
                who = f"{asked.replicates} replicates, preset {preset}"
                row = [name, metric, who, f"{value:.3f}", *_times(took, asked.replicates)]
                keep(asked.kept, rows, f"{name} {preset}", row)
        for given in ("", ", given logarithms") if name in asked.logarithm else ("",):
            if f"{name} chemprop{given}" not in rows:
                metric = rows[f"{name} {asked.presets[0]}"][1]
                value, took = chemprop(path, metric, asked, log=bool(given))
                who = f"chemprop, ensemble of {asked.ensemble}{given}"
                row = [name, metric, who, f"{value:.3f}", *_times(took, asked.ensemble)]
                keep(asked.kept, rows, f"{name} chemprop{given}", row)


def keep(path: Path, rows: dict[str, Any], key: str, row: list[str]) -> None:
    """A row takes minutes: none is lost."""
    rows[key] = row
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, rows)
    print(*row, flush=True)


def _times(took: Took, members: int) -> list[str]:
    """By the clock, of all cores, and by the clock for one member of the ensemble."""
    return [f"{took.clock:,.0f}", f"{took.cores:,.0f}", f"{took.clock / members:.1f}"]


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="chemprop")
    parser.add_argument("--data", type=Path, default=DATA / "tdc")
    parser.add_argument("--tasks", nargs="+", default=["caco2_wang", "pgp_broccatelli", "vdss_lombardo"])
    parser.add_argument(
        "--logarithm", nargs="*", default=["vdss_lombardo"],
        help="tasks scored by ranks, whose skewed values chemprop gets as they are and as logarithms",
    )  # fmt: skip
    parser.add_argument("--ensemble", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--replicates", type=int, default=32)
    parser.add_argument("--presets", nargs="+", default=["default", "best"])
    parser.add_argument("--accelerator", choices=["cpu", "gpu"], default="cpu", help="where both train")
    parser.add_argument("--kept", type=Path, default=None, help="where rows are kept")
    parser.add_argument("--write", action="store_true", help="measure nothing, write what is kept")
    asked = parser.parse_args()
    asked.kept = asked.kept or CACHE / f"chemprop-{asked.accelerator}.json"
    rows = json.loads(asked.kept.read_text()) if asked.kept.is_file() else {}
    if not asked.write:
        measure(asked, rows)
    text = section(asked, rows)
    print(text)
    write_section("chemprop" if asked.accelerator == "cpu" else "chemprop-gpu", text)


def section(asked: argparse.Namespace, rows: dict[str, Any]) -> str:
    """The section's text."""
    titles = ["task", "metric", "model", "test score", "seconds", "core seconds", "seconds for one member"]
    on_gpu = asked.accelerator == "gpu"
    # rows of one task together, in the order in which they came
    order = list(dict.fromkeys(row[0] for key, row in rows.items() if key != "machine"))
    lines = sorted(
        (row for key, row in rows.items() if key != "machine"), key=lambda row: order.index(row[0])
    )
    return (
        f"## Beside chemprop{', on an accelerator' if on_gpu else ''}\n\n`python -m benchmarks.chemprop"
        f"{' --accelerator gpu' if on_gpu else ''}`: another network (message passing on the graph), its "
        f"defaults, {asked.epochs} epochs. {rows['machine']}. Seconds by the clock and of all processes on "
        "all cores, from the table to the test scores, start and compilation included; a member of ours is a "
        "replicate, with all its families. chemprop gets the values as they are; the logarithm that our "
        "defaults take of skewed ones (VDss) has to be given to it.\n\n" + table(titles, lines)
    )


if __name__ == "__main__":
    main()
