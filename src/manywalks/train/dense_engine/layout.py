"""What a pack's replicates share, and Keras's weights as the compiled steps hold them."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from manywalks.train.dense_engine import layers
from manywalks.train.dense_engine.adam import step_sizes
from manywalks.train.dense_engine.gather import COLUMNS
from manywalks.train.dense_engine.network import Data, Shape, State, Work
from manywalks.train.dense_engine.tiles import MOLECULES, ROWS
from manywalks.train.problem import Problem, endpoint_losses, learning_rates
from manywalks.train.weights import weight_shapes

LINE = 16


"""Floats of a cache line."""


DENSE_FROM = 0.4


"""Sparse features that more than this share of the train rows have are multiplied as dense ones."""


class DenseProblem(NamedTuple):
    """What all replicates of a pack share."""

    problem: Problem
    data: Data
    shape: Shape
    sizes: np.ndarray
    decays: np.ndarray
    sparse_columns: np.ndarray
    dense_columns: np.ndarray


def prepare(problem: Problem) -> DenseProblem:
    """Features and targets as the compiled steps take them, and the steps' sizes."""
    sparse_columns, dense_columns, data = _data(problem)
    train = problem.train_params
    steps = problem.steps_per_epoch * problem.epochs
    rates = learning_rates(train, steps)
    decay = train.weight_decay if train.optimizer == "adamw" else 0.0
    shape = _shape(problem, len(dense_columns))
    return DenseProblem(problem, data, shape, step_sizes(rates), rates * decay, sparse_columns, dense_columns)


def _data(problem: Problem) -> tuple[np.ndarray, np.ndarray, Data]:
    """Which columns are sparse and which dense, and the compiled steps' view of features and targets."""
    features, targets = problem.features, problem.targets
    d_counts = features.width - features.dense.shape[1]
    train_counts = features.take(problem.train).counts
    share = np.bincount(train_counts.indices, minlength=d_counts) / len(problem.train)
    often = np.flatnonzero(share > DENSE_FROM)
    seldom = np.flatnonzero(share <= DENSE_FROM)
    counts = sparse.csr_matrix(features.counts[:, seldom])
    counts.sort_indices()
    dense = np.concatenate([sparse.csr_matrix(features.counts[:, often]).toarray(), features.dense], axis=1)
    data = Data(
        counts.indptr.astype(np.int64),
        counts.indices.astype(np.int32),
        counts.data.astype(np.float32),
        np.ascontiguousarray(dense, np.float32),
        np.ascontiguousarray(targets.values, np.float32),
        np.ascontiguousarray(targets.weights, np.float32),
        np.ascontiguousarray(np.where(targets.classes, 0, targets.censored), np.int8),
        np.array([layers.LOSSES.index(name) for name in endpoint_losses(problem)], np.int64),
    )
    return seldom, np.concatenate([often, np.arange(d_counts, features.width)]), data


def _shape(problem: Problem, n_dense: int) -> Shape:
    """Where each layer's weights lie."""
    network, train = problem.network, problem.train_params
    batch = min(train.batch_size, len(problem.train))
    widths = np.array([*network.widths, problem.n_endpoints], np.int64)
    fans, columns = _filled(np.array([n_dense, *network.widths], np.int64), ROWS), _filled(widths, COLUMNS)
    vectors = np.where(network.normalization == "none", 1, 3) * np.ones(len(widths), np.int64)
    vectors[-1] = 1
    if len(widths) > 1:
        fans[-1], columns[-1] = widths[-2], widths[-1]
    return Shape(
        widths,
        fans,
        # a vector that crosses a cache line costs two reads, so every kernel begins with a line
        np.concatenate([[0], np.cumsum(_filled(fans * columns + vectors * widths, LINE))]),
        np.concatenate([[0], np.cumsum(widths)]),
        np.concatenate([[0], np.cumsum(fans)]),
        int(_filled(batch, MOLECULES)),
        layers.ACTIVATIONS.index(network.activation),
        layers.NORMALIZATIONS.index(network.normalization),
        float(network.dropout),
        batch,
        float(train.l2),
    )


