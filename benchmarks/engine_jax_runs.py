"""Whole runs on the device, for benchmarks/engine_jax.py: the steps' times, and predictions in two ways."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import problems
from benchmarks.engine_jax_problems import defaults
from benchmarks.engine_jax_tables import MOLECULES
from manywalks.data.sizes import slots_for
from manywalks.ensemble.device.worker import Program
from manywalks.ensemble.model import Ensemble
from manywalks.features import Features
from manywalks.params.presets import Preset
from manywalks.workspace import Workspace

STEPS = ("curate", "featurize", "split", "train", "draws", "ensemble", "evaluate", "report")
# Molecules that are predicted: the run's own, again and again.
PREDICTED = 20_000


def run(folder: Path, preset: Preset, replicates: int, last: str = STEPS[-1]) -> Iterator[tuple[str, float]]:
    """Each step of a run on a part of the lipophilicity table, a process each, and the seconds it took."""
    path, smiles, column = problems.TABLES["lipophilicity"]
    part = pd.read_csv(problems.DATA / path).head(MOLECULES).filter([smiles, column])
    part.to_csv(folder / "table.csv", index=False)
    asked = defaults(smiles, column, preset, slots_for(list(part[smiles]))).model_dump(mode="json")
    asked["split"]["method"], asked["train"]["engine"] = "scaffold", "jax"
    asked["replicates"]["count"] = replicates
    (folder / "params.yaml").write_text(json.dumps(asked), encoding="utf-8")
    for step in STEPS[: STEPS.index(last) + 1]:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "manywalks.tasks", step], cwd=folder, check=True)
        yield step, time.perf_counter() - start


def both_ways(folder: Path) -> Iterator[list[str]]:
    """One row per family: ms per molecule on all cores and on the device, and how far outputs differ."""
    workspace = Workspace(folder)
    ensemble = Ensemble.load(workspace.ensemble)
    own = Features.load(workspace.features)
    scaled = ensemble.scaler.transform(own.take(np.arange(PREDICTED) % len(own)))
    program = Program(workspace.ensemble / "model.keras")
    for number, family in enumerate(ensemble.predictor.families):
        here, at_home = _timed(partial(family.stack.outputs, scaled))
        there, away = _timed(partial(program.outputs, number, scaled))
        apart = float(np.abs(here - there).max())
        name = ensemble.about["params"]["families"][number]["name"]
        yield [
            name, str(len(here)), f"{1000 * at_home / PREDICTED:.3f}", f"{1000 * away / PREDICTED:.3f}",
            f"{at_home / away:.1f}", f"{apart:.1e}",
        ]  # fmt: skip


def _timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """What it gives, and how long its second call took: the first one compiles."""
    work()
    start = time.perf_counter()
    return work(), time.perf_counter() - start
