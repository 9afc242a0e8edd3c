"""The engines that train a pack of replicates, and which one a problem gets."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType

from manywalks.train.problem import Problem, Progress, Replicate, check_problem

ENGINES = {
    "numba": "manywalks.train.dense_engine.engine",
    "keras": "manywalks.train.keras_engine.engine",
    "stacked": "manywalks.train.stacked_engine",
}


def choose_engine(problem: Problem) -> str:
    """The engine's name: the one asked for, or the fastest that can train this network."""
    named = problem.train_params.engine
    if named == "auto":
        return "numba" if _engine("numba").supports(problem) else "keras"
    if not _engine(named).supports(problem):
        raise ValueError(f"train.engine: {named!r} cannot train this network; use 'auto'")
    return named


def train_pack(
    problem: Problem,
    indices: Sequence[int],
    entropy: int,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> Iterator[Replicate]:
    """Train the replicates `indices`, yielding each as it ends (in any order).

    Replicate k draws from `SeedSequence(entropy, spawn_key=(k,))` alone: neither the rest of the pack
    nor the number of threads changes it.
    """
    check_problem(problem)
    engine = _engine(choose_engine(problem))
    yield from engine.train_pack(problem, indices, entropy, threads=threads, progress=progress)


def _engine(name: str) -> ModuleType:
    """The engine's module; imported only when used, since two of them import TensorFlow."""
    return import_module(ENGINES[name])
