"""The table of TDC tasks with the defaults, and the reproduction of a published row.

    python -m benchmarks.tdc [defaults reproduction] [--data DIR] [--replicates 32]

benchmarks/accuracy.md says how the defaults were chosen, and that the test rows took no part in it.
"""

import argparse
import os
import platform
import time
from pathlib import Path

from benchmarks.results import table, write_section
from manywalks.evaluate.public_benchmark import TaskScore, header, peak_memory_mb, rows, run_folder

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


def summary(scores: list[TaskScore]) -> str:
    """How many tasks are better than what is published."""

    def better(task: TaskScore, than: float | None) -> bool:
        if than is None:
            return False
        return task.ensemble < than if task.published.metric == "mae" else task.ensemble > than

    known = [task for task in scores if task.published.best is not None]
    counts = {
        "RDKit2D + MLP": sum(better(task, task.published.rdkit2d_mlp) for task in known),
        "MapLight": sum(better(task, task.published.maplight) for task in known),
        "the best published": sum(better(task, task.published.best) for task in known),
    }
    return "; ".join(f"better than {name} on {count} of {len(known)}" for name, count in counts.items())


def reproduction(folder: Path, replicates: int, cores: int) -> str:
    """The published Morgan + MLP beside the same network, split and training here, as single replicates."""
    scores = run_folder(folder, replicates=replicates, cores=cores, settings=MORGAN_MLP)
    lines = [
        [
            task.name,
            task.published.metric,
            f"{task.published.morgan_mlp:.3f}" if task.published.morgan_mlp else "",
            f"{task.replicates.mean():.3f} ± {task.replicates.std(ddof=1):.3f}",
        ]
        for task in scores
    ]
    return (
        "## A published row, trained here\n\nMorgan + MLP (1,024 bits, 1024-1024-256-64-256-512-1, Adam "
        "1e-3, batch 128, 50 epochs, best epoch by validation), to see whether the table above measures what "
        "others did (`python -m benchmarks.tdc reproduction`).\n\n"
        + table(["task", "metric", "published", f"here, {replicates} single replicates"], lines)
    )


def defaults(folder: Path, replicates: int, cores: int) -> str:
    """Every task with the defaults."""
    start, load = time.perf_counter(), os.getloadavg()[0]
    scores = run_folder(folder, replicates=replicates, cores=cores)
    minutes = (time.perf_counter() - start) / 60
    return (
        f"## Accuracy\n\nDefaults, {replicates} replicates, {minutes:.0f} minutes on {cores} cores "
        f"({platform.machine()}, load when it began {load:.1f}), {peak_memory_mb():,.0f} MB "
        f"(`python -m benchmarks.tdc`); ensemble: {summary(scores)}.\n\n{table(header(), rows(scores))}"
    )


def main() -> None:
    """Measure, print, write the sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["defaults", "reproduction"])
    parser.add_argument("--data", type=Path, default=DATA / "tdc")
    parser.add_argument("--replicates", type=int, default=32)
    asked = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    if "defaults" in asked.subsets:
        write_section("accuracy", text := defaults(asked.data, asked.replicates, cores))
        print(text, flush=True)
    if "reproduction" in asked.subsets:
        write_section("accuracy-reproduction", text := reproduction(asked.data, 5, cores))
        print(text)


if __name__ == "__main__":
    main()
