"""Networks on graphs on a processor: JAX without empty slots beside the Keras model on TensorFlow.

    python -m benchmarks.engine_graph [--data DIR] [--tables caco2_wang] [--turns 3]

Core milliseconds for one step of one replicate: what its process takes for some epochs, less what it takes
for one, over the steps between. Both engines in turn, one thread, the same molecules, orders, first weights;
slots as `manywalks init` chooses them. "Start" is what is left: imports, tracing, compiling, drawing weights,
predicting. JAX's programs are kept from one process to the next, so an untimed training comes first.
"""

import argparse
import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.families import SMALL, TABLES, R, View, family_of, prepare_fold, read
from benchmarks.results import table, write_section
from manywalks.featurize.featurize import featurize
from manywalks.train.engines import train_pack
from manywalks.train.problem import Pack, Problem

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
NAMES = ("caco2_wang", "lipophilicity_astrazeneca")
NETWORKS: dict[str, dict[str, Any]] = {
    "relational, 64 units, 3 layers": SMALL,
    "relational, 192 units, 4 layers": {**SMALL, "units": 192, "layers": 4},
    "dmpnn, 64 units, 3 layers": {**SMALL, "builder": "dmpnn"},
}
# units and layers, of the smallest of them
SMALLEST = 64 * 3
ENGINES = {"keras": "Keras model on TensorFlow", "jax": "without empty slots, on JAX"}


class Cost(NamedTuple):
    """Of one engine in one turn: core ms a step, core seconds besides."""

    step: float
    start: float


def problems(name: str, folder: Path) -> Iterator[tuple[str, Problem]]:
    """Each network's problem on the first scaffold fold of a table."""
    whole, blocks = read(TABLES[name], folder, 5), ("graph", *R)
    for network, settings in NETWORKS.items():
        family = family_of(whole, View(blocks, settings))
        features = featurize(whole.molecules["smiles"].tolist(), family.params.featurize.blocks)
        yield network, prepare_fold(whole, features, family, 0).problem


def cost(problem: Problem, engine: str, epochs: int) -> Cost:
    """What an engine takes."""
    one, more = _core_seconds(problem, engine, 1), _core_seconds(problem, engine, epochs)
    each = (more - one) / (problem.steps_per_epoch * (epochs - 1))
    return Cost(1000 * each, one - each * problem.steps_per_epoch)


def _core_seconds(problem: Problem, engine: str, epochs: int) -> float:
    """Of the processes that train one replicate for so many epochs."""
    params = problem.train_params.model_copy(update={"engine": engine, "epochs": epochs})
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    list(train_pack(Pack(replace(problem, train_params=params), [0], 1)))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(name: str, asked: argparse.Namespace) -> Iterator[list[str]]:
    """Rows of the table of results."""
    for network, problem in problems(name, asked.data):
        units = problem.network.units * problem.network.layers
        epochs = 1 + max(1, asked.steps * SMALLEST // (units * problem.steps_per_epoch))
        _core_seconds(problem, "jax", 1)
        turns = [{one: cost(problem, one, epochs) for one in ENGINES} for _ in range(asked.turns)]
        ratios = [turn["keras"].step / turn["jax"].step for turn in turns]
        for engine, said in ENGINES.items():
            step, start = (np.median([turn[engine][k] for turn in turns]) for k in range(2))
            ratio = f"{np.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
            each = step / problem.train_params.batch_size
            cells = [f"{step:.1f}", f"{each:.3f}", ratio if engine == "jax" else "1", f"{start:.1f}"]
            yield [name, network, said, *cells]
            print(name, network, said, *cells, flush=True)


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--tables", nargs="+", default=list(NAMES), choices=list(TABLES))
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--steps", type=int, default=600, help="about how many are timed, of larger networks fewer"
    )
    asked = parser.parse_args()
    rows = [row for name in asked.tables for row in measured(name, asked)]
    header = [
        "table", "network", "engine", "core ms for a step of 64 molecules", "for a molecule", "times as fast",
        "start, core s",
    ]  # fmt: skip
    text = (
        "## Networks on graphs on a processor\n\n"
        f"`python -m benchmarks.engine_graph`: one replicate, one thread; medians of {asked.turns} turns, in "
        f"brackets the range. Load of the machine when it ended: {os.getloadavg()[0]:.1f}.\n\n"
        + table(header, rows)
    )
    print(text)
    write_section("engine-graph", text)


if __name__ == "__main__":
    main()
