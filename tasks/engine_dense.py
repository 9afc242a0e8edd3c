"""Engine for dense networks: one replicate a core, the whole run compiled, zeros skipped, no TensorFlow.

Replicates stacked in lockstep are slower on a processor, since their state leaves the cache; so each thread
trains one replicate from beginning to end, without Python's lock, and a pack costs no more memory than its
threads (and the results). The first use on a machine compiles for some 20 s; the code is kept on disk.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import NamedTuple

import numpy as np
import scipy.linalg.blas  # noqa: F401  loaded first, so that its threads are limited too
from scipy import sparse
from threadpoolctl import threadpool_limits

from manywalks.tasks import dense_layers
from manywalks.tasks.adam import step_sizes
from manywalks.tasks.dense_steps import Data, Shape, State, Work, predict_rows, train_window
from manywalks.tasks.gather import COLUMNS
from manywalks.tasks.network import initial_weights, weight_shapes
from manywalks.tasks.streams import Streams, epoch_order, nudge, streams
from manywalks.tasks.walk import Problem, Progress, Replicate, endpoint_losses, learning_rates

WINDOW = 64
"""Steps planned ahead: a longer plan takes memory, a shorter one visits resting rows more often."""

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


def supports(problem: Problem) -> bool:
    """Every network that params.yaml can describe without a builder."""
    return problem.network.builder is None


def train_pack(
    problem: Problem,
    indices: Sequence[int],
    entropy: int,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> Iterator[Replicate]:
    """Train the replicates `indices`, `threads` at a time; yields each as it ends."""
    prepared = prepare(problem)
    stop = threading.Event()
    # two BLAS threads inside each of two replicates would wait for each other
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(_train, prepared, k, entropy, progress, stop) for k in indices]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


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


def _work(shape: Shape, n_dense: int) -> Work:
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
    kernel[prepared.dense_columns] = state.p[:at].reshape(n_dense, -1)
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


def _train(
    prepared: Prepared, index: int, entropy: int, progress: Progress | None, stop: threading.Event
) -> Replicate:
    """Train one replicate from its own stream."""
    problem = prepared.problem
    own = streams(entropy, index, problem.vary)
    drawn = initial_weights(problem.network, problem.features.width, problem.n_endpoints, own.weights)
    weights = nudge(drawn, own)
    state = flatten(prepared, weights, int(own.dropout.integers(2**63)))
    return train_state(prepared, state, own, index=index, progress=progress, stop=stop)


def train_state(
    prepared: Prepared,
    state: State,
    own: Streams,
    *,
    index: int = 0,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Replicate:
    """Train from given weights: epoch after epoch, until the last or until stopping is called for."""
    problem, train = prepared.problem, prepared.problem.train_params
    work = _work(prepared.shape, len(prepared.dense_columns))
    best_loss, best_epoch, best, epoch = np.inf, 0, state, 0
    for epoch in range(1, train.epochs + 1):
        loss = _train_epoch(prepared, state, work, epoch, epoch_order(own.order, problem.train))
        if train.early_stopping is not None:
            loss += (valid_loss := _predict(prepared, state, work, problem.valid)[1])
            if valid_loss < best_loss:
                best_loss, best_epoch, best = valid_loss, epoch, State(*(part.copy() for part in state))
        if progress is not None:
            progress(index, epoch, train.epochs)
        if not np.isfinite(loss):
            return _diverged(problem, index, epoch)
        if stop is not None and stop.is_set():
            break
        if train.early_stopping is not None and epoch - best_epoch >= train.early_stopping:
            break
    if train.early_stopping is None:
        best_epoch = epoch
    weights = unflatten(prepared, best)
    predictions, _ = _predict(prepared, best, work, problem.predict)
    if not all(np.isfinite(part).all() for part in [*weights, predictions]):
        return _diverged(problem, index, epoch)
    return Replicate(index, weights, predictions, epoch, best_epoch, False)


def _train_epoch(prepared: Prepared, state: State, work: Work, epoch: int, order: np.ndarray) -> float:
    """One epoch in windows; returns its summed loss."""
    per_epoch, batch = prepared.problem.steps_per_epoch, prepared.shape.batch
    loss = 0.0
    for low in range(0, per_epoch, WINDOW):
        high = min(low + WINDOW, per_epoch)
        steps = slice((epoch - 1) * per_epoch + low, (epoch - 1) * per_epoch + high)
        part = order[low * batch : high * batch]
        sizes, decays = prepared.sizes[steps], prepared.decays[steps]
        loss += train_window(prepared.data, prepared.shape, state, work, part, sizes, decays)
    return loss


def _predict(prepared: Prepared, state: State, work: Work, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Predictions of some rows in network space, float32 (k, t), and their summed loss."""
    out = np.empty((len(rows), prepared.problem.n_endpoints), np.float32)
    loss = predict_rows(prepared.data, prepared.shape, state, work, rows.astype(np.int32), out)
    return out, loss


def _diverged(problem: Problem, index: int, epoch: int) -> Replicate:
    """A replicate that is reported, counted and replaced, not used."""
    nothing = np.full((len(problem.predict), problem.n_endpoints), np.nan, np.float32)
    return Replicate(index, [], nothing, epoch, epoch, True)
