"""A dense network's training steps on one core, compiled: back from the loss, and Adam."""

import numpy as np
from numba import njit

from manywalks.train.dense_engine.adam import FAST, adam, skip_steps, steps_ahead
from manywalks.train.dense_engine.gather import gather_adam
from manywalks.train.dense_engine.layers import normalize_batch_back, normalize_layer_back
from manywalks.train.dense_engine.network import (
    INNER,
    across_of,
    add_scaled,
    forward,
    last_kernel_of,
    layer_of,
    loss_of,
    panels_of,
    vectors_of,
)
from manywalks.train.dense_engine.panels import back_panels, transpose_times
from manywalks.train.dense_engine.sparse_plan import plan_window

AHEAD = 4


"""Rows fetched before their turn; without it the memory's answer takes a quarter of the update."""


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def column_sums(d, total):
    """Sum d (b, w) over its rows."""
    total[:] = 0
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            total[j] += d[i, j]


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def column_products(d, e, total):
    """Sum d * e (b, w) over the rows."""
    total[:] = 0
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            total[j] += d[i, j] * e[i, j]


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def _multiply(d, slope):
    """d *= slope, flat."""
    for i in range(d.size):
        d[i] *= slope[i]


@njit(nogil=True, cache=True, **INNER)
def _update(state, start, g, step_size, decay):
    """Adam on the flat weights from `start` on."""
    end = start + g.size
    adam(state.p[start:end], state.m[start:end], state.v[start:end], g, step_size, decay)


@njit(nogil=True, cache=True, **INNER)
def _update_panels(shape, state, work, layer, d, below, step_size, decay):
    """Adam on a layer's panels, and (turned round) the gradient below them."""
    p, m, v = (
        panels_of(state.p, shape, layer),
        panels_of(state.m, shape, layer),
        panels_of(state.v, shape, layer),
    )
    across, penalty = across_of(work, shape, layer), np.float32(2 * shape.l2)
    back_panels(
        d, p, m, v, shape.fans[layer], across, shape.capacity, work.panel, work.turned, below,
        penalty, step_size, decay,
    )  # fmt: skip


@njit(nogil=True, cache=True, **INNER)
def _update_last(shape, state, work, d, a, below, step_size, decay):
    """Adam on the outputs' kernel, with the gradient a^T d (+ 2 l2 kernel), and the gradient below it."""
    kernel = last_kernel_of(state.p, shape)
    np.dot(d, kernel.T, below)
    np.dot(a.T, d, work.g.reshape(kernel.shape))
    if shape.l2 > 0:
        add_scaled(work.g, kernel.ravel(), np.float32(2 * shape.l2))
    _update(state, shape.kernels[shape.widths.size - 1], work.g, step_size, decay)


@njit(nogil=True, cache=True, **INNER)
def _update_vectors(shape, state, work, layer, d, step_size, decay):
    """Way back through a layer's normalization: d (b, w) in place, bias, gamma and beta one step further."""
    b, w = d.shape
    end = shape.kernels[layer + 1]
    if shape.normalization > 0 and layer < shape.widths.size - 1:
        xhat = layer_of(work.xhat, shape, layer, b)
        inverse = work.inverse[shape.units[layer] * shape.capacity :]
        gamma = vectors_of(state.p, shape, layer)[1]
        vectors = work.row[: 2 * w]
        column_products(d, xhat, vectors[:w])
        column_sums(d, vectors[w:])
        if shape.normalization == 1:
            normalize_layer_back(d, xhat, inverse[:b], gamma)
        else:
            normalize_batch_back(d, xhat, inverse[:w], gamma, vectors[:w], vectors[w:])
        _update(state, end - 2 * w, vectors, step_size, decay)
        end -= 2 * w
    bias = work.row[:w]
    column_sums(d, bias)
    _update(state, end - w, bias, step_size, decay)


