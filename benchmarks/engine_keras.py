"""The engine for any Keras model beside the fair fan-out of plain Keras fits.

    python -m benchmarks.engine_keras [--recipes S default] [--replicates 8]

Both use one process of one thread a core. "warm" is a replicate's step without import and compilation, over
the number of processes; "whole" is everything from the first line on, import included.
"""

import argparse
import os
import time

import numpy as np

from benchmarks import problems
from benchmarks.keras_fits import Fits
from benchmarks.results import table, write_section
from manywalks.train.keras_engine import engine
from manywalks.train.problem import Pack

CORES = len(os.sched_getaffinity(0))
EPOCHS = {"S": 10, "L": 4, "default": 20}


def by_engine(recipe: str, replicates: int) -> tuple[float, float]:
    """Warm ms a step, and seconds in all."""
    problem = problems.problem("esol", recipe, EPOCHS[recipe])
    began, ends = time.perf_counter(), {}

    def note(replicate: int, epoch: int, _: int) -> None:
        ends[replicate, epoch] = time.perf_counter()

    for _ in engine.train_pack(Pack(problem, range(replicates), 1, threads=CORES, progress=note)):
        pass
    whole = time.perf_counter() - began
    last = max(epoch for _, epoch in ends)
    # the first replicate of each process compiles in its first epoch
    walked = [ends[k, last] - ends[k, 1] for k in range(replicates)]
    return 1000 * float(np.mean(walked)) / (problem.steps_per_epoch * (last - 1)) / CORES, whole


def by_fits(recipe: str, replicates: int) -> tuple[float, float]:
    """Warm ms a step, and seconds in all."""
    began = time.perf_counter()
    fits = Fits(CORES)
    try:
        answers = fits.fit("esol", recipe, EPOCHS[recipe], -(-replicates // CORES))
    finally:
        fits.close()
    return float(np.mean([answer["wall"] for answer in answers])) / CORES, time.perf_counter() - began


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", nargs="+", default=["S", "default"], choices=list(EPOCHS))
    parser.add_argument("--replicates", type=int, default=8)
    asked = parser.parse_args()
    rows = []
    for recipe in asked.recipes:
        fit_ms, fit_s = by_fits(recipe, asked.replicates)
        own_ms, own_s = by_engine(recipe, asked.replicates)
        rows.append([recipe, "Keras fits", f"{fit_ms:.2f}", "1", f"{fit_s:.0f}", "1"])
        rows.append(
            [
                recipe,
                "engine for any Keras model",
                f"{own_ms:.2f}",
                f"{fit_ms / own_ms:.1f}",
                f"{own_s:.0f}",
                f"{fit_s / own_s:.1f}",
            ]
        )
    header = ["network", "way", "warm, ms a step", "ratio", "whole, s", "ratio"]
    text = f"""## Engine for any Keras model

`python -m benchmarks.engine_keras`. ESOL, {asked.replicates} replicates, {CORES} processes of one thread;
load of the machine when it ended: {os.getloadavg()[0]:.1f}.

{table(header, rows)}
"""
    print(text)
    write_section("engine-keras", text)


if __name__ == "__main__":
    main()
