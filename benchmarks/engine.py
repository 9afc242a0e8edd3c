"""The dense engine beside Keras fits, its distance from the machine's limit, and how it grows.

    python -m benchmarks.engine [speed cold limit] [--repeats 3]

All ways are measured in turns in one run, on the same data. Core ms are the processor time of one replicate
and step, all its threads together: on a machine that does nothing else, the time that a step takes is that
over the number of cores; on a busy one it is still that of the step alone, where the clock's is not.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import problems
from benchmarks.keras_fits import Fits
from benchmarks.results import table, write_section
from manywalks.train.dense_engine.layout import prepare
from manywalks.train.engines import train_pack
from manywalks.train.problem import Pack, Problem

CORES = len(os.sched_getaffinity(0))
EPOCHS = {"S": 10, "L": 3, "default": 10}
PACK = {"S": 32, "L": 4, "default": 32}
ADDRESS = {
    "S": "S: 2048-512-128-1, batch 32",
    "L": "L: 2048-2048-1024-1, batch 32",
    "default": "default recipe",
}


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def trained(problem: Problem, replicates: int, threads: int = CORES) -> None:
    """Train and forget."""
    for _ in train_pack(Pack(problem, range(replicates), 1, threads=threads)):
        pass


def core_seconds(work: Callable[[], object]) -> float:
    """How much processor time it takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def sklearn_fit(problem: Problem) -> None:
    """scikit-learn's network of the same widths (it has no dropout) on one thread."""
    from sklearn.neural_network import MLPRegressor

    train = problem.train_params
    network = MLPRegressor(
        hidden_layer_sizes=cast(Any, problem.network.widths), batch_size=cast(Any, train.batch_size),
        max_iter=problem.epochs, tol=0, n_iter_no_change=problem.epochs, alpha=0,
    )  # fmt: skip
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # it warns that max_iter is reached, which is what is asked for
        network.fit(problem.features.counts[problem.train], problem.targets.values[problem.train, 0])


def spread(values: list[float], digits: int = 2) -> str:
    """Median (least to largest)."""
    return f"{np.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def speed(repeats: int) -> str:
    """Ways side by side, in turns."""
    fan, alone = Fits(CORES), Fits(1, threads=0)
    rows = []
    for recipe, epochs in EPOCHS.items():
        turns = [_turn(recipe, epochs, fan, alone) for _ in range(repeats)]
        columns = {name: [turn[name] for turn in turns] for name in turns[0]}
        rows.append([ADDRESS[recipe], *(spread(values) for values in columns.values())])
        print(rows[-1], flush=True)
    fan.close()
    alone.close()
    header = ["network (ESOL)", "dense engine", "Keras, 1 thread", "ratio", "ratio by the clock",
              "Keras, all threads", "MLPRegressor"]  # fmt: skip
    return f"""## Dense engine: speed

Core ms a replicate and step; median (least to largest) of {repeats} turns, {CORES} cores. Dense: a whole pack
of {PACK["S"]}, {PACK["L"]} and {PACK["default"]}, initial weights and predictions included. Keras: {CORES}
`fit`s at a time in processes of one thread, from the second epoch on (no import, no tracing), a fresh order
each epoch; beside it one `fit` on all threads. MLPRegressor has no dropout: another network. By the clock:
pack against fan-out, each having the machine to itself but for what else ran on it.

{table(header, rows)}"""


def _turn(recipe: str, epochs: int, fan: Fits, alone: Fits) -> dict[str, float]:
    """Each way once, one after the other."""
    problem, pack = problems.problem("esol", recipe, epochs), PACK[recipe]
    steps = problem.steps_per_epoch * epochs
    trained(problem, 1)
    start = time.perf_counter()
    dense = 1000 * core_seconds(lambda: trained(problem, pack)) / (pack * steps)
    clock = 1000 * (time.perf_counter() - start) / (pack * steps)
    fits = fan.fit("esol", recipe, epochs, 1)
    keras, wall = (float(np.mean([answer[key] for answer in fits])) for key in ("core", "wall"))
    return {
        "dense": dense,
        "keras": keras,
        "ratio": keras / dense,
        "clock": wall / CORES / clock,
        "alone": alone.fit("esol", recipe, epochs, 1)[0]["core"],
        "sklearn": 1000 * core_seconds(lambda: sklearn_fit(problem)) / steps
        if recipe != "default"
        else np.nan,
    }