@njit(nogil=True, cache=True, **INNER)
def backward(shape, state, work, b, step_size, decay):
    """From the gradient of the outputs to that of the first layer's sums; every weight but W moves."""
    last, capacity = shape.widths.size - 1, shape.capacity
    for back in range(last):
        layer = last - back
        d, below = layer_of(work.d, shape, layer, b), layer_of(work.d, shape, layer - 1, b)
        slope = layer_of(work.slope, shape, layer - 1, b)
        _update_vectors(shape, state, work, layer, d, step_size, decay)
        if layer == last:
            a = layer_of(work.a, shape, layer - 1, b)
            _update_last(shape, state, work, d, a, below, step_size, decay)
            _multiply(below.ravel(), slope.ravel())
        else:
            across = work.below[: shape.fans[layer] * capacity]
            _update_panels(shape, state, work, layer, d, across, step_size, decay)
            transpose_times(across, capacity, slope, below)
    first = np.int64(0)
    d = layer_of(work.d, shape, first, b)
    _update_vectors(shape, state, work, first, d, step_size, decay)
    _update_panels(shape, state, work, first, d, work.below[:0], step_size, decay)
    return d


@njit(nogil=True, cache=True, **INNER)
def update_rows(shape, state, work, plan, s, d, step_size, decay, fade_1, fade_2):
    """Adam on the first-layer rows that step s uses, and the steps that they sit out afterwards."""
    _, n_rows, columns = state.W.shape
    flat, penalty = work.panel[: d.shape[0] * columns], np.float32(2 * shape.l2)
    W, W_m, W_v = state.W.ravel(), state.W_m.ravel(), state.W_v.ravel()
    for panel in range(state.W.shape[0]):
        low, high = panel * columns, min((panel + 1) * columns, d.shape[1])
        flat[:] = 0
        for i in range(d.shape[0]):
            # not a slice for a slice: numba then compiles a message about shapes, for seconds
            for j in range(low, high):
                flat[i * columns + j - low] = d[i, j]
        for r in range(plan.first_row[s], plan.first_row[s + 1]):
            c, k = plan.row[r], plan.rest[r]
            soon = plan.row[min(r + AHEAD, plan.first_row[s + 1] - 1)]
            gather_adam(  # pyright: ignore[reportCallIssue]
                W, W_m, W_v, (panel * n_rows + c) * columns, (panel * n_rows + soon) * columns,
                flat, plan.molecule, plan.value, plan.first_use[r], plan.first_use[r + 1],
                penalty, step_size[k], decay[k], fade_1[k], fade_2[k],
            )  # fmt: skip


@njit(nogil=True, cache=True)
def train_window(data, shape, state, work, order, sizes, decays, fade_1, fade_2):
    """Train on the molecules of `order`, batch after batch; returns the summed loss.

    Args:
        order: int32, as many molecules as there are steps for.
        sizes: a_t of those steps, float64.
        decays: weight decay times learning rate of those steps, float64.
        fade_1, fade_2: BETA_1 and BETA_2 to the power of 0, 1 ... as many as there are steps, float32.
    """
    plan = plan_window(
        data.indptr, data.indices, data.values, order, shape.batch, state.W.shape[1], shape.l2 > 0
    )
    step_size, decay = np.empty(sizes.size + 1, np.float32), np.empty(sizes.size + 1, np.float32)
    steps_ahead(sizes, decays, np.int64(-1), step_size, decay)
    for panel in range(state.W.shape[0]):
        for c in range(state.W.shape[1]):
            k = plan.start[c]
            if k > 0:
                W, W_m, W_v = state.W[panel, c], state.W_m[panel, c], state.W_v[panel, c]
                skip_steps(W, W_m, W_v, step_size[k], decay[k], fade_1[k], fade_2[k])
    total, last = 0.0, shape.widths.size - 1
    for s in range(sizes.size):
        rows = order[s * shape.batch : min((s + 1) * shape.batch, order.size)]
        z = forward(data, shape, state, work, rows, shape.rate)
        total += loss_of(data, rows, z, layer_of(work.d, shape, last, rows.size))
        steps_ahead(sizes, decays, s, step_size, decay)
        d = backward(shape, state, work, rows.size, step_size[0], decay[0])
        update_rows(shape, state, work, plan, s, d, step_size, decay, fade_1, fade_2)
    return total