def _filled(size: Any, whole: int) -> Any:
    """The next multiple of `whole`."""
    return -(-size // whole) * whole


def _zeros(size: int) -> np.ndarray:
    """Float32, flat, from a cache line's beginning on."""
    room = np.zeros(size + LINE, np.float32)
    start = -room.ctypes.data % (4 * LINE) // 4
    return room[start : start + size]


def fresh_work(shape: Shape) -> Work:
    """Fresh scratch."""
    capacity, widest = shape.capacity, int(shape.widths.max())
    a, d, slope, xhat, inverse = np.empty((5, int(shape.units[-1]) * capacity), np.float32)
    # rows that fill up a kernel are multiplied too: with zeros, which nothing overwrites
    across, below = _zeros(int(shape.entries[-1]) * capacity), _zeros(int(shape.fans.max()) * capacity)
    turned, panel = _zeros(COLUMNS * capacity), _zeros(COLUMNS * capacity)
    g = np.empty(int(shape.fans[-1] * shape.widths[-1]), np.float32)
    row = _zeros(max(2 * widest, COLUMNS))
    return Work(a, d, slope, xhat, inverse, across, below, turned, g, row, panel)


def _to_panels(kernel: np.ndarray, rows: int) -> np.ndarray:
    """(in, out) -> (panels, rows, 64), filled up with zeros."""
    fan, width = kernel.shape
    panels = _filled(width, COLUMNS) // COLUMNS
    wide = np.zeros((rows, panels * COLUMNS), np.float32)
    wide[:fan, :width] = kernel
    return np.ascontiguousarray(wide.reshape(rows, panels, COLUMNS).transpose(1, 0, 2))


def _from_panels(panels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(panels, rows, 64) -> (in, out)."""
    rows, width = shape
    count, filled, columns = panels.shape
    return panels.transpose(1, 0, 2).reshape(filled, count * columns)[:rows, :width]


def flatten(prepared: DenseProblem, weights: list[np.ndarray], key: int) -> State:
    """Keras's weights as the compiled steps hold them, with Adam's moments at 0."""
    shape = prepared.shape
    vectors = {0: 1, 1: 3, 2: 5}[shape.normalization]
    sparse_columns, dense_columns = prepared.sparse_columns, prepared.dense_columns
    sparse_part = _to_panels(weights[0][sparse_columns], len(sparse_columns))
    W, W_m, W_v = (_zeros(sparse_part.size).reshape(sparse_part.shape) for _ in range(3))
    W[:] = sparse_part
    p, m, v = (_zeros(int(shape.kernels[-1])) for _ in range(3))
    moving = [np.empty(0, np.float32)]
    for layer, fan in enumerate(shape.fans):
        kernel, *rest = weights[layer * (1 + vectors) : (layer + 1) * (1 + vectors)]
        kernel = kernel[dense_columns] if layer == 0 else kernel
        first = (_to_panels(kernel, int(fan)) if _in_panels(shape, layer) else kernel).ravel()
        p[shape.kernels[layer] :][: first.size] = first
        last = np.concatenate(rest[:3])
        p[shape.kernels[layer + 1] - last.size : shape.kernels[layer + 1]] = last
        moving += rest[3:]
    return State(W, W_m, W_v, p, m, v, np.concatenate(moving), np.array([key, 0], np.uint64))


def _in_panels(shape: Shape, layer: int) -> bool:
    """All kernels but that of the outputs over a hidden layer."""
    return layer == 0 or layer < len(shape.widths) - 1


def unflatten(prepared: DenseProblem, state: State) -> list[np.ndarray]:
    """The weights in the order of Keras's `get_weights()`."""
    shape, network = prepared.shape, prepared.problem.network
    shapes = weight_shapes(network, prepared.problem.features.width, prepared.problem.n_endpoints)
    vectors = {0: 1, 1: 3, 2: 5}[shape.normalization]
    weights: list[np.ndarray] = []
    for layer, w in enumerate(shape.widths):
        full = shapes[layer * (1 + vectors)]
        end, count = shape.kernels[layer + 1], 1 if layer == len(shape.widths) - 1 else min(vectors, 3)
        start, rest = shape.kernels[layer], state.p[end - count * w : end]
        if _in_panels(shape, layer):
            rows = len(prepared.dense_columns) if layer == 0 else full[0]
            panels = _filled(int(w), COLUMNS) // COLUMNS, int(shape.fans[layer]), COLUMNS
            kernel = state.p[start : start + math.prod(panels)].reshape(panels)
            kernel = _from_panels(kernel, (rows, int(w)))
        else:
            kernel = state.p[start : start + math.prod(full)]
        if layer == 0:
            dense, kernel = kernel, np.empty(full, np.float32)
            kernel[prepared.dense_columns] = dense
            kernel[prepared.sparse_columns] = _from_panels(state.W, (len(prepared.sparse_columns), int(w)))
        weights += [kernel.reshape(full).copy(), *rest.reshape(count, int(w)).copy()]
        if vectors == 5 and layer < len(shape.widths) - 1:
            start = 2 * shape.units[layer]
            weights += list(state.moving[start : start + 2 * w].reshape(2, int(w)).copy())
    return weights
