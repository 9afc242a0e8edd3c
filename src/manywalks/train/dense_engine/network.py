"""A dense network on one core, compiled: what it consists of, its outputs and their loss.

Kernels lie in panels of 64 columns, (panels, rows, 64), the last one filled up with zeros. The first layer
has two of them: W for sparse features, of which only the rows of a batch's non-zero ones are touched, and one
for dense features. That, all others, and the vectors lie in one flat array; the outputs' kernel, often of one
column, lies there as it is.

Numba compiles a function anew for every constant that it is called with: layers are
numbered by variables here, and a rate of dropout below 0 says that the network is not being trained.

Compiled code is kept on disk beside the bytecode and made again when its own file changes, not when a file
does that it takes functions from: after a change to such a file, touch those that import it.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from manywalks.train.dense_engine.adam import FAST
from manywalks.train.dense_engine.gather import COLUMNS, gather
from manywalks.train.dense_engine.layers import (
    activate,
    batch_moments,
    drop,
    loss_and_slope,
    move_towards,
    normalize_batch,
    normalize_layer,
)
from manywalks.train.dense_engine.panels import forward_panels, transpose

INNER: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


"""For what only compiled code calls: taking such arguments from Python apart is a fifth of all compiling.

Called from Python, such a function would crash the process.
"""


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
        fans: int64 (layers,), rows of each kernel, filled up to whole tiles; the first one's dense part.
        kernels: int64 (layers + 1,), offsets in the flat weights; after a kernel come bias, gamma, beta.
        units: int64 (layers + 1,), widths summed up.
        entries: int64 (layers + 1,), fans summed up.
        capacity: molecules that there is room for.
        activation: code of the activation.
        normalization: 0 none, 1 layer, 2 batch.
        rate: dropout.
        batch: molecules a step.
        l2: penalty.
    """

    widths: np.ndarray
    fans: np.ndarray
    kernels: np.ndarray
    units: np.ndarray
    entries: np.ndarray
    capacity: int
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
    """Scratch of one replicate; flat arrays hold (capacity, width) a layer, one after another.

    Attributes:
        a, d, slope, xhat: outputs, their gradient, the activation's derivative, normalized sums.
        inverse: of the normalization's standard deviations.
        across: what each kernel is multiplied with, turned round: (fan, capacity) a layer.
        below: the same for one layer's gradient.
        turned: (64, capacity) for a panel of a gradient.
        g: gradient of the outputs' kernel.
        row: two vectors as wide as the widest layer.
        panel: (capacity, 64).
    """

    a: np.ndarray
    d: np.ndarray
    slope: np.ndarray
    xhat: np.ndarray
    inverse: np.ndarray
    across: np.ndarray
    below: np.ndarray
    turned: np.ndarray
    g: np.ndarray
    row: np.ndarray
    panel: np.ndarray


@njit(nogil=True, cache=True, **INNER)
def layer_of(flat, shape, layer, b):
    """The (b, width) part of a flat work array."""
    start, w = shape.units[layer] * shape.capacity, shape.widths[layer]
    return flat[start : start + b * w].reshape(b, w)


@njit(nogil=True, cache=True, **INNER)
def vectors_of(flat, shape, layer):
    """A layer's vectors (1 or 3, width): bias and, where it is normalized, gamma and beta."""
    w, end = shape.widths[layer], shape.kernels[layer + 1]
    count = 1 if shape.normalization == 0 or layer == shape.widths.size - 1 else 3
    return flat[end - count * w : end].reshape(count, w)


@njit(nogil=True, cache=True, **INNER)
def panels_of(flat, shape, layer):
    """A kernel's panels, flat."""
    panels = (shape.widths[layer] + COLUMNS - 1) // COLUMNS
    start = shape.kernels[layer]
    return flat[start : start + shape.fans[layer] * panels * COLUMNS]


@njit(nogil=True, cache=True, **INNER)
def last_kernel_of(flat, shape):
    """The outputs' kernel (in, t), below a hidden layer."""
    layer = shape.widths.size - 1
    w, start, fan = shape.widths[layer], shape.kernels[layer], shape.fans[layer]
    return flat[start : start + fan * w].reshape(fan, w)


