"""Networks on graphs tuned by scaffold cross-validation inside the rows to train on; never a test row.

    python -m benchmarks.graph_tuning --prepare --features DIR [--data DIR]       (minutes of a core a table)
    python -m benchmarks.graph_tuning --features DIR --kept FILE --seconds 500    (best on an accelerator)
    python -m benchmarks.graph_tuning --features DIR --kept FILE --write

First each key is changed by itself, on two folds of the smaller tables; then what was better is combined
there; then the best settings are trained on all folds of all tables. What a large table may want (more
epochs, the graph alone) is a stage of its own, on two folds of larger tables. So is what makes a network a
better partner of the dense ones (--stages partners --replicates 2). Each job is one setting on one table; its
predictions are kept when it ends, so that a run that was stopped goes on where it was. Several processes
share the device: while one traces and compiles, another trains.
"""

import argparse
import multiprocessing
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.accuracy import DATA
from benchmarks.families import family_of, prepare_fold
from benchmarks.graph_partners import write_partners
from benchmarks.graph_tuning_material import ALL, MORE, Material, load, make, names
from benchmarks.graph_tuning_settings import (
    PRESET,
    Setting,
    combined,
    for_larger,
    for_partners,
    singles,
    view_of,
)
from benchmarks.graph_tuning_tables import Kept, Shown, finalists, gains, pack_array, write
from manywalks.features import Features
from manywalks.replicates.statistics.mixing import in_endpoint_units
from manywalks.train.jax_engine.device import accelerators
from manywalks.train.jax_engine.engine import ENVIRONMENT, OF_A_CORE
from manywalks.train.prepare import Prepared
from manywalks.train.problem import Problem

# molecules of a table that the first stage takes
SMALLER = 1_200
FIRST_FOLDS = (0, 1)
LARGER = ("lipophilicity_astrazeneca", "biogen")
PARTNERS = ("caco2_wang", "clearance_microsome_az", "vdss_lombardo", *LARGER, "ames")


class Job(NamedTuple):
    """One setting on folds of one table."""

    setting: Setting
    table: str
    folds: tuple[int, ...]
    replicates: int
    features: Path


def run(job: Job) -> list[dict[str, Any]]:
    """Train replicates in each fold; what is kept of each.

    Raises:
        RuntimeError: the device could not; the message names the job.
    """
    try:
        return trained(job)
    except RuntimeError as error:
        raise RuntimeError(f"{job.table} {dict(job.setting)}: {error}") from None


def trained(job: Job) -> list[dict[str, Any]]:
    """What is kept of each fold."""
    import jax

    here = jax.devices()[0]
    material = load(job.table, job.features)
    family = family_of(material.table, view_of(job.setting))
    prepared = [prepare_fold(material.table, material.features, family, fold) for fold in job.folds]
    device = f"{'a processor' if here.platform == 'cpu' else here.device_kind}, JAX {jax.__version__}"
    rows = []
    for fold, one, problem in zip(job.folds, prepared, alike([one.problem for one in prepared]), strict=True):
        start = time.perf_counter()
        values = replicates(one, problem, job.replicates)
        rows.append({
            "setting": dict(job.setting), "table": job.table, "fold": fold, "device": device,
            "seconds": round(time.perf_counter() - start, 2),
            # changes a score by 0.00003 at most, and halves the file
            "predictions": pack_array(values.astype(np.float16)),
        })  # fmt: skip
    return rows


def replicates(prepared: Prepared, problem: Problem, m: int) -> np.ndarray:
    """Predictions (m, k, t) of the fold's k molecules in endpoint units, NaN where a replicate diverged."""
    import jax

    from manywalks.train.jax_engine.trainer import JaxTrainer

    # on a processor one after another, as everywhere
    trainer = JaxTrainer(problem, 1 if jax.devices()[0].platform == "cpu" else m)
    entropy, each = secrets.randbits(128), range(0, m, trainer.size)
    trained = [one for k in each for one in trainer.train(range(k, k + trainer.size), entropy)]
    here = len(prepared.problem.predict)
    values = [prepared.values(one.predictions[:here]) for one in trained]
    return in_endpoint_units(np.stack(values), prepared.transform.classes)


def alike(problems: Sequence[Problem]) -> list[Problem]:
    """The same problems in arrays of the same shapes, so that one program serves all folds of a table.

    The scaler drops columns that are constant in a fold: columns of zeros take their place. Rows to predict
    are repeated; what a network says of them is left out again.
    """
    width = max(one.features.width for one in problems)
    most = max(len(one.predict) for one in problems)
    return [
        replace(one, features=widened(one.features, width), predict=np.resize(one.predict, most))
        for one in problems
    ]


def widened(features: Features, width: int) -> Features:
    """Columns of zeros before the others, which the graph's must end."""
    spare = width - features.width
    zeros = np.zeros((len(features), spare), np.float32)
    spares = tuple(f"spare:{k}" for k in range(spare))
    return Features(features.counts, np.hstack([zeros, features.dense]), (*spares, *features.names))


def start_worker() -> None:
    """In each process: Keras on JAX."""
    from manywalks.train.jax_engine.worker import start_jax

    start_jax()


def jobs_of(
    settings: Iterable[Setting], tables: Sequence[str], folds: Sequence[int], asked: argparse.Namespace
) -> list[Job]:
    """What is still to train, setting after setting."""
    kept, jobs = Kept(asked.kept), []
    for setting in settings:
        for table in tables:
            if missing := tuple(fold for fold in folds if not kept.has(setting, table, fold)):
                jobs.append(Job(setting, table, missing, asked.replicates, asked.features))
    return jobs


