"""Which first-layer rows each batch uses, with which molecules, and for how long they rest afterwards."""

from typing import NamedTuple

import numpy as np
from numba import njit


class Plan(NamedTuple):
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
def _sizes(indptr, order, batch, every_row):
    """Upper bounds: rows of each step as running sum, and uses of the window."""
    n_steps = (order.size + batch - 1) // batch
    rows = np.zeros(n_steps + 1, np.int64)
    total = 0
    for s in range(n_steps):
        uses = 0
        for i in range(s * batch, min((s + 1) * batch, order.size)):
            uses += indptr[order[i] + 1] - indptr[order[i]]
        total += uses
        rows[s + 1] = rows[s] + (every_row if every_row > 0 else uses)
    return rows, total


@njit(nogil=True, cache=True)
def plan_window(indptr, indices, values, order, batch, n_rows, use_all):
    """Plan the steps of a window, from its last to its first.

    Args:
        indptr, indices, values: the features as CSR.
        order: int32, the window's molecules, in the order of training.
        batch: molecules a step.
        n_rows: rows of the kernel.
        use_all: every step moves every row (an L2 penalty has a gradient everywhere).
    """
    bounds, n_uses = _sizes(indptr, order, batch, n_rows if use_all else 0)
    n_steps = bounds.size - 1
    row = np.empty(bounds[n_steps], np.int32)
    rest = np.empty(bounds[n_steps], np.int32)
    first_use = np.empty(bounds[n_steps] + 1, np.int64)
    molecule = np.empty(n_uses, np.int32)
    value = np.empty(n_uses, np.float32)
    start = np.full(n_rows, n_steps, np.int32)
    slot = np.full(n_rows, -1, np.int32)
    uses = np.zeros(n_rows, np.int64)
    first_row = np.zeros(n_steps + 1, np.int64)
    # from the end of the arrays towards their start, since only later steps are known
    r_end, u_end = bounds[n_steps], n_uses
    first_use[r_end] = u_end
    first_row[n_steps] = r_end
    for back in range(n_steps):
        s = n_steps - 1 - back
        low, high = s * batch, min((s + 1) * batch, order.size)
        n, r_end = 0, first_row[s + 1]
        if use_all:
            for c in range(n_rows):
                slot[c] = c
            n = n_rows
        for i in range(low, high):
            for q in range(indptr[order[i]], indptr[order[i] + 1]):
                c = indices[q]
                if slot[c] < 0:
                    slot[c] = n
                    n += 1
                uses[c] += 1
        r = r_end - n
        first_row[s] = r
        for i in range(low, high):
            for q in range(indptr[order[i]], indptr[order[i] + 1]):
                row[r + slot[indices[q]]] = indices[q]
        if use_all:
            for c in range(n_rows):
                row[r + c] = c
        for k in range(n):
            place = r_end - 1 - k
            c = row[place]
            u_end -= uses[c]
            first_use[place] = u_end
            rest[place] = start[c] - s - 1
            start[c] = s
        for i in range(low, high):
            for q in range(indptr[order[i]], indptr[order[i] + 1]):
                c = indices[q]
                at = first_use[r + slot[c]] + uses[c] - 1
                molecule[at] = i - low
                value[at] = values[q]
                uses[c] -= 1
        for k in range(n):
            slot[row[r + k]] = -1
    return Plan(first_row, row, rest, first_use, molecule, value, start)
