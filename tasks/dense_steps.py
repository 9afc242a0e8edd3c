"""A dense network's training steps on one core, compiled: forward, loss, back, Adam.

The first layer has two kinds of rows: those of sparse features, of which only the non-zero ones of a batch
are touched, and those of dense ones. The former lie in panels of 64 columns, W (panels, rows, 64), the last
one filled up with zeros; all other weights lie in one flat array.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from manywalks.tasks.adam import BETA_1, BETA_2, FAST, adam, sit_out, steps_ahead
from manywalks.tasks.dense_layers import (
    activate,
    batch_moments,
    drop,
    loss_and_slope,
    move_towards,
    normalize_batch,
    normalize_batch_back,
    normalize_layer,
    normalize_layer_back,
)
from manywalks.tasks.gather import gather, gather_adam
from manywalks.tasks.sparse_plan import plan_window

AHEAD = 4
"""Rows fetched before their turn; without it the memory's answer takes a quarter of the update."""


class Data(NamedTuple):
    """Features and targets of all n molecules; losses: a code an endpoint (t,)."""

    indptr: np.ndarray
    indices: np.ndarray
    values: np.ndarray
    dense: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    side: np.ndarray
    losses: np.ndarray


class Shape(NamedTuple):
    """The network: widths int64 (layers,), the last one t; where each layer's weights and work begin.

    Attributes:
        widths: units of each layer.
        kernels: int64 (layers + 1,), offsets in the flat weights; after a kernel come bias, gamma, beta.
        units: int64 (layers + 1,), widths summed up.
        activation: code of the activation.
        normalization: 0 none, 1 layer, 2 batch.
        rate: dropout.
        batch: molecules a step.
        l2: penalty.
    """

    widths: np.ndarray
    kernels: np.ndarray
    units: np.ndarray
    activation: int
    normalization: int
    rate: float
    batch: int
    l2: float


class State(NamedTuple):
    """What changes: first-layer rows and flat weights, each with Adam's moments; moving statistics."""

    W: np.ndarray
    W_m: np.ndarray
    W_v: np.ndarray
    p: np.ndarray
    m: np.ndarray
    v: np.ndarray
    moving: np.ndarray
    dropout: np.ndarray


class Work(NamedTuple):
    """Scratch of one replicate; flat arrays hold (capacity, width) a layer, one after another."""

    x: np.ndarray
    a: np.ndarray
    d: np.ndarray
    slope: np.ndarray
    xhat: np.ndarray
    inverse: np.ndarray
    g: np.ndarray
    row: np.ndarray
    panel: np.ndarray


@njit(nogil=True, cache=True)
def _layer(flat, shape, layer, b, capacity):
    """The (b, width) part of a flat work array."""
    start, w = shape.units[layer] * capacity, shape.widths[layer]
    return flat[start : start + b * w].reshape(b, w)


@njit(nogil=True, cache=True)
def _vector(flat, shape, layer, which):
    """Bias (1), gamma (2) or beta (3) of a layer, counted from the end of its kernel."""
    w = shape.widths[layer]
    vectors = 1 if shape.normalization == 0 or layer == shape.widths.size - 1 else 3
    start = shape.kernels[layer + 1] - w * (vectors + 1 - which)
    return flat[start : start + w]


@njit(nogil=True, cache=True)
def _kernel(flat, shape, layer, fan_in):
    """A layer's kernel (in, out); the dense features' part alone for the first layer."""
    w, start = shape.widths[layer], shape.kernels[layer]
    return flat[start : start + fan_in * w].reshape(fan_in, w)


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def add_scaled(z, w, value):
    """z += value * w."""
    for j in range(z.size):
        z[j] += value * w[j]


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
def _first_layer(data, shape, state, work, rows, z):
    """z (b, width) = features of the given rows times the first kernel, bias added."""
    n_dense = data.dense.shape[1]
    bias = _vector(state.p, shape, 0, 1)
    if n_dense > 0:
        for i in range(rows.size):
            work.x[i] = data.dense[rows[i]]
        np.dot(work.x[: rows.size], _kernel(state.p, shape, 0, n_dense), z)
    else:
        z[:] = 0
    for i in range(rows.size):
        add_scaled(z[i], bias, np.float32(1))
    _, n_rows, columns = state.W.shape
    table, part = state.W.ravel(), work.row[:columns]
    # panel after panel, so that the rows come from the core's own cache
    for panel in range(state.W.shape[0] if n_rows > 0 else 0):
        low, high = panel * columns, min((panel + 1) * columns, z.shape[1])
        for i in range(rows.size):
            first, last = data.indptr[rows[i]], data.indptr[rows[i] + 1]
            gather(  # pyright: ignore[reportCallIssue] (numba adds the first argument)
                part, table, panel * n_rows * columns, data.indices, data.values, first, last
            )
            add_scaled(z[i, low:high], part[: high - low], np.float32(1))


