"""Which first-layer rows each batch uses, with which molecules, and for how long they rest afterwards."""

from typing import NamedTuple

import numpy as np
from numba import njit


class SparsePlan(NamedTuple):
    """A window of S steps, step after step; step s has the rows first_row[s] .. first_row[s + 1].

    Attributes:
        first_row: int64 (S + 1,).
        row: int32, the feature.
        rest: int32, how many steps after s do not use it, within the window.
        first_use: int64, one more than there are rows: where its uses start.
        molecule: int32, place in the batch, a use each.
        value: float32, the feature's value there.
        start: int32 (rows of the kernel,): how many steps of the window pass before a row's first use.
    """

    first_row: np.ndarray
    row: np.ndarray
    rest: np.ndarray
    first_use: np.ndarray
    molecule: np.ndarray
    value: np.ndarray
    start: np.ndarray


@njit(nogil=True, cache=True)
def _count(indptr, indices, order, uses):
    """Add up how often molecules use each row; returns the sum."""
    total = 0
    for i in range(order.size):
        for q in range(indptr[order[i]], indptr[order[i] + 1]):
            uses[indices[q]] += 1
            total += 1
    return total


@njit(nogil=True, cache=True)
def plan_window(indptr, indices, values, order, batch, n_rows, use_all):
    """Plan the steps of a window, from its last to its first, since a row's rest depends on the next step.

    Args:
        indptr, indices, values: the features as CSR.
        order: int32, the window's molecules, in the order of training.
        batch: molecules a step.
        n_rows: rows of the kernel.
        use_all: every step moves every row (an L2 penalty has a gradient everywhere).
    """
    n_steps = (order.size + batch - 1) // batch
    uses, fill = np.zeros(n_rows, np.int64), np.empty(n_rows, np.int64)
    u = _count(indptr, indices, order, uses)
    r = n_steps * n_rows if use_all else min(n_steps * n_rows, u)
    row, rest, first_use = np.empty(r, np.int32), np.empty(r, np.int32), np.empty(r + 1, np.int64)
    molecule, value = np.empty(u, np.int32), np.empty(u, np.float32)
    start, first_row = np.full(n_rows, n_steps, np.int32), np.empty(n_steps + 1, np.int64)
    first_use[r], first_row[n_steps] = u, r
    uses[:] = 0
    for s in range(n_steps - 1, -1, -1):
        members = order[s * batch : min((s + 1) * batch, order.size)]
        _count(indptr, indices, members, uses)
        # rows in their order in memory: a replicate forward, which the processor foresees
        for c in range(n_rows - 1, -1, -1):
            if uses[c] > 0 or use_all:
                r -= 1
                u -= uses[c]
                row[r], rest[r], first_use[r] = c, start[c] - s - 1, u
                start[c], fill[c], uses[c] = s, u, 0
        first_row[s] = r
        for i in range(members.size):
            for q in range(indptr[members[i]], indptr[members[i] + 1]):
                c = indices[q]
                molecule[fill[c]], value[fill[c]] = i, values[q]
                fill[c] += 1
    return SparsePlan(first_row, row, rest, first_use, molecule, value, start)