def cold(_: int) -> str:
    """From nothing, with import and compilation: 16 replicates of S, 50 epochs."""
    epochs, replicates, fits = 50, 16, 1
    code = (
        "from benchmarks import engine, problems\n"
        f"engine.trained(problems.problem('esol', 'S', {epochs}), {replicates})"
    )
    problems.problem("esol", "S", epochs)
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "NUMBA_CACHE_DIR": empty}
        command = [sys.executable, "-c", code]
        first = seconds(lambda: subprocess.run(command, env=environment, check=True))
        again = seconds(lambda: subprocess.run(command, env=environment, check=True))
    start = time.perf_counter()
    fan = Fits(CORES)
    answers = fan.fit("esol", "S", epochs, fits)
    whole = time.perf_counter() - start
    fan.close()
    a_fit = float(np.mean([answer["seconds"] for answer in answers]))
    keras = whole + a_fit * (replicates / CORES - fits)
    rows = [
        ["dense engine, nothing compiled yet", f"{first:.0f}", f"{keras / first:.1f}"],
        ["dense engine, compiled before", f"{again:.0f}", f"{keras / again:.1f}"],
        [f"Keras fits, {CORES} processes", f"{keras:.0f}", "1"],
    ]
    return f"""## Dense engine: cold

{replicates} replicates of S on ESOL, {epochs} epochs ({29 * epochs} steps), from the start of the process:
import, compilation and training. Keras's: measured for {fits} fit a process ({whole:.0f} s with the import),
the rest at the {a_fit:.1f} s that a fit took.

{table(["way", "s", "ratio"], rows)}"""


def limit(_: int) -> str:
    """Time that the arithmetic and the bytes of a step would take at the machine's best."""
    flops, bandwidth = _gemm_peak(), _copy_bandwidth()
    rows = []
    for recipe, epochs in EPOCHS.items():
        problem = problems.problem("esol", recipe, epochs)
        work, moved = _step(problem)
        ms = min(
            1000 * seconds(lambda p=problem: trained(p, 1, 1)) / (problem.steps_per_epoch * problem.epochs)
            for _ in range(4)
        )
        least = 1000 * (work / flops + moved / bandwidth)
        rows.append(
            [ADDRESS[recipe], f"{work / 1e6:.0f}", f"{moved / 1e6:.1f}", f"{least:.2f}", f"{ms:.2f}",
             f"{100 * least / ms:.0f} %"]
        )  # fmt: skip
        print(rows[-1], flush=True)
    header = ["network", "Mflop a step", "MB a step", "least ms", "measured ms", "explained"]
    return f"""## Dense engine: distance from the limit

One core. Arithmetic of the non-zero features, of the dense features and of the whole hidden layers, at the
peak of a 1024 x 1024 matrix product ({flops / 1e9:.0f} Gflop/s); bytes of the weights and moments that a step
updates (24 a weight), at the bandwidth of a copy of 16 MB ({bandwidth / 1e9:.0f} GB/s), one after the other.

{table(header, rows)}"""


def _gemm_peak() -> float:
    """flop a second of one core."""
    a = np.ones((1024, 1024), np.float32)
    with threadpool_limits(1, user_api="blas"):
        return 2 * 1024**3 / min(core_seconds(lambda: a @ a) for _ in range(10))


def _copy_bandwidth() -> float:
    """Bytes read and written a second by one core."""
    a = np.ones(1 << 22, np.float32)
    b = np.empty_like(a)
    return 2 * a.nbytes / min(core_seconds(lambda: np.copyto(b, a)) for _ in range(50))


def _step(problem: Problem) -> tuple[float, float]:
    """flop and bytes of a mean step."""
    prepared = prepare(problem)
    data, batch = prepared.data, prepared.shape.batch
    widths = [len(prepared.dense_columns), *prepared.shape.widths]
    uses = np.diff(data.indptr)[problem.train].mean() * batch
    share = np.bincount(data.indices, minlength=len(prepared.sparse_columns)) / len(data.indptr)
    touched = float((1 - (1 - np.minimum(share, 1)) ** batch).sum())
    hidden = sum(a * b for a, b in pairwise(widths[1:]))
    flop = 4 * uses * widths[1] + 4 * batch * widths[0] * widths[1] + 6 * batch * hidden
    return float(flop), 24.0 * (touched * widths[1] + widths[0] * widths[1] + hidden)


PARTS = {"speed": speed, "cold": cold, "limit": limit}


def main() -> None:
    """Measure, print, write the sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    for name in asked.parts:
        busy = os.getloadavg()[0]
        text = f"{PARTS[name](asked.repeats)}\n\nOther processes ready to run when it began: {busy:.1f}."
        print(text, flush=True)
        write_section(f"engine-{name}", text)


if __name__ == "__main__":
    main()