@njit(nogil=True, cache=True, **INNER)
def across_of(work, shape, layer):
    """What a kernel is multiplied with, turned round: (fan, capacity), flat."""
    return work.across[shape.entries[layer] * shape.capacity : shape.entries[layer + 1] * shape.capacity]


@njit(nogil=True, fastmath=FAST, error_model="numpy", cache=True)
def add_scaled(z, w, value):
    """z += value * w."""
    for j in range(z.size):
        z[j] += value * w[j]


@njit(nogil=True, cache=True, **INNER)
def _first_layer(data, shape, state, work, rows, z):
    """z (b, width) = features of the given rows times the first kernel, bias added."""
    first_layer = np.int64(0)
    across, capacity = across_of(work, shape, first_layer), shape.capacity
    for i in range(rows.size):
        for j in range(data.dense.shape[1]):
            across[j * capacity + i] = data.dense[rows[i], j]
    bias, kernel = vectors_of(state.p, shape, first_layer)[0], panels_of(state.p, shape, first_layer)
    forward_panels(across, capacity, kernel, shape.fans[0], bias, work.panel, z)
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


@njit(nogil=True, cache=True, **INNER)
def _hidden(shape, state, work, layer, z, rate):
    """Normalization, activation and dropout of a layer's z (b, w), in place."""
    b, w = z.shape
    slope = layer_of(work.slope, shape, layer, b)
    if shape.normalization > 0:
        xhat = layer_of(work.xhat, shape, layer, b)
        inverse = layer_of(work.inverse, shape, layer, np.int64(1))[0]
        vectors = vectors_of(state.p, shape, layer)
        gamma, beta = vectors[1], vectors[2]
        if shape.normalization == 1:
            normalize_layer(z, xhat, work.inverse[shape.units[layer] * shape.capacity :][:b], gamma, beta)
        else:
            start = 2 * shape.units[layer]
            mean, variance = state.moving[start : start + w], state.moving[start + w : start + 2 * w]
            if rate >= 0:
                new_mean, new_variance = work.row[:w], work.row[w : 2 * w]
                batch_moments(z, new_mean, new_variance)
                move_towards(mean, new_mean)
                move_towards(variance, new_variance)
                normalize_batch(z, xhat, inverse, new_mean, new_variance, gamma, beta)
            else:
                normalize_batch(z, xhat, inverse, mean, variance, gamma, beta)
    activate(shape.activation, z.ravel(), slope.ravel())
    if rate > 0:
        state.dropout[1] = drop(z.ravel(), slope.ravel(), rate, state.dropout[0], state.dropout[1])


@njit(nogil=True, cache=True, **INNER)
def forward(data, shape, state, work, rows, rate):
    """Outputs (b, t) of the given rows in network space, a view of the work array; rate: of dropout."""
    b, last, first = rows.size, shape.widths.size - 1, np.int64(0)
    z = layer_of(work.a, shape, first, b)
    _first_layer(data, shape, state, work, rows, z)
    for layer in range(1, shape.widths.size):
        _hidden(shape, state, work, layer - 1, z, rate)
        a, bias = z, vectors_of(state.p, shape, layer)[0]
        z = layer_of(work.a, shape, layer, b)
        if layer < last:
            across = across_of(work, shape, layer)
            transpose(a, first, a.shape[1], across, shape.capacity)
            kernel = panels_of(state.p, shape, layer)
            forward_panels(across, shape.capacity, kernel, shape.fans[layer], bias, work.panel, z)
        else:
            np.dot(a, last_kernel_of(state.p, shape), z)
            for i in range(b):
                add_scaled(z[i], bias, np.float32(1))
    return z


@njit(nogil=True, error_model="numpy", cache=True, **INNER)
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
    total = 0.0
    for low in range(0, rows.size, shape.capacity):
        part = rows[low : min(low + shape.capacity, rows.size)]
        z = forward(data, shape, state, work, part, -1.0)
        for i in range(part.size):
            for e in range(z.shape[1]):
                out[low + i, e] = z[i, e]
        d = layer_of(work.d, shape, shape.widths.size - 1, part.size)
        total += loss_of(data, part, z, d)
    return total
