"""Products with kernels that lie in panels of 64 columns, compiled: forward, back, and Adam on the gradient.

A batch's activations are needed turned round, (rows, capacity), where a tile takes one number of each of
several molecules after another; they stay so from the way forward to the way back.
"""

from numba import njit

from manywalks.train.dense_engine.gather import COLUMNS
from manywalks.train.dense_engine.llvm import LANES
from manywalks.train.dense_engine.tiles import (
    ACROSS,
    BACK_MOLECULES,
    BACK_ROWS,
    TILE,
    tile_adam,
    tile_back,
    tile_forward,
)

ROWS_IN_CACHE = 128


"""Kernel rows multiplied before the next molecules' turn: 32 kB of a panel, which the first cache holds."""


@njit(nogil=True, cache=True)
def transpose(a, first, last, across, capacity):
    """Columns first..last of a (b, n) -> across (last - first, capacity), flat; few cache lines at a time."""
    for low in range(first, last, COLUMNS):
        for r in range(a.shape[0]):
            for i in range(low, min(low + COLUMNS, last)):
                across[(i - first) * capacity + r] = a[r, i]


@njit(nogil=True, cache=True)
def transpose_times(across, capacity, slope, d):
    """d (b, n) = across (n, capacity) turned round, times slope (b, n)."""
    for low in range(0, d.shape[1], COLUMNS):
        for r in range(d.shape[0]):
            for i in range(low, min(low + COLUMNS, d.shape[1])):
                d[r, i] = across[i * capacity + r] * slope[r, i]


@njit(nogil=True, cache=True)
def forward_panels(across, capacity, kernel, rows, bias, part, z):
    """z (b, w) = across (rows, capacity), turned round, times the kernel's panels, plus bias (w,).

    Args:
        across, kernel: float32, flat.
        rows: of each panel.
        part: float32 (b filled up, 64), flat scratch.
    """
    b, w = z.shape
    b_filled = (b + ACROSS - 1) // ACROSS * ACROSS
    for low in range(0, w, COLUMNS):
        part[: b_filled * COLUMNS] = 0
        for first in range(0, rows, ROWS_IN_CACHE):
            deep = min(ROWS_IN_CACHE, rows - first)
            at = (low // COLUMNS * rows + first) * COLUMNS
            for column in range(0, COLUMNS, TILE):
                for r in range(0, b, ACROSS):
                    soon = at + deep * COLUMNS + r // ACROSS * deep * LANES
                    tile_forward(  # pyright: ignore[reportCallIssue] (numba adds the first argument)
                        part, r * COLUMNS + column, across, first * capacity + r, capacity,
                        kernel, at + column, soon, deep,
                    )  # fmt: skip
        for r in range(b):
            for j in range(low, min(low + COLUMNS, w)):
                z[r, j] = part[r * COLUMNS + j - low] + bias[j]


@njit(nogil=True, cache=True)
def back_panels(d, p, m, v, rows, across, capacity, part, turned, below, penalty, step_size, decay):
    """below (rows, capacity) = kernel times d (b, w), turned round; then Adam on the kernel.

    Args:
        p, m, v: float32, flat: the kernel's panels and their moments; the gradient is across times d.
        across: what the kernel was multiplied with, as in `forward_panels`.
        part, turned: float32, flat scratch for 64 columns of d.
        below: float32, flat; none (size 0) for a first layer.
        penalty, step_size, decay: see `adam.adam`; the gradient's share of p itself first.
    """
    b, w = d.shape
    below[:] = 0
    for low in range(0, w, COLUMNS):
        columns, start = min(COLUMNS, w - low), low // COLUMNS * rows * COLUMNS
        part[: b * COLUMNS] = 0
        for r in range(b):
            for j in range(columns):
                part[r * COLUMNS + j] = d[r, low + j]
        if below.size > 0:
            transpose(d, low, low + columns, turned, capacity)
            # the whole panel first, with the weights of the way forward: it stays in the second cache
            for i in range(0, rows, BACK_ROWS):
                for r in range(0, b, BACK_MOLECULES):
                    at, out = start + i * COLUMNS, i * capacity + r
                    tile_back(below, out, capacity, p, at, turned, r, columns)  # pyright: ignore[reportCallIssue]
        for i in range(0, rows, ACROSS):
            for column in range(0, COLUMNS, TILE):
                tile_adam(  # pyright: ignore[reportCallIssue]
                    p, m, v, start + i * COLUMNS + column, across, i * capacity, capacity,
                    part, column, b, penalty, step_size, decay,
                )  # fmt: skip
