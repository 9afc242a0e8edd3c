"""What a pack's replicates share, and Keras's weights as the compiled steps hold them."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from manywalks.tasks import dense_layers
from manywalks.tasks.adam import step_sizes
from manywalks.tasks.dense_network import Data, Shape, State, Work
from manywalks.tasks.gather import COLUMNS
from manywalks.tasks.network import weight_shapes
from manywalks.tasks.walk import Problem, endpoint_losses, learning_rates

DENSE_FROM = 0.4
"""Sparse features that more than this share of the train rows have are multiplied as dense ones."""


class Prepared(NamedTuple):
    """What all replicates of a pack share."""

    problem: Problem
    data: Data
    shape: Shape
    sizes: np.ndarray
    decays: np.ndarray
    sparse_columns: np.ndarray
    dense_columns: np.ndarray


def prepare(problem: Problem) -> Prepared:
    """Features and targets as the compiled steps take them, and the steps' sizes."""
    sparse_columns, dense_columns, data = _data(problem)
    train = problem.train_params
    steps = problem.steps_per_epoch * train.epochs
    rates = learning_rates(train, steps)
    decay = train.weight_decay if train.optimizer == "adamw" else 0.0
    shape = _shape(problem, len(dense_columns))
    return Prepared(problem, data, shape, step_sizes(rates), rates * decay, sparse_columns, dense_columns)


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
        np.array([dense_layers.LOSSES.index(name) for name in endpoint_losses(problem)], np.int64),
    )
    return seldom, np.concatenate([often, np.arange(d_counts, features.width)]), data


def _shape(problem: Problem, n_dense: int) -> Shape:
    """Where each layer's weights lie."""
    network, train = problem.network, problem.train_params
    widths = np.array([*network.widths, problem.n_endpoints], np.int64)
    fans = np.array([n_dense, *network.widths], np.int64)
    vectors = np.where(network.normalization == "none", 1, 3) * np.ones(len(widths), np.int64)
    vectors[-1] = 1
    return Shape(
        widths,
        np.concatenate([[0], np.cumsum(fans * widths + vectors * widths)]),
        np.concatenate([[0], np.cumsum(widths)]),
        dense_layers.ACTIVATIONS.index(network.activation),
        dense_layers.NORMALIZATIONS.index(network.normalization),
        float(network.dropout),
        min(train.batch_size, len(problem.train)),
        float(train.l2),
    )


def fresh_work(shape: Shape, n_dense: int) -> Work:
    """Fresh scratch; predictions go through it 64 molecules at a time at least."""
    capacity, widest = max(shape.batch, 64), int(shape.widths.max())
    units = int(shape.units[-1]) * capacity
    fans = np.array([n_dense, *shape.widths[:-1]])
    a, d, slope, xhat, inverse = np.empty((5, units), np.float32)
    g = np.empty(int((fans * shape.widths).max()), np.float32)
    x = np.empty((capacity, n_dense), np.float32)
    row, panel = np.empty(max(2 * widest, COLUMNS), np.float32), np.empty(capacity * COLUMNS, np.float32)
    return Work(x, a, d, slope, xhat, inverse, g, row, panel)


def _to_panels(kernel: np.ndarray) -> np.ndarray:
    """(rows, width) -> (panels, rows, 64), filled up with zeros."""
    rows, width = kernel.shape
    panels = -(-width // COLUMNS)
    wide = np.zeros((rows, panels * COLUMNS), np.float32)
    wide[:, :width] = kernel
    return np.ascontiguousarray(wide.reshape(rows, panels, COLUMNS).transpose(1, 0, 2))


def _from_panels(panels: np.ndarray, width: int) -> np.ndarray:
    """(panels, rows, 64) -> (rows, width)."""
    return panels.transpose(1, 0, 2).reshape(panels.shape[1], panels.shape[0] * COLUMNS)[:, :width]


def flatten(prepared: Prepared, weights: list[np.ndarray], key: int) -> State:
    """Keras's weights as the compiled steps hold them, with Adam's moments at 0."""
    network = prepared.problem.network
    kernel = weights[0]
    W = _to_panels(kernel[prepared.sparse_columns])
    rest = [kernel[prepared.dense_columns], *weights[1:]]
    moving: list[np.ndarray] = []
    if network.normalization == "batch":
        for layer in reversed(range(len(network.widths))):
            at = 6 * layer + 4
            moving = [rest.pop(at), rest.pop(at), *moving]
    p = np.concatenate([array.ravel() for array in rest])
    return State(
        W, np.zeros_like(W), np.zeros_like(W), p, np.zeros_like(p), np.zeros_like(p),
        np.concatenate([*moving, np.empty(0, np.float32)]), np.array([key, 0], np.uint64),
    )  # fmt: skip


def unflatten(prepared: Prepared, state: State) -> list[np.ndarray]:
    """The weights in the order of Keras's `get_weights()`."""
    network, n_dense = prepared.problem.network, len(prepared.dense_columns)
    shapes = weight_shapes(network, prepared.problem.features.width, prepared.problem.n_endpoints)
    weights: list[np.ndarray] = []
    at, moved = shapes[0][1] * n_dense, 0
    kernel = np.empty(shapes[0], np.float32)
    kernel[prepared.sparse_columns] = _from_panels(state.W, shapes[0][1])
    kernel[prepared.dense_columns] = state.p[:at].reshape(n_dense, shapes[0][1])
    for place, shape in enumerate(shapes):
        size = int(np.prod(shape))
        is_moving = network.normalization == "batch" and place % 6 > 3
        if place == 0:
            weights.append(kernel)
        elif is_moving:
            weights.append(state.moving[moved : moved + size].copy())
            moved += size
        else:
            weights.append(state.p[at : at + size].reshape(shape).copy())
            at += size
    return weights
