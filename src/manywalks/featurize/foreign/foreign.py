"""Features made elsewhere: a user's function of SMILES, a table of vectors, MiniMol.

A function is called with one molecule at a time in worker processes, and its values are kept by molecule
(`value_cache`), so that a dear one computes a molecule once. Before the first use it is checked: shape,
finiteness, and that a molecule alone has the values that it has in a list.
"""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from manywalks.featurize.foreign.value_cache import ValueCache
from manywalks.params.sections.block_sources import (
    file_of,
    function_name,
    is_path,
    parted,
    shown,
    source_of,
)
from manywalks.params.sections.model import FeatureBlock

# molecules that every function is tried on
PROBES = ("CCO", "Oc1ccccc1", "CC(=O)Nc1ccc(O)cc1")


class Embedded(NamedTuple):
    """Values (n, d) of n molecules, and the names of the d columns."""

    values: np.ndarray
    names: tuple[str, ...]


def function_columns(block: FeatureBlock) -> tuple[str, ...]:
    """Names of a function's columns; the first time, it is called and checked."""
    cache = _cache(function_name(block))
    names = cache.columns()
    if names is None:
        names = _checked(function_name(block))
        cache.keep_columns(names)
    return names


def function_values(block: FeatureBlock, smiles: str) -> np.ndarray:
    """Values of one molecule: float32 (d,), computed where none are kept."""
    name, cache = function_name(block), _cache(function_name(block))
    found = cache.get(smiles)
    if found is None:
        embedded = _embed(name, [smiles])
        if embedded.names != function_columns(block):
            raise ValueError(f"{shown(name)} gave {len(embedded.names)} other columns than before")
        if not np.isfinite(embedded.values).all():
            raise ValueError(f"{shown(name)} gave values that are not finite")
        found = embedded.values[0]
        cache.keep(smiles, found)
    return found


def warm(name: str) -> None:
    """Call a function once: what it loads at its first call may take longer than a molecule may."""
    _embed(name, PROBES[:1])


def _checked(name: str) -> tuple[str, ...]:
    """Column names of a function of each molecule alone; a ValueError says what it is else."""
    where = f"featurize.blocks: {shown(name)}"
    together = _embed(name, PROBES)
    if not together.names or len(set(together.names)) < len(together.names):
        raise ValueError(f"{where}: {len(together.names)} column names, some twice; name each column once")
    if not np.isfinite(together.values).all():
        row = int(np.flatnonzero(~np.isfinite(together.values).all(axis=1))[0])
        raise ValueError(f"{where}: values of {PROBES[row]} are not finite; give numbers")
    for row, smiles in enumerate(PROBES):
        alone = _embed(name, [smiles]).values[0]
        scale = 1e-5 * (1 + np.abs(together.values[row]))
        apart = np.flatnonzero(np.abs(alone - together.values[row]) > scale)
        if len(apart):
            column = int(apart[0])
            raise ValueError(
                f"{where}: {smiles} has {alone[column]:.6g} in column {together.names[column]} alone and "
                f"{together.values[row, column]:.6g} in a list; make each row depend on its own molecule only"
            )
    return together.names


def _embed(name: str, smiles: Sequence[str]) -> Embedded:
    """Call a function; a ValueError where it gives no array (n, d)."""
    given = load(name)(list(smiles))
    array, names = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    values = np.asarray(array, dtype=np.float32)
    if values.ndim != 2 or len(values) != len(smiles):
        raise ValueError(
            f"featurize.blocks: {shown(name)} gave an array of shape {values.shape} for {len(smiles)} "
            f"SMILES; return (n, d), here ({len(smiles)}, d), or that and d column names"
        )
    columns = tuple(map(str, range(values.shape[1]) if names is None else names))
    if len(columns) != values.shape[1]:
        raise ValueError(
            f"featurize.blocks: {shown(name)} gave {len(columns)} names for {values.shape[1]} columns; "
            "give one for each"
        )
    return Embedded(values, columns)


@lru_cache(maxsize=16)
def load(name: str) -> Callable[[list[str]], Any]:
    """Import a function."""
    module_name, function = parted(name)
    try:
        module = _module_at(file_of(name)) if is_path(name) else importlib.import_module(module_name)
    except Exception as error:  # a person's module may fail in any way
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"featurize.blocks: {shown(name)}: cannot be imported ({said})") from error
    found = getattr(module, function, None)
    if not callable(found):
        raise ValueError(
            f"featurize.blocks: {shown(name)}: there is no function {function}; define {function}(smiles)"
        )
    return found


def _module_at(path: Path) -> Any:
    """The module of a file, under a name that no other file's module has."""
    name = f"manywalks_block_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@lru_cache(maxsize=16)
def _cache(name: str) -> ValueCache:
    """Where a function's values are kept: another version of it has another place."""
    source = source_of(name)
    key = hashlib.sha256("\n".join(source).encode()).hexdigest()[:24]
    return ValueCache.open(key)
