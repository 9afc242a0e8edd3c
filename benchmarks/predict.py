"""Prediction by all replicates at once beside Keras: one model after another, and the stacked model.

    python -m benchmarks.predict [--molecules 100000] [--keras-molecules 10000]

The network is 2048-512-128-1 on made-up fingerprints with 45 bits set of 2,048, as Morgan bits of drug-like
molecules have. Each way predicts mean and spread of every molecule; Keras's ways may do with fewer molecules,
their times being given for each 1,000.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from benchmarks.results import table, write_section
from manywalks.ensemble.model_file.keras_file import save_keras
from manywalks.ensemble.model_file.keras_stack import FamilyReplicates, describe, stacked_model
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.targets import TargetStep, TargetTransform
from manywalks.train.weights import initial_weights

WIDTH, BITS, REPLICATES = 2048, 45, 32
SILENT: Any = 0
NETWORK = NetworkParams.model_validate(
    {"widths": (512, 128), "activation": "relu", "normalization": "none", "dropout": 0.2}
)
TRANSFORM = TargetTransform((TargetStep("y", "standard", mean=-3.0, sd=2.0),))


class Cost(NamedTuple):
    """Seconds for 1,000 molecules: by the clock, and of processor time over all cores."""

    clock: float
    processor: float


def fingerprints(n: int) -> Features:
    """Random bits of n molecules."""
    rng = np.random.default_rng(0)
    # sorted draws with replacement: a few bits fewer than BITS, and no loop over molecules
    columns = np.sort(rng.integers(0, WIDTH, (n, BITS), dtype=np.int32), axis=1).ravel()
    starts = np.arange(0, n * BITS + 1, BITS)
    counts = sparse.csr_matrix((np.ones(n * BITS, np.float32), columns, starts), shape=(n, WIDTH))
    counts.sum_duplicates()
    counts.data[:] = 1
    return Features(counts, np.zeros((n, 0), np.float32), tuple(f"bit_{i}" for i in range(WIDTH)))


def cost(work: Callable[[], object], n: int) -> Cost:
    """Of work on n molecules."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Cost(1000 / n * (time.perf_counter() - clock), 1000 / n * (time.process_time() - processor))


def one_after_another(weights: list[list[np.ndarray]], matrix: np.ndarray) -> np.ndarray:
    """Each replicate's own Keras model: (m, n, 1) in endpoint units."""
    model = build(NETWORK, WIDTH, 1)
    outputs = []
    for of_one in weights:
        model.set_weights(of_one)
        outputs.append(model.predict(matrix, batch_size=1024, verbose=SILENT))
    return TRANSFORM.inverse(np.stack(outputs))


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--molecules", type=int, default=100_000)
    parser.add_argument("--keras-molecules", type=int, default=10_000)
    asked = parser.parse_args()
    rng = np.random.default_rng(1)
    weights = [initial_weights(NETWORK, WIDTH, 1, rng) for _ in range(REPLICATES)]
    family = FamilyReplicates(NETWORK, TRANSFORM, weights)
    many, few = fingerprints(asked.molecules), fingerprints(asked.keras_molecules)
    import_keras()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model = stacked_model([family])
        save_keras(model, path, about=describe([family]))
        predictor = StackedPredictor.load(path)
    found = predictor.predict_mean_spread(few)  # compiles, too
    matrix = few.matrix()
    expected = one_after_another(weights, matrix[:1000]).mean(axis=0)
    np.testing.assert_allclose(found.mean[:1000], expected, rtol=1e-4, atol=1e-5)
    model.predict(matrix[:2048], batch_size=1024, verbose=SILENT)
    costs = {
        f"all replicates at once, no TensorFlow ({len(many):,} molecules)": cost(
            lambda: predictor.predict_mean_spread(many), len(many)
        ),
        f"the ensemble's one Keras model, batches of 1,024 ({len(few):,})": cost(
            lambda: model.predict(matrix, batch_size=1024, verbose=SILENT), len(few)
        ),
        f"{REPLICATES} Keras models, one after another, batches of 1,024 ({len(few):,})": cost(
            lambda: one_after_another(weights, matrix), len(few)
        ),
    }
    best = next(iter(costs.values()))
    rows = [
        [way, f"{100 * c.clock:.1f}", f"{100 * c.processor:.1f}", f"{c.processor / best.processor:.1f}"]
        for way, c in costs.items()
    ]
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    text = f"""## Prediction by all replicates

{REPLICATES} replicates of 2048-512-128-1 on 100,000 molecules of {BITS} bits, {cores} cores, seconds
(scaled from as many molecules as stand in brackets). The machine's load while it was measured was
{load:.1f}: above the number of cores, the clock says little and the processor's time is what to compare.

{table(["way", "by the clock", "processor, all cores", "processor, ratio"], rows)}
"""
    print(text)
    write_section("predict", text)


if __name__ == "__main__":
    main()
