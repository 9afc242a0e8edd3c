"""Compile the dense engine before its first use, on two cores: numba itself compiles on one.

The way forward and the way back do not call each other, so a second process compiles the one while this one
compiles the other; both find it on disk when they compile what calls them. `python -m
manywalks.train.dense_engine.compile` does it beforehand, so that no first training waits for it.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import typeof, types
from scipy import sparse

from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams, TrainParams
from manywalks.runtime.resources import usable_cores
from manywalks.train.dense_engine.layout import flatten, fresh_work, prepare
from manywalks.train.dense_engine.network import forward, predict_rows
from manywalks.train.dense_engine.sparse_plan import plan_window
from manywalks.train.dense_engine.steps import backward, train_window, update_rows
from manywalks.train.problem import Problem
from manywalks.train.targets import Targets
from manywalks.train.weights import initial_weights

WHOLE, TRUTH, REAL, NUMBER = types.int64, types.boolean, types.float32, types.float64
ROWS, STEPS = types.Array(types.int32, 1, "C"), types.Array(NUMBER, 1, "C")
VECTOR, MATRIX = types.Array(REAL, 1, "C"), types.Array(REAL, 2, "C")


class Kinds(NamedTuple):
    """Numba's types of what the compiled functions take."""

    data: Any
    shape: Any
    state: Any
    work: Any


def compile_ahead(threads: int) -> None:
    """Compile everything, unless it lies on disk or there is no core for a second process."""
    if threads < 2 or is_compiled():
        return
    kinds = kinds_of(tiny_problem())
    with _beside("back"):
        compile_forward(kinds)
    with _beside("predict"):
        compile_train(kinds)


def is_compiled() -> bool:
    """Whether the function that calls the others lies on disk, made since its file was last written."""
    folder = train_window.stats.cache_path
    source = Path(train_window.py_func.__code__.co_filename)
    made = Path(folder).glob(f"{source.stem}.train_window-*.nbi") if folder else ()
    return any(index.stat().st_mtime >= source.stat().st_mtime for index in made)


def tiny_problem() -> Problem:
    """Two molecules, and a network on them: its types are those of every problem."""
    numbers = np.ones((2, 1), np.float32)
    return Problem(
        features=Features(sparse.csr_matrix(numbers), numbers, ("bit", "number")),
        targets=Targets(numbers, numbers, np.zeros((2, 1), np.int8), np.zeros(1, bool)),
        train=np.arange(2),
        valid=np.arange(2),
        predict=np.arange(2),
        network=NetworkParams.model_validate({"widths": [2]}),
        train_params=TrainParams.model_validate({"epochs": 1}),
    )


def kinds_of(problem: Problem) -> Kinds:
    """The types of a problem's data, shape, state and scratch."""
    prepared = prepare(problem)
    width, rng = problem.features.width, np.random.default_rng(0)
    state = flatten(prepared, initial_weights(problem.network, width, problem.n_endpoints, rng), 0)
    work = fresh_work(prepared.shape)
    return Kinds(typeof(prepared.data), typeof(prepared.shape), typeof(state), typeof(work))


def compile_forward(kinds: Kinds) -> None:
    """The way forward."""
    forward.compile((kinds.data, kinds.shape, kinds.state, kinds.work, ROWS, NUMBER))


def compile_back(kinds: Kinds) -> None:
    """The plan of a window, the way back, and the update of the first layer."""
    counts, columns, values = kinds.data[0], kinds.data[1], kinds.data[2]
    asked = (counts, columns, values, ROWS, WHOLE, WHOLE, TRUTH)
    plan_window.compile(asked)
    backward.compile((kinds.shape, kinds.state, kinds.work, WHOLE, REAL, REAL))
    plan = plan_window.overloads[asked].signature.return_type
    given = (kinds.shape, kinds.state, kinds.work, plan, WHOLE, MATRIX, VECTOR, VECTOR, VECTOR, VECTOR)
    update_rows.compile(given)


def compile_predict(kinds: Kinds) -> None:
    """Prediction, which calls the way forward."""
    predict_rows.compile((*kinds, ROWS, MATRIX))


def compile_train(kinds: Kinds) -> None:
    """Training, which calls all but prediction."""
    train_window.compile((*kinds, ROWS, STEPS, STEPS, VECTOR, VECTOR))


JOBS = {"back": compile_back, "predict": compile_predict}


@contextmanager
def _beside(part: str) -> Iterator[None]:
    """Another process compiles a part meanwhile; if it fails, whoever calls that part compiles it."""
    command = [sys.executable, "-m", "manywalks.train.dense_engine.compile", part]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as helper:
        yield
        helper.wait()


def main() -> None:
    """Compile the part that is asked for, or everything."""
    if len(sys.argv) > 1:
        JOBS[sys.argv[1]](kinds_of(tiny_problem()))
    else:
        compile_ahead(usable_cores())


if __name__ == "__main__":
    main()
