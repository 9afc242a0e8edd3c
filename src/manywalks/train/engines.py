"""The engines that train a pack of replicates, and which one a problem gets."""

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from manywalks.runtime.resources import usable_cores
from manywalks.train.problem import Pack, Problem, Replicate, check_problem

ENGINES = {
    "numba": "manywalks.train.dense_engine.engine",
    "keras": "manywalks.train.keras_engine.engine",
    "jax": "manywalks.train.jax_engine.engine",
}


def choose_engine(problem: Problem) -> str:
    """The engine's name: the one asked for, or the fastest that can train this network on this machine.

    Raises:
        ValueError: the engine that was asked for cannot train it here.
    """
    named = problem.train_params.engine
    if named == "auto":
        if problem.network.on_graph or _engine("jax").is_worth_it(problem, usable_cores()):
            return "jax"
        return "numba" if _engine("numba").supports(problem) else "keras"
    if not _engine(named).supports(problem):
        raise ValueError(f"train.engine: {named!r} cannot train this network; use 'auto'")
    return named


def train_pack(pack: Pack) -> Iterator[Replicate]:
    """Train a pack with the engine that its problem gets; yields each replicate as it ends, in any order."""
    check_problem(pack.problem)
    yield from _engine(choose_engine(pack.problem)).train_pack(pack)


def description(name: str) -> str:
    """What is kept beside a replicate of the engine that trained it."""
    return _engine(name).description() if name == "jax" else name


def _engine(name: str) -> ModuleType:
    """The engine's module; imported only when used, since they import much."""
    return import_module(ENGINES[name])