@njit(nogil=True, cache=True)
def _hidden(shape, state, work, layer, z, training):
    """Normalization, activation and dropout of a layer's z (b, w), in place."""
    b, w = z.shape
    capacity = work.x.shape[0]
    slope = _layer(work.slope, shape, layer, b, capacity)
    if shape.normalization > 0:
        xhat = _layer(work.xhat, shape, layer, b, capacity)
        inverse = _layer(work.inverse, shape, layer, 1, capacity)[0]
        gamma, beta = _vector(state.p, shape, layer, 2), _vector(state.p, shape, layer, 3)
        if shape.normalization == 1:
            normalize_layer(z, xhat, work.inverse[shape.units[layer] * capacity :][:b], gamma, beta)
        else:
            start = 2 * shape.units[layer]
            mean, variance = state.moving[start : start + w], state.moving[start + w : start + 2 * w]
            if training:
                new_mean, new_variance = work.row[:w], work.row[w : 2 * w]
                batch_moments(z, new_mean, new_variance)
                move_towards(mean, new_mean)
                move_towards(variance, new_variance)
                normalize_batch(z, xhat, inverse, new_mean, new_variance, gamma, beta)
            else:
                normalize_batch(z, xhat, inverse, mean, variance, gamma, beta)
    activate(shape.activation, z.ravel(), slope.ravel())
    if training and shape.rate > 0:
        state.dropout[1] = drop(z.ravel(), slope.ravel(), shape.rate, state.dropout[0], state.dropout[1])


@njit(nogil=True, cache=True)
def forward(data, shape, state, work, rows, training):
    """Outputs (b, t) of the given rows in network space; a view of the work array."""
    capacity, b = work.x.shape[0], rows.size
    z = _layer(work.a, shape, 0, b, capacity)
    _first_layer(data, shape, state, work, rows, z)
    for layer in range(1, shape.widths.size):
        _hidden(shape, state, work, layer - 1, z, training)
        a, fan_in = z, z.shape[1]
        z = _layer(work.a, shape, layer, b, capacity)
        np.dot(a, _kernel(state.p, shape, layer, fan_in), z)
        bias = _vector(state.p, shape, layer, 1)
        for i in range(b):
            add_scaled(z[i], bias, np.float32(1))
    return z


@njit(nogil=True, error_model="numpy", cache=True)
def loss_of(data, rows, z, d):
    """Weighted sum of the losses of predictions z (b, t); d becomes its gradient over b t."""
    total, share = 0.0, 1.0 / z.size
    for i in range(rows.size):
        r = rows[i]
        for e in range(z.shape[1]):
            weight = data.weight[r, e]
            d[i, e] = 0
            if weight > 0:
                loss, slope = loss_and_slope(data.losses[e], data.side[r, e], z[i, e], data.y[r, e])
                total += weight * loss
                d[i, e] = weight * slope * share
    return total


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
        xhat = _layer(work.xhat, shape, layer, b, capacity)
        inverse = work.inverse[shape.units[layer] * capacity :]
        gamma = _vector(state.p, shape, layer, 2)
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
        d, below = _layer(work.d, shape, layer, b, capacity), _layer(work.d, shape, layer - 1, b, capacity)
        a = _layer(work.a, shape, layer - 1, b, capacity)
        _update_vectors(shape, state, work, layer, d, push, shrink)
        np.dot(d, _kernel(state.p, shape, layer, a.shape[1]).T, below)
        _update_kernel(shape, state, work, layer, a, d, push, shrink)
        _multiply(below.ravel(), _layer(work.slope, shape, layer - 1, b, capacity).ravel())
    d = _layer(work.d, shape, 0, b, capacity)
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
        total += loss_of(data, rows, z, _layer(work.d, shape, last, rows.size, work.x.shape[0]))
        steps_ahead(sizes, decays, s, push, shrink)
        d = _backward(data, shape, state, work, rows.size, push[0], shrink[0])
        _update_rows(shape, state, work, plan, s, d, push, shrink, fade_1, fade_2)
    return total


@njit(nogil=True, cache=True)
def predict_rows(data, shape, state, work, rows, out):
    """Outputs of the given rows into out (rows, t); returns their summed loss."""
    total, capacity = 0.0, work.x.shape[0]
    for low in range(0, rows.size, capacity):
        part = rows[low : min(low + capacity, rows.size)]
        z = forward(data, shape, state, work, part, False)
        out[low : low + part.size] = z
        d = _layer(work.d, shape, shape.widths.size - 1, part.size, capacity)
        total += loss_of(data, part, z, d)
    return total
