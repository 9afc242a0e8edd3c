"""A dense network's training steps on one core, compiled: back from the loss, and Adam."""

import numpy as np
from numba import njit

from manywalks.tasks.adam import BETA_1, BETA_2, FAST, adam, sit_out, steps_ahead
from manywalks.tasks.dense_layers import normalize_batch_back, normalize_layer_back
from manywalks.tasks.dense_network import add_scaled, forward, kernel_of, layer_of, loss_of, vector_of
from manywalks.tasks.gather import gather_adam
from manywalks.tasks.sparse_plan import plan_window

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


@njit(nogil=True, cache=True)
def _update(state, start, g, push, shrink):
    """Adam on the flat weights from `start` on."""
    end = start + g.size
    adam(state.p[start:end], state.m[start:end], state.v[start:end], g, push, shrink)


@njit(nogil=True, cache=True)
def _update_kernel(shape, state, work, layer, a, d, push, shrink):
    """Adam on a layer's kernel, with the gradient a^T d (+ 2 l2 kernel)."""
    w, start = d.shape[1], shape.kernels[layer]
    g = work.g[: a.shape[1] * w]
    np.dot(a.T, d, g.reshape(a.shape[1], w))
    if shape.l2 > 0:
        add_scaled(g, state.p[start : start + g.size], np.float32(2 * shape.l2))
    _update(state, start, g, push, shrink)


@njit(nogil=True, cache=True)
def _update_vectors(shape, state, work, layer, d, push, shrink):
    """Way back through a layer's normalization: d (b, w) in place, bias, gamma and beta one step further."""
    b, w = d.shape
    capacity = work.x.shape[0]
    end = shape.kernels[layer + 1]
    if shape.normalization > 0 and layer < shape.widths.size - 1:
        xhat = layer_of(work.xhat, shape, layer, b, capacity)
        inverse = work.inverse[shape.units[layer] * capacity :]
        gamma = vector_of(state.p, shape, layer, 2)
        vectors = work.row[: 2 * w]
        column_products(d, xhat, vectors[:w])
        column_sums(d, vectors[w:])
        if shape.normalization == 1:
            normalize_layer_back(d, xhat, inverse[:b], gamma)
        else:
            normalize_batch_back(d, xhat, inverse[:w], gamma, vectors[:w], vectors[w:])
        _update(state, end - 2 * w, vectors, push, shrink)
        end -= 2 * w
    bias = work.row[:w]
    column_sums(d, bias)
    _update(state, end - w, bias, push, shrink)


@njit(nogil=True, cache=True)
def _backward(data, shape, state, work, b, push, shrink):
    """From the gradient of the outputs to that of the first layer's sums; every weight but W moves."""
    capacity, n_dense = work.x.shape[0], data.dense.shape[1]
    for back in range(shape.widths.size - 1):
        layer = shape.widths.size - 1 - back
        d, below = (
            layer_of(work.d, shape, layer, b, capacity),
            layer_of(work.d, shape, layer - 1, b, capacity),
        )
        a = layer_of(work.a, shape, layer - 1, b, capacity)
        _update_vectors(shape, state, work, layer, d, push, shrink)
        np.dot(d, kernel_of(state.p, shape, layer, a.shape[1]).T, below)
        _update_kernel(shape, state, work, layer, a, d, push, shrink)
        _multiply(below.ravel(), layer_of(work.slope, shape, layer - 1, b, capacity).ravel())
    d = layer_of(work.d, shape, 0, b, capacity)
    _update_vectors(shape, state, work, 0, d, push, shrink)
    if n_dense > 0:
        _update_kernel(shape, state, work, 0, work.x[:b], d, push, shrink)
    return d


@njit(nogil=True, cache=True)
def _update_rows(shape, state, work, plan, s, d, push, shrink, fade_1, fade_2):
    """Adam on the first-layer rows that step s uses, and the steps that they sit out afterwards."""
    _, n_rows, columns = state.W.shape
    flat, penalty = work.panel[: d.shape[0] * columns], np.float32(2 * shape.l2)
    part = flat.reshape(d.shape[0], columns)
    W, W_m, W_v = state.W.ravel(), state.W_m.ravel(), state.W_v.ravel()
    for panel in range(state.W.shape[0]):
        low, high = panel * columns, min((panel + 1) * columns, d.shape[1])
        part[:, high - low :] = 0
        for i in range(d.shape[0]):
            part[i, : high - low] = d[i, low:high]
        for r in range(plan.first_row[s], plan.first_row[s + 1]):
            c, k = plan.row[r], plan.rest[r]
            soon = plan.row[min(r + AHEAD, plan.first_row[s + 1] - 1)]
            gather_adam(  # pyright: ignore[reportCallIssue]
                W, W_m, W_v, (panel * n_rows + c) * columns, (panel * n_rows + soon) * columns,
                flat, plan.molecule, plan.value, plan.first_use[r], plan.first_use[r + 1],
                penalty, push[k], shrink[k], fade_1[k], fade_2[k],
            )  # fmt: skip


@njit(nogil=True, cache=True)
def train_window(data, shape, state, work, order, sizes, decays):
    """Train on the molecules of `order`, batch after batch; returns the summed loss.

    Args:
        order: int32, as many molecules as there are steps for.
        sizes: a_t of those steps, float64.
        decays: weight decay times learning rate of those steps, float64.
    """
    plan = plan_window(
        data.indptr, data.indices, data.values, order, shape.batch, state.W.shape[1], shape.l2 > 0
    )
    push, shrink = np.empty(sizes.size + 1, np.float32), np.empty(sizes.size + 1, np.float32)
    fade_1 = (BETA_1 ** np.arange(sizes.size + 1)).astype(np.float32)
    fade_2 = (BETA_2 ** np.arange(sizes.size + 1)).astype(np.float32)
    steps_ahead(sizes, decays, -1, push, shrink)
    for panel in range(state.W.shape[0]):
        for c in range(state.W.shape[1]):
            k = plan.start[c]
            if k > 0:
                W, W_m, W_v = state.W[panel, c], state.W_m[panel, c], state.W_v[panel, c]
                sit_out(W, W_m, W_v, push[k], shrink[k], fade_1[k], fade_2[k])
    total, last = 0.0, shape.widths.size - 1
    for s in range(sizes.size):
        rows = order[s * shape.batch : min((s + 1) * shape.batch, order.size)]
        z = forward(data, shape, state, work, rows, True)
        total += loss_of(data, rows, z, layer_of(work.d, shape, last, rows.size, work.x.shape[0]))
        steps_ahead(sizes, decays, s, push, shrink)
        d = _backward(data, shape, state, work, rows.size, push[0], shrink[0])
        _update_rows(shape, state, work, plan, s, d, push, shrink, fade_1, fade_2)
    return total
