"""The engines that train a pack of replicates, and which one a problem gets."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType

from manywalks.runtime.resources import usable_cores
from manywalks.train.problem import Problem, Progress, Replicate, check_problem

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
        if _engine("jax").is_worth_it(problem, usable_cores()):
            return "jax"
        return "numba" if _engine("numba").supports(problem) else "keras"
    if named == "jax" and not _engine("jax").supports(problem):
        raise ValueError(
            "train.engine: 'jax' needs JAX, which is not installed; pip install 'manywalks[gpu]' (in a "
            "checkout: pip install '.[gpu]'), or use 'auto'"
        )
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
    spare: Sequence[int] = (),
) -> Iterator[Replicate]:
    """Train the replicates `indices`, yielding each as it ends (in any order).

    Replicate k draws from `SeedSequence(entropy, spawn_key=(k,))` alone: neither the rest of the pack
    nor the number of threads changes it. Where an accelerator's pack has room, some of `spare` come as well.
    """
    check_problem(problem)
    name = choose_engine(problem)
    room = {"spare": spare} if name == "jax" else {}
    yield from _engine(name).train_pack(problem, indices, entropy, threads=threads, progress=progress, **room)


def description(name: str) -> str:
    """What is kept beside a replicate of the engine that trained it."""
    return _engine(name).description() if name == "jax" else name


def _engine(name: str) -> ModuleType:
    """The engine's module; imported only when used, since they import much."""
    return import_module(ENGINES[name])
