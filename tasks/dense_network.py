"""A dense network on one core, compiled: what it consists of, its outputs and their loss.

The first layer has two kinds of rows: those of sparse features, of which only the non-zero ones of a batch
are touched, and those of dense ones. The former lie in panels of 64 columns, W (panels, rows, 64), the last
one filled up with zeros; all other weights lie in one flat array.

Compiled code is kept on disk beside the bytecode and made again when its own file changes, not when a file
does that it takes functions from: after a change to such a file, touch those that import it.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from manywalks.tasks.adam import FAST
from manywalks.tasks.dense_layers import (
    activate,
    batch_moments,
    drop,
    loss_and_slope,
    move_towards,
    normalize_batch,
    normalize_layer,
)
from manywalks.tasks.gather import gather


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
def layer_of(flat, shape, layer, b, capacity):
    """The (b, width) part of a flat work array."""
    start, w = shape.units[layer] * capacity, shape.widths[layer]
    return flat[start : start + b * w].reshape(b, w)


@njit(nogil=True, cache=True)
def vector_of(flat, shape, layer, which):
    """Bias (1), gamma (2) or beta (3) of a layer, counted from the end of its kernel."""
    w = shape.widths[layer]
    vectors = 1 if shape.normalization == 0 or layer == shape.widths.size - 1 else 3
    start = shape.kernels[layer + 1] - w * (vectors + 1 - which)
    return flat[start : start + w]


@njit(nogil=True, cache=True)
def kernel_of(flat, shape, layer, fan_in):
    """A layer's kernel (in, out); the dense features' part alone for the first layer."""
    w, start = shape.widths[layer], shape.kernels[layer]
    return flat[start : start + fan_in * w].reshape(fan_in, w)


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def add_scaled(z, w, value):
    """z += value * w."""
    for j in range(z.size):
        z[j] += value * w[j]


@njit(nogil=True, cache=True)
def _first_layer(data, shape, state, work, rows, z):
    """z (b, width) = features of the given rows times the first kernel, bias added."""
    n_dense = data.dense.shape[1]
    bias = vector_of(state.p, shape, 0, 1)
    if n_dense > 0:
        for i in range(rows.size):
            work.x[i] = data.dense[rows[i]]
        np.dot(work.x[: rows.size], kernel_of(state.p, shape, 0, n_dense), z)
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
    slope = layer_of(work.slope, shape, layer, b, capacity)
    if shape.normalization > 0:
        xhat = layer_of(work.xhat, shape, layer, b, capacity)
        inverse = layer_of(work.inverse, shape, layer, 1, capacity)[0]
        gamma, beta = vector_of(state.p, shape, layer, 2), vector_of(state.p, shape, layer, 3)
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
    z = layer_of(work.a, shape, 0, b, capacity)
    _first_layer(data, shape, state, work, rows, z)
    for layer in range(1, shape.widths.size):
        _hidden(shape, state, work, layer - 1, z, training)
        a, fan_in = z, z.shape[1]
        z = layer_of(work.a, shape, layer, b, capacity)
        np.dot(a, kernel_of(state.p, shape, layer, fan_in), z)
        bias = vector_of(state.p, shape, layer, 1)
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
def predict_rows(data, shape, state, work, rows, out):
    """Outputs of the given rows into out (rows, t); returns their summed loss."""
    total, capacity = 0.0, work.x.shape[0]
    for low in range(0, rows.size, capacity):
        part = rows[low : min(low + capacity, rows.size)]
        z = forward(data, shape, state, work, part, False)
        out[low : low + part.size] = z
        d = layer_of(work.d, shape, shape.widths.size - 1, part.size, capacity)
        total += loss_of(data, part, z, d)
    return total
