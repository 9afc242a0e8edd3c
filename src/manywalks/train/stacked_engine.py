"""Engine for accelerators: dense networks with a leading replicate axis, trained in lockstep.

One small network leaves an accelerator idle, so a pack of m replicates becomes one program: kernels
(m, in, out), batches (m, b, d), each replicate with its own order and masks. On a processor this is slower
than one replicate after another, since their state leaves the cache; it is tested there and meant for
elsewhere. It has not been timed on an accelerator yet.

How a matrix product is rounded depends on m. So all packs of a problem have the same m, spare places being
filled with copies, and a replicate is the same alone as in a pack.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from manywalks.train.keras_engine.dropout import draw
from manywalks.train.keras_engine.model import import_keras
from manywalks.train.keras_engine.trainer import losses_in_numpy, losses_in_tensorflow
from manywalks.train.problem import Problem, Progress, Replicate, endpoint_losses, learning_rates
from manywalks.train.streams import Streams, epoch_order, nudge, streams
from manywalks.train.weights import (
    BATCH_MOMENTUM,
    NORMALIZATION_EPSILON,
    initial_weights,
    parameter_count,
    weight_shapes,
)

PACK_BYTES = 4 * 2**30


"""Memory that the state of the replicates trained at once may take; the features come on top."""


PACK_LIMIT = 32


"""Replicates trained at once, at most: more would be copies in most packs."""


COPIES = 6


"""Arrays of the size of the weights: they, two moments, the gradient, the best weights, one in passing."""


CHUNK = 1024


"""Molecules predicted at once."""


BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


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
    """Train the replicates `indices`, as many in lockstep as memory holds; threads are TensorFlow's own."""
    size = pack_size(problem)
    lockstep = Lockstep(problem, size)
    for start in range(0, len(indices), size):
        yield from lockstep.train(indices[start : start + size], entropy, progress)


