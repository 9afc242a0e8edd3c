"""Sizes of a cluster run, on paper: what is measured on the demo, and what follows for larger ones.

    python -m benchmarks.cluster       half a minute; writes benchmarks/RESULTS.md and docs/cluster.md

Seconds are of processor time of one core; bytes are those of the files. The large case is arithmetic: weights
from the widths, steps from the molecules, a step's time in proportion to the weights that it updates.
"""

import itertools
import math
import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.results import table, write_section
from manywalks.replicates import dask_packs
from manywalks.replicates.opening import open_store
from manywalks.replicates.store import entropy_of
from manywalks.runtime.steps.step_process import run_step
from manywalks.train.engines import train_pack
from manywalks.train.prepare import read_prepared
from manywalks.train.problem import Pack
from manywalks.workspace import Workspace

REPOSITORY = Path(__file__).parents[1]
CORES = 128
TIMED = 3


class Case(NamedTuple):
    """A run: its size, bytes of the bundle, seconds of one core a replicate."""

    name: str
    molecules: int
    predicted: int
    features: int
    endpoints: int
    replicates: int
    bundle: float
    seconds: float


class Demo(NamedTuple):
    """The demo, measured; its widths and its steps."""

    case: Case
    widths: tuple[int, ...]
    epochs: int
    batch: int


def measure() -> Demo:
    """The demo: its bundle, and one replicate's time."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(REPOSITORY / "params.yaml", work)
        (work / "data/raw").mkdir(parents=True)
        shutil.copy(REPOSITORY / "data/raw/solubility.csv", work / "data/raw")
        for step in ("curate", "featurize", "split"):
            run_step([step], folder=work, time_limit=600)
        workspace = Workspace.open(work)
        store = open_store(workspace)
        first = store.families[0]
        problem, entropy = read_prepared(workspace, first.family).problem, entropy_of(first, workspace.params)
        list(train_pack(Pack(problem, [0], entropy)))  # compiles
        start = time.process_time()
        list(train_pack(Pack(problem, range(1, TIMED + 1), entropy)))
        seconds = (time.process_time() - start) / TIMED
        bundle = float(len(dask_packs.training_bundle(workspace, store)))
    case = Case(
        "demo, 20 replicates", len(problem.features), len(problem.predict), problem.features.width, 1, 20,
        bundle, seconds,
    )  # fmt: skip
    return Demo(case, tuple(problem.network.widths), problem.epochs, problem.train_params.batch_size)


def large(demo: Demo) -> Case:
    """1,000 endpoints of 200,000 molecules, by arithmetic from the demo."""
    small = demo.case
    case = small._replace(
        name="1,000 endpoints, 200,000 molecules, 32 replicates",
        molecules=200_000, predicted=60_000, endpoints=1000, replicates=32,
    )  # fmt: skip
    steps = [one.molecules - one.predicted for one in (small, case)]
    ratio = steps[1] / steps[0] * weights(case, demo.widths) / weights(small, demo.widths)
    # features grow with the molecules; values are 8 bytes for each endpoint and molecule
    bundle = small.bundle * case.molecules / small.molecules + 8.0 * case.molecules * case.endpoints
    return case._replace(bundle=bundle, seconds=ratio * small.seconds)


def weights(case: Case, widths: tuple[int, ...]) -> int:
    """Weights and biases of one replicate."""
    sizes = [case.features, *widths, case.endpoints]
    return sum((before + 1) * after for before, after in itertools.pairwise(sizes))


def column(case: Case, widths: tuple[int, ...]) -> list[str]:
    """What a run of the case needs."""
    predictions = 4 * case.predicted * case.endpoints
    one = 4 * weights(case, widths) + predictions
    packs = min(case.replicates, CORES)
    tasks = packs * math.ceil(math.ceil(case.replicates / packs) / dask_packs.PACK)
    rounds = math.ceil(case.replicates / CORES)
    return [
        case.name,
        amount(case.bundle),
        amount(one),
        duration(case.seconds),
        f"{3600 * CORES / case.seconds:,.0f}",
        duration(rounds * case.seconds),
        amount(case.replicates * one),
        f"{tasks:,}",
        amount(case.replicates * predictions),
    ]


def amount(size: float) -> str:
    """Bytes for people."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{float(f'{size / factor:.2g}'):,g} {unit}"
    return f"{float(f'{size / 1e3:.2g}'):,g} kB"


def duration(seconds: float) -> str:
    """Seconds for people."""
    return f"{seconds:.2g} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def main() -> None:
    """Measure, work out, print and write."""
    demo = measure()
    cases = [demo.case, demo.case._replace(name="demo, 10,000 replicates", replicates=10_000), large(demo)]
    columns = [column(case, demo.widths) for case in cases]
    heads = [
        "", "bundle, once a worker", "a replicate's file", "one core trains a replicate in",
        f"replicates an hour on {CORES} cores", f"all of them on {CORES} cores", "back to the driver, in all",
        "tasks that the scheduler sees", "the driver's predictions at a look",
    ]  # fmt: skip
    small = demo.case
    text = (
        f"Worked out by `python -m benchmarks.cluster`. Measured on the demo ({small.molecules:,} molecules, "
        f"{small.features:,} features,\nnetwork {'-'.join(map(str, demo.widths))}, {demo.epochs} epochs): "
        "bundle and processor time a replicate. The rest is\narithmetic: a weight is 4 bytes, a kept "
        "prediction 4, and a step's time goes with the number of weights.\n\n"
    )
    text += table(*turned(heads, columns))
    print(text)
    write_section("cluster", f"## Cluster: sizes on paper\n\n{text}")
    write_section("cluster-sizes", text, REPOSITORY / "docs/cluster.md")


def turned(heads: list[str], columns: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Cases side by side: header and rows of the table."""
    rows = [[head, *cells] for head, *cells in zip(heads, *columns, strict=True)]
    return rows[0], rows[1:]


if __name__ == "__main__":
    main()
