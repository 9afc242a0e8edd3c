"""The engine for accelerators beside Keras `fit` on the same device and the numba engine on its cores.

    python -m benchmarks.engine_jax [speed growth precision whole predict] [--cases S default ...]
        [--replicates 1 8 32 128]
    python -m benchmarks.engine_jax --write --kept FILE      (rows that were measured on another machine)

Milliseconds of wall-clock time per replicate and step. The engine: a whole pack, from its initial
weights to its predictions on the host, its programs compiled before. `fit`: Keras on JAX, one after
another, 16 steps per execution, from the third epoch on. The numba engine: a pack on all cores, compiled
before. Needs JAX; without an accelerator it runs on the processor, and says so.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import problems
from benchmarks.engine_jax_problems import problems_of, synthetic
from benchmarks.engine_jax_runs import both_ways, run
from benchmarks.engine_jax_tables import BYTES_A_WEIGHT, Kept, write
from manywalks.train.dense_engine import engine as numba_engine
from manywalks.train.jax_engine.engine import ENVIRONMENT, PRECISION
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.problem import Pack, Problem

CORES = len(os.sched_getaffinity(0))
CASES = ["S", "default", "mix", "L"]
ADDRESS = {
    "S": "S: 2048-512-128-1, batch 32",
    "default": "one family of the defaults, batch 64",
    "mix": "the default mix, two families, batch 64",
    "L": "L: 2048-2048-1024-1, batch 32",
    "graph": "graph network, batch 64",
}
# of a whole training
EPOCHS = {"S": 50, "default": 50, "mix": 50, "L": 50, "graph": 40}


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def steps_of(problem: Problem) -> int:
    """Steps of one replicate."""
    return problem.steps_per_epoch * problem.epochs


def fit_ms(problem: Problem) -> float:
    """Of a `fit` on the device: ms a step, compiled before."""
    keras: Any = import_keras("jax")
    train, steps = problem.train_params, problem.steps_per_epoch
    model: Any = build(problem.network, problem.features.width, problem.n_endpoints)
    optimizer = keras.optimizers.AdamW if train.optimizer == "adamw" else keras.optimizers.Adam
    model.compile(optimizer(train.learning_rate), "mse", steps_per_execution=min(steps, 16))
    rows = problem.train
    x, y = problem.features.matrix()[rows], problem.targets.values[rows]
    asked = {"batch_size": train.batch_size, "verbose": 0}
    model.fit(x, y, epochs=2, **asked)
    return 1000 * seconds(lambda: model.fit(x, y, epochs=5, **asked)) / (5 * steps)


def engine_ms(problem: Problem, m: int, repeats: int = 2) -> tuple[float, float]:
    """Packs of m on the device: median ms per replicate and step; seconds of the first, which compiles."""
    from manywalks.train.jax_engine.trainer import JaxTrainer

    trainer = JaxTrainer(problem, m)
    first = seconds(lambda: trainer.train(range(m), 1))
    times = [seconds(lambda: trainer.train(range(m), 1)) for _ in range(repeats)]
    return 1000 * float(np.median(times)) / (m * steps_of(problem)), first


def numba_ms(problem: Problem, m: int = 32) -> float:
    """A pack on all cores: ms per replicate and step."""

    def pack(count: int) -> None:
        for _ in numba_engine.train_pack(Pack(problem, range(count), 1, threads=CORES)):
            pass

    pack(CORES)
    return 1000 * seconds(lambda: pack(m)) / (m * steps_of(problem))


def limit_ms(weights: int, bandwidth: float) -> float:
    """The time that moving weights and moments takes at least: ms per replicate and step."""
    return 1000 * BYTES_A_WEIGHT * weights / bandwidth


def copy_bandwidth() -> float:
    """Bytes read and written a second by the device, in a row of passes over an array of 1 GB."""
    import jax
    import jax.numpy as jnp

    added = jax.jit(lambda x: x + 1, donate_argnums=0)
    big = added(jnp.zeros(1 << (28 if jax.default_backend() != "cpu" else 24), jnp.float32))

    def passes(count: int = 20) -> None:
        nonlocal big
        for _ in range(count):
            big = added(big)
        big.block_until_ready()

    return 2 * 20 * big.nbytes / min(seconds(passes) for _ in range(3))


def device_name() -> str:
    """The device and the versions that were measured."""
    import jax

    device = jax.devices()[0]
    versions = f"JAX {jax.__version__}, Keras {import_keras('jax').__version__}"
    return f"{device.device_kind}, {versions}, {PRECISION} products, {CORES} cores"


def speed(kept: Kept, cases: Sequence[str], counts: Sequence[int]) -> None:
    """Ways side by side; the sums over the families of a case."""
    bandwidth = copy_bandwidth()
    for case in cases:
        asked = problems_of(case, EPOCHS[case])
        fit = sum(fit_ms(problem) for problem in asked)
        cpu = sum(numba_ms(problem) for problem in problems_of(case, 10)) if case != "graph" else None
        least = limit_ms(sum(_weights(problem) for problem in asked), bandwidth)
        for m in counts:
            ours = [engine_ms(problem, m) for problem in asked]
            ms, first = sum(each for each, _ in ours), sum(start for _, start in ours)
            cells = [f"{ms:.4f}", f"{fit:.3f}", f"{fit / ms:.0f}"]
            cells += ["", ""] if cpu is None else [f"{cpu:.3f}", f"{cpu / ms:.1f}"]
            row = [ADDRESS[case], str(m), *cells, f"{100 * least / ms:.0f} %", f"{first:.1f}"]
            kept.add("speed", f"{case} {m}", row)


def precision(kept: Kept, cases: Sequence[str], counts: Sequence[int]) -> None:
    """Exact products beside "tensorfloat32": time and scores of whole trainings, the same streams."""
    import jax
    from scipy.stats import ttest_ind

    from manywalks.train.jax_engine.trainer import JaxTrainer

    m = max(counts)
    for case in cases:
        problem = problems_of(case, EPOCHS[case])[-1]
        name = ADDRESS[case] if case != "mix" else "the second family of the default mix, batch 64"
        found = {}
        for exact in ("float32", "tensorfloat32"):
            jax.config.update("jax_default_matmul_precision", exact)
            pack = partial(JaxTrainer(problem, m).train, range(m), 1)
            start = time.perf_counter()
            scores = [problems.rmse(problem, one.predictions) for one in pack()]
            found[exact] = np.array(scores), time.perf_counter() - start
        (full, took), (short, sooner) = found.values()
        apart = np.abs(full - short).mean()
        cells = [f"{each.mean():.4f} ± {each.std(ddof=1):.4f}" for each in (full, short)]
        welch: Any = ttest_ind(full, short, equal_var=False)
        row = [*cells, f"{welch.pvalue:.2f}", f"{apart:.4f}", f"{took:.1f}", f"{sooner:.1f}"]
        kept.add("precision", case, [name, str(m), *row])


def _weights(problem: Problem) -> int:
    """Parameters of one replicate."""
    return build(problem.network, problem.features.width, problem.n_endpoints).count_params()


def growth(kept: Kept, _: Sequence[str], counts: Sequence[int]) -> None:
    """With molecules and with replicates; memory at the end."""
    import jax

    from manywalks.train.jax_engine.trainer import JaxTrainer

    sizes = [(n, 32) for n in (1_000, 10_000, 50_000, 200_000)] + [(1_000, m) for m in (128, 256, 1_024)]
    for n, m in sizes:
        if m > max(counts):
            continue
        problem = synthetic(n, 2)
        pack = partial(JaxTrainer(problem, m).train, range(m), 1)
        pack()
        took = seconds(pack)
        stats = jax.devices()[0].memory_stats() or {}
        peak = stats.get("peak_bytes_in_use", 0) / 2**30
        each = 1000 * took / (m * steps_of(problem))
        row = [f"{n:,}", f"{m:,}", f"{each:.4f}", f"{took:.1f}", f"{peak:.2f}"]
        kept.add("growth", f"{n} {m}", row)


def whole(kept: Kept, _: Sequence[str], counts: Sequence[int]) -> None:
    """The steps of a run on a part of the lipophilicity table, as many replicates as the most asked for."""
    with tempfile.TemporaryDirectory() as folder:
        for step, took in run(Path(folder), "default", max(counts)):
            kept.add("whole", step, [step, str(max(counts)), f"{took:.1f}"])


def predict(kept: Kept, _: Sequence[str], counts: Sequence[int]) -> None:
    """An ensemble of dense families and graphs: its networks' outputs on all cores and on the device."""
    m = min(32, max(counts))
    with tempfile.TemporaryDirectory() as folder:
        for step, took in run(Path(folder), "best", m, last="ensemble"):
            kept.add("best", step, [step, str(m), f"{took:.1f}"])
        for row in both_ways(Path(folder)):
            kept.add("predict", row[0], row)


PARTS = {"speed": speed, "growth": growth, "precision": precision, "whole": whole, "predict": predict}


def main() -> None:
    """Measure, print, write the sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    parser.add_argument("--cases", nargs="*", default=CASES)
    parser.add_argument("--replicates", nargs="*", type=int, default=[1, 8, 32, 128])
    parser.add_argument("--precision", default=PRECISION, help="of products: float32, tensorfloat32")
    parser.add_argument(
        "--kept", type=Path, default=problems.CACHE / "engine-jax.json", help="where rows are"
    )
    parser.add_argument(
        "--write", action="store_true", help="measure nothing, write what was measured elsewhere"
    )
    asked = parser.parse_args()
    kept = Kept(asked.kept)
    if not asked.write:
        os.environ.update(ENVIRONMENT)
        from manywalks.train.jax_engine.worker import start_jax

        start_jax(asked.precision)
        kept.add("device", "name", [device_name()])
        for name in asked.parts:
            PARTS[name](kept, asked.cases, asked.replicates)
    write(kept)


if __name__ == "__main__":
    main()