def pack_size(problem: Problem) -> int:
    """How many replicates are trained at once: what fits into PACK_BYTES, at most PACK_LIMIT."""
    return max(1, min(PACK_LIMIT, PACK_BYTES // replicate_bytes(problem)))


def replicate_bytes(problem: Problem) -> int:
    """Memory that one replicate takes while it is trained."""
    weights = parameter_count(problem.network, problem.features.width, problem.n_endpoints)
    units = problem.features.width + 6 * sum(problem.network.widths)
    return 4 * (COPIES * weights + problem.train_params.batch_size * units)


@dataclass
class Course:
    """How one replicate fares: its best valid loss and weights so far, and when it ended."""

    best_loss: float = math.inf
    best_epoch: int = 0
    ended: int = 0
    diverged: bool = False


class Lockstep:
    """m replicates that take each step together; compiled once for all packs of a problem."""

    def __init__(self, problem: Problem, size: int) -> None:
        import tensorflow as tf

        self._problem, self._size = problem, size
        self._activation = import_keras().activations.get(problem.network.activation)
        shapes = weight_shapes(problem.network, problem.features.width, problem.n_endpoints)
        self._weights = [tf.Variable(tf.zeros((size, *shape))) for shape in shapes]
        self._layout = self._lay_out()
        self._trained = [k for layer in self._layout for k in layer[:4]]
        self._moments = [
            tuple(tf.Variable(tf.zeros_like(self._weights[k])) for _ in range(2)) for k in self._trained
        ]
        targets = problem.targets
        side = np.where(targets.classes, 0, targets.censored).astype(np.float32)
        self._x = tf.constant(problem.features.matrix())
        self._targets = tuple(tf.constant(part) for part in (targets.values, targets.weights, side))
        self._losses = endpoint_losses(problem)
        self._epoch = tf.function(self._run_epoch, jit_compile=True)
        self._forward = tf.function(self._predict_chunk, jit_compile=True)

    def _start(self, own: list[Streams]) -> None:
        """Fresh weights, and Adam's moments at 0."""
        import tensorflow as tf

        problem = self._problem
        sizes = problem.network, problem.features.width, problem.n_endpoints
        fresh = zip(*(nudge(initial_weights(*sizes, of_one.weights), of_one) for of_one in own), strict=True)
        for weight, parts in zip(self._weights, fresh, strict=True):
            weight.assign(np.stack(parts))
        for moment in (moment for pair in self._moments for moment in pair):
            moment.assign(tf.zeros_like(moment))

    def _lay_out(self) -> list[list[int]]:
        """Places of each layer's weights: kernel, bias, gamma, beta, moving mean, moving variance."""
        vectors = {"none": 2, "layer": 4, "batch": 6}[self._problem.network.normalization]
        hidden = len(self._problem.network.widths)
        layers = [list(range(k * vectors, (k + 1) * vectors)) for k in range(hidden)]
        return [*layers, [hidden * vectors, hidden * vectors + 1]]

    def train(self, indices: Sequence[int], entropy: int, progress: Progress | None) -> list[Replicate]:
        """All epochs; replicates that ended early wait for the others, their best weights kept."""
        filled = [*indices, *[indices[-1]] * (self._size - len(indices))]
        own = [streams(entropy, index, self._problem.vary, self._problem.family) for index in filled]
        self._start(own)
        seeds = np.array([of_one.dropout.integers(2**31) for of_one in own], np.uint32)
        train = self._problem.train_params
        courses = [Course() for _ in indices]
        best = [weight.numpy() for weight in self._weights]
        for epoch in range(1, self._problem.epochs + 1):
            running = [k for k, course in enumerate(courses) if not course.ended]
            if not running:
                break
            losses = self._train_epoch(epoch, [of_one.order for of_one in own], seeds)
            valid = self._valid_losses() if train.early_stopping is not None else -np.full(self._size, epoch)
            better = [k for k in running if self._note(courses[k], epoch, losses[k], valid[k])]
            for kept, weight in zip(best, self._weights, strict=True):
                if better and (train.early_stopping is not None or epoch == self._problem.epochs):
                    kept[better] = weight.numpy()[better]
            if progress is not None:
                for k in running:
                    progress(indices[k], epoch, self._problem.epochs)
        return self._replicates(indices, courses, best)

    def _note(self, course: Course, epoch: int, loss: float, valid_loss: float) -> bool:
        """Take an epoch's losses down; whether it was the best so far."""
        train = self._problem.train_params
        better = valid_loss < course.best_loss
        if better:
            course.best_loss, course.best_epoch = valid_loss, epoch
        course.diverged = not np.isfinite(loss + valid_loss)
        patience = train.early_stopping if train.early_stopping is not None else math.inf
        if course.diverged or epoch - course.best_epoch >= patience or epoch == self._problem.epochs:
            course.ended = epoch
        return better

    def _replicates(
        self, indices: Sequence[int], courses: list[Course], best: list[np.ndarray]
    ) -> list[Replicate]:
        """The outcome of each, predicted from its best weights."""
        for weight, kept in zip(self._weights, best, strict=True):
            weight.assign(kept)
        predictions = self._predict(self._problem.predict)
        done = []
        for k, (index, course) in enumerate(zip(indices, courses, strict=True)):
            weights = [stack[k].copy() for stack in best]
            finite = all(np.isfinite(part).all() for part in [*weights, predictions[k]])
            if course.diverged or not finite:
                nothing = np.full_like(predictions[k], np.nan)
                done.append(Replicate(index, [], nothing, course.ended, course.ended, True))
            else:
                done.append(Replicate(index, weights, predictions[k], course.ended, course.best_epoch, False))
        return done

    def _train_epoch(
        self, epoch: int, streams_of_order: list[np.random.Generator], seeds: np.ndarray
    ) -> np.ndarray:
        """One epoch of every replicate in its own order; summed losses (m,)."""
        import tensorflow as tf

        train, rows = self._problem.train_params, self._problem.train
        steps = self._problem.steps_per_epoch
        orders = np.stack([epoch_order(rng, rows) for rng in streams_of_order])
        batch = min(train.batch_size, len(rows))
        whole = len(rows) // batch * batch
        full = orders[:, :whole].reshape(len(orders), -1, batch).swapaxes(0, 1)
        t = np.arange((epoch - 1) * steps + 1, epoch * steps + 1)
        rates = learning_rates(train, steps * self._problem.epochs)[t - 1]
        sizes = rates * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        decays = rates * (train.weight_decay if train.optimizer == "adamw" else 0)
        numbers = np.stack([sizes, decays], axis=1).astype(np.float32)
        parts = full, orders[:, whole:], numbers, t.astype(np.int32), seeds
        return self._epoch(*(tf.constant(part) for part in parts)).numpy()

    def _run_epoch(self, full: Any, rest: Any, numbers: Any, t: Any, seeds: Any) -> Any:
        """Batches `full` (s, m, b), then the short one `rest` (m, r); summed losses (m,)."""
        import tensorflow as tf

        steps, m = full.shape[0], self._size
        _, total = tf.while_loop(
            lambda s, _: s < steps,
            lambda s, total: (s + 1, total + self._step(full[s], numbers[s], (t[s], seeds))),
            (tf.constant(0), tf.zeros(m)),
        )
        if rest.shape[1]:
            total += self._step(rest, numbers[steps], (t[steps], seeds))
        return total

    def _step(self, rows: Any, numbers: Any, draws: tuple[Any, Any]) -> Any:
        """One Adam step on rows (m, b); numbers: step size and decay; draws: step and seeds."""
        import tensorflow as tf

        y, weights, side = (tf.gather(part, rows) for part in self._targets)
        kernels = [self._weights[layer[0]] for layer in self._layout]
        trained = [self._weights[k] for k in self._trained]
        with tf.GradientTape() as tape:
            z = self._network(tf.gather(self._x, rows), draws)
            total = tf.reduce_sum(weights * losses_in_tensorflow(self._losses, z, y, side), axis=(1, 2))
            loss = tf.reduce_sum(total) / (rows.shape[1] * self._problem.n_endpoints)
            if self._problem.train_params.l2 > 0:
                loss += self._problem.train_params.l2 * sum(tf.reduce_sum(tf.square(k)) for k in kernels)
        gradients: Any = tape.gradient(loss, trained)
        for w, g, (m, v) in zip(trained, gradients, self._moments, strict=True):
            m.assign_add((g - m) * (1 - BETA_1))
            v.assign_add((g * g - v) * (1 - BETA_2))
            w.assign_sub(numbers[1] * w + numbers[0] * m / (tf.sqrt(v) + EPSILON))
        return total

    def _network(self, x: Any, draws: tuple[Any, Any] | None = None) -> Any:
        """Network space (m, b, endpoints) of features (m or 1, b, d); training where `draws` are given."""
        import tensorflow as tf

        rate = self._problem.network.dropout
        for number, layer in enumerate(self._layout):
            kernel, bias, *norm = (self._weights[k] for k in layer)
            x = tf.matmul(x, kernel) + bias[:, None]
            if number == len(self._layout) - 1:
                return x
            x = self._activation(self._normalize(x, norm, training=draws is not None))
            if draws is not None and rate > 0:
                counter = tf.cast(draws[0] * len(self._layout) + number, tf.uint32)
                place = tf.cast(tf.range(x.shape[1] * x.shape[2]), tf.uint32)
                drawn = tf.reshape(draw(place, draws[1][:, None], counter), x.shape)
                keep = drawn >= tf.constant(int(rate * 2**32), tf.uint32)
                x = tf.where(keep, x * np.float32(1 / (1 - rate)), tf.zeros_like(x))
        return x

    def _normalize(self, x: Any, norm: list[Any], *, training: bool) -> Any:
        """Layer or batch normalization of (m, b, h), each replicate for itself."""
        import tensorflow as tf

        if not norm:
            return x
        gamma, beta, *moving = norm
        if moving and not training:
            mean, variance = moving[0][:, None], moving[1][:, None]
        else:
            mean, variance = tf.nn.moments(x, axes=[1 if moving else 2], keepdims=True)
        if moving and training:
            for kept, new in zip(moving, (mean, variance), strict=True):
                kept.assign(kept * BATCH_MOMENTUM + new[:, 0] * (1 - BATCH_MOMENTUM))
        return (x - mean) * tf.math.rsqrt(variance + NORMALIZATION_EPSILON) * gamma[:, None] + beta[:, None]

    def _predict_chunk(self, rows: Any) -> Any:
        """Network space (m, chunk, t) of some rows."""
        import tensorflow as tf

        return self._network(tf.gather(self._x, rows)[None])

    def _predict(self, rows: np.ndarray) -> np.ndarray:
        """Network space float32 (m, k, t) of the present weights."""
        import tensorflow as tf

        chunk = min(CHUNK, max(len(rows), 1))
        filled = np.zeros(-(-len(rows) // chunk) * chunk, np.int32)
        filled[: len(rows)] = rows
        nothing = np.empty((self._size, 0, self._problem.n_endpoints), np.float32)
        parts = [self._forward(tf.constant(part)).numpy() for part in filled.reshape(-1, chunk)]
        return np.concatenate([nothing, *parts], axis=1)[:, : len(rows)]

    def _valid_losses(self) -> np.ndarray:
        """Summed loss of the valid rows for each replicate, float64 (m,)."""
        targets = self._problem.targets.take(self._problem.valid)
        side = np.where(targets.classes, 0, targets.censored)
        z = self._predict(self._problem.valid).astype(np.float64)
        losses = losses_in_numpy(self._losses, z, targets.values, side)
        return (targets.weights * losses).sum(axis=(1, 2))
