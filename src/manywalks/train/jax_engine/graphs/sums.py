"""Sums along bonds and over molecules, forward and back, by gathering and by products.

Bonds lead both ways, so for every table of what comes from where there is one of what goes where. JAX's own
gradient of a gather would be a scatter, which on a GPU is slow and adds up in any order.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np


class Links(NamedTuple):
    """Rows of which a row is the sum: int32 and bool (n, d), where they are, and whether they are there."""

    rows: Any
    there: Any


class Places(NamedTuple):
    """Whose the a rows of the atoms (or bonds) of b molecules are; the last rows may be empty.

    Attributes:
        molecule: int32 (a,).
        there: bool (a,), whether the row holds an atom.
        number: int32 (a,), which of its molecule's atoms.
        first: int32 (b,), the row of a molecule's first atom.
        whose: float32 (b, a), 1 where an atom is a molecule's.
    """

    molecule: Any
    there: Any
    number: Any
    first: Any
    whose: Any


class Sums(NamedTuple):
    """Sums whose gradients are sums of the same kind.

    Attributes:
        linked: (x (k, u), sources (n, d), targets (k, e)) -> (n, u), the sums of the rows that are its
            sources; targets are the same the other way, the rows of the result that each row of x is in.
        total: (atoms (a, u), places) -> (b, u), over each molecule's atoms.
        everywhere: (molecules (b, u), places) -> (a, u), what a molecule has, at each of its atoms.
    """

    linked: Callable[[Any, Links, Links], Any]
    total: Callable[[Any, Places], Any]
    everywhere: Callable[[Any, Places], Any]


@cache
def sums() -> Sums:
    """Made where JAX is there."""
    import jax
    import jax.numpy as jnp

    @jax.custom_vjp
    def linked(x: Any, sources: Links, targets: Links) -> Any:
        # d gathers and not one of d rows each: they become one kernel, which writes nothing but the sums
        each = zip(sources.rows.T, sources.there.T, strict=True)
        return sum(jnp.where(there[:, None], rows_of(x, rows), 0) for rows, there in each)

    @jax.custom_vjp
    def total(atoms: Any, places: Places) -> Any:
        # a sum is a sum: not rounded as other products may be
        return jnp.matmul(places.whose, atoms, precision="float32")

    @jax.custom_vjp
    def everywhere(molecules: Any, places: Places) -> Any:
        return jnp.where(places.there[:, None], rows_of(molecules, places.molecule), 0)

    linked.defvjp(
        lambda x, sources, targets: (linked(x, sources, targets), (sources, targets)),
        lambda links, slopes: (linked(slopes, links[1], links[0]), None, None),
    )
    total.defvjp(
        lambda atoms, places: (total(atoms, places), places),
        lambda places, slopes: (everywhere(slopes, places), None),
    )
    everywhere.defvjp(
        lambda molecules, places: (everywhere(molecules, places), places),
        lambda places, slopes: (total(slopes, places), None),
    )
    return Sums(linked, total, everywhere)


def places_of(count: Any, room: Any) -> Places:
    """Of molecules with `count` (b,) atoms in the rows `room` (a,)."""
    import jax.numpy as jnp

    numbers = np.arange(count.shape[0])
    ends = jnp.sum(jnp.where(numbers[:, None] >= numbers, count, 0), axis=1)
    first = ends - count
    ended = jnp.sum(ends <= room[:, None], axis=1)
    molecule = jnp.minimum(ended, len(numbers) - 1)
    whose = jnp.asarray(ended == numbers[:, None], jnp.float32)
    return Places(molecule, ended < len(numbers), room - rows_of(first, molecule), first, whose)


def rows_of(x: Any, rows: Any) -> Any:
    """x[rows]; all of them are there."""
    return _gather()(x, rows)


@cache
def _gather() -> Callable[[Any, Any], Any]:
    """Made where JAX is there: for all replicates one gather of rows from one table.

    `vmap` alone would give each row two numbers, its replicate's and its own, by a kernel for each gather.
    """
    import jax.numpy as jnp
    from jax.custom_batching import custom_vmap

    @custom_vmap
    def gather(x: Any, rows: Any) -> Any:
        return x.at[rows].get(mode="promise_in_bounds")

    @gather.def_vmap
    def _(m: int, batched: Any, x: Any, rows: Any) -> tuple[Any, bool]:
        of_each, each = batched
        if not of_each:
            return gather(x, rows), True
        if not each:
            return jnp.moveaxis(gather(jnp.moveaxis(x, 0, 1), rows), rows.ndim, 0), True
        own = jnp.arange(m, dtype=rows.dtype).reshape(m, *[1] * (rows.ndim - 1)) * x.shape[1]
        return gather(x.reshape(-1, *x.shape[2:]), rows + own), True

    return gather