def outcomes(pool: Any, jobs: Sequence[Job], until: float) -> Iterator[list[dict[str, Any]]]:
    """What ends before the time is up, as it ends; nothing for a job that failed, which is said."""
    coming = pool.imap_unordered(run, jobs)
    for _ in jobs:
        try:
            yield coming.next(timeout=max(0.0, until - time.monotonic()))
        except multiprocessing.TimeoutError:
            return
        except RuntimeError as error:  # the others' time on the device is not to be lost for it
            print(f"FAILED: {error}", flush=True)
            yield []


def train(pool: Any, jobs: Sequence[Job], until: float, asked: argparse.Namespace) -> bool:
    """Run jobs and keep what they give; whether all of them ended in time. The next run does failed ones."""
    kept, done = Kept(asked.kept), 0
    for rows in outcomes(pool, jobs, until):
        kept.add(rows)
        done += 1
        if not rows:
            continue
        took = sum(row["seconds"] for row in rows)
        print(f"{rows[0]['table']} {rows[0]['setting']}: {took:.0f} s", flush=True)
    print(f"{done} of {len(jobs)} jobs ended", flush=True)
    return done == len(jobs)


def first_stage(pool: Any, tables: Sequence[str], until: float, asked: argparse.Namespace) -> bool:
    """Each key by itself, then combinations of what was better."""
    small = smaller(tables, asked.features)
    alone = [PRESET, *singles()[: asked.settings]]
    if not train(pool, jobs_of(alone, small, FIRST_FOLDS, asked), until, asked):
        return False
    found = gains(Kept(asked.kept), asked.features, small, FIRST_FOLDS)
    chosen = combined(found, asked.combinations)
    return train(pool, jobs_of(chosen, small, FIRST_FOLDS, asked), until, asked)


def last_stage(pool: Any, tables: Sequence[str], until: float, asked: argparse.Namespace) -> bool:
    """The best few on all folds of all tables; the usual tables first, the longest jobs first."""
    small = smaller(tables, asked.features)
    chosen = finalists(gains(Kept(asked.kept), asked.features, small, FIRST_FOLDS), asked.finalists)
    folds = range(len(load(tables[0], asked.features).table.folds))
    jobs = jobs_of(chosen, tables, folds, asked)
    size = {name: work(load(name, asked.features)) for name in tables}
    order = sorted(jobs, key=lambda job: (job.table in MORE, -size[job.table] * len(job.folds)))
    return train(pool, order, until, asked)


def larger_stage(pool: Any, tables: Sequence[str], until: float, asked: argparse.Namespace) -> bool:
    """What a large table may want, on its first folds."""
    chosen = [name for name in LARGER if name in tables]
    return train(pool, jobs_of(for_larger(), chosen, FIRST_FOLDS, asked), until, asked)


def partners_stage(pool: Any, tables: Sequence[str], until: float, asked: argparse.Namespace) -> bool:
    """Partners of the dense families, trained with a warm-up, on the first folds."""
    chosen = [name for name in PARTNERS if name in tables]
    return train(pool, jobs_of(for_partners(), chosen, FIRST_FOLDS, asked), until, asked)


def smaller(tables: Sequence[str], features: Path) -> list[str]:
    """The tables of the first stage."""
    return [name for name in tables if len(load(name, features).table.molecules) <= SMALLER]


def work(material: Material) -> int:
    """About in proportion to a training: molecules, half the epochs for classes."""
    return len(material.table.molecules) * (1 if material.table.classes else 2)


STAGES = {"first": first_stage, "last": last_stage, "larger": larger_stage, "partners": partners_stage}


def main() -> None:
    """Make the material, or train, or write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=Path, required=True, help="folder that --prepare fills")
    parser.add_argument("--kept", type=Path, default=None, help="JSON lines of what was trained")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--tables", nargs="+", default=list(ALL), choices=list(ALL))
    parser.add_argument("--folds", type=int, default=5, help="with --prepare")
    parser.add_argument("--stages", nargs="+", default=["first", "last"], choices=list(STAGES))
    parser.add_argument("--settings", type=int, default=None, help="how many keys are changed by themselves")
    parser.add_argument("--combinations", type=int, default=8)
    parser.add_argument("--finalists", type=int, default=3)
    parser.add_argument("--replicates", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--processes", type=int, default=max(1, len(os.sched_getaffinity(0)) - 3))
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    if asked.prepare:
        for name in asked.tables:
            if name not in names(asked.features):
                make(name, asked.features, asked)
        return
    if asked.kept is None:
        parser.error("--kept: is missing; name the file that takes what is trained")
    tables = [name for name in names(asked.features) if name in asked.tables]
    if asked.write:
        shown = Shown(tables, smaller(tables, asked.features), [one for one in LARGER if one in tables])
        write(Kept(asked.kept), asked.features, shown, FIRST_FOLDS)
        partners = [one for one in PARTNERS if one in tables]
        write_partners(Kept(asked.kept), asked.features, partners, FIRST_FOLDS)
        return
    until = time.monotonic() + asked.seconds
    os.environ.update(ENVIRONMENT if accelerators() else OF_A_CORE)
    context = multiprocessing.get_context("spawn")
    with context.Pool(asked.processes, start_worker) as pool:
        for stage in asked.stages:
            if not STAGES[stage](pool, tables, until, asked):
                print("the time is up; the same command goes on")
                return


if __name__ == "__main__":
    main()
