"""One replicate after another of any Keras model, whole epochs compiled, in one thread of one process.

The model is traced once: a further replicate gets fresh weights, a zeroed optimizer and dropout seeds of its
own in the same variables. An epoch is one XLA program, a loop over the batches of an order drawn here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from manywalks.train.keras_engine.dropout import hash_masks
from manywalks.train.keras_engine.fresh import fresh_weights
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.losses import losses_in_numpy, losses_in_tensorflow
from manywalks.train.problem import Problem, Replicate, endpoint_losses, learning_rates
from manywalks.train.streams import Streams, epoch_order, streams

if TYPE_CHECKING:
    import tensorflow as tf


CHUNK = 256


"""Molecules predicted at once; the last chunk is filled up, so that one program serves all."""


class KerasTrainer:
    """Trains the replicates of a problem; made once a process, since compiling takes seconds.

    Args:
        problem: what is trained.
        compiled: with XLA; a model with an operation that XLA lacks falls back to a plain graph by itself.
    """

    def __init__(self, problem: Problem, *, compiled: bool = True) -> None:
        import tensorflow as tf

        self._problem = problem
        self._keras = import_keras("tensorflow")
        self._compiled = compiled
        targets, train = problem.targets, problem.train_params
        self._x = tf.constant(problem.features.matrix())
        side = np.where(targets.classes, 0, targets.censored).astype(np.float32)
        self._targets = tuple(tf.constant(part) for part in (targets.values, targets.weights, side))
        self._losses = endpoint_losses(problem)
        self._rates = learning_rates(train, problem.steps_per_epoch * problem.epochs).astype(np.float32)
        self._model = build(problem.network, problem.features.width, problem.n_endpoints)
        hash_masks(self._model)
        self._optimizer = self._make_optimizer()
        # what is neither weight nor seed (a counter, say) starts each replicate as it stood here
        self._start = [np.array(variable) for variable in self._model.variables]
        self._compile()

    def _make_optimizer(self) -> Any:
        """Keras's own Adam or AdamW with its variables in place."""
        train, optimizers = self._problem.train_params, self._keras.optimizers
        if train.optimizer == "adamw":
            optimizer = optimizers.AdamW(train.learning_rate, weight_decay=train.weight_decay)
        else:
            optimizer = optimizers.Adam(train.learning_rate)
        optimizer.build(self._model.trainable_variables)
        return optimizer

    def _compile(self) -> None:
        """(Re)make the programs; each is traced at its first call."""
        import tensorflow as tf

        self._run_epoch = tf.function(self._epoch, jit_compile=self._compiled)
        self._forward = tf.function(
            lambda rows: self._model(tf.gather(self._x, rows), training=False), jit_compile=self._compiled
        )

    def _epoch(self, full: "tf.Tensor", rest: "tf.Tensor", rates: "tf.Tensor") -> "tf.Tensor":
        """Summed loss of an epoch: batches `full` (s, b), then the short one `rest` (r,)."""
        import tensorflow as tf

        steps = full.shape[0]
        total = tf.zeros(())
        if steps:
            _, total = tf.while_loop(
                lambda s, _: s < steps,
                lambda s, total: (s + 1, total + self._step(full[s], rates[s])),
                (tf.constant(0), total),
            )
        if rest.shape[0]:
            total += self._step(rest, rates[steps])
        return total

    def _step(self, rows: "tf.Tensor", rate: "tf.Tensor") -> "tf.Tensor":
        """One optimizer step; returns the batch's summed loss, without penalties."""
        import tensorflow as tf

        y, weights, side = (tf.gather(part, rows) for part in self._targets)
        with tf.GradientTape() as tape:
            z = self._model(tf.gather(self._x, rows), training=True)
            total = tf.reduce_sum(weights * losses_in_tensorflow(self._losses, z, y, side))
            loss = total / tf.cast(tf.size(y), tf.float32) + self._penalty()
        trainable = self._model.trainable_weights
        self._optimizer.learning_rate.assign(rate)
        self._optimizer.apply(tape.gradient(loss, trainable), trainable)
        return total

    def _penalty(self) -> Any:
        """L2 of the kernels, and whatever a builder's layers add to the loss themselves."""
        import tensorflow as tf

        penalty = sum(self._model.losses, tf.zeros(()))
        if self._problem.train_params.l2 > 0:
            kernels = [v for v in self._model.trainable_weights if "kernel" in v.name]
            penalty += self._problem.train_params.l2 * sum(tf.reduce_sum(tf.square(v)) for v in kernels)
        return penalty

    def train(self, index: int, entropy: int, tell: Callable[[int], None] = lambda epoch: None) -> Replicate:
        """Train replicate `index` from its own stream; `tell` hears each epoch's number."""
        import tensorflow as tf

        own = streams(entropy, index, self._problem.vary, self._problem.family)
        try:
            self.start(own)
            return self._replicate(index, own, tell)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            if not self._compiled:
                raise
        # XLA cannot compile every operation: the same replicate again as a plain graph
        self._compiled = False
        self._compile()
        return self.train(index, entropy, tell=tell)

    def start(self, own: Streams) -> None:
        """Fresh weights and dropout seeds from the stream, a zeroed optimizer."""
        problem = self._problem
        for variable, value in zip(self._model.variables, self._start, strict=True):
            if variable.name == "seed_generator_state":
                value = np.array([own.dropout.integers(2**31), 0])
            variable.assign(value)
        self._model.set_weights(fresh_weights(problem, own))
        for variable in self._optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def _replicate(self, index: int, own: Streams, tell: Callable[[int], None]) -> Replicate:
        """Epoch after epoch, until the last or until stopping is called for."""
        problem, train = self._problem, self._problem.train_params
        best_loss, best_epoch, best, epoch = np.inf, 0, None, 0
        for epoch in range(1, problem.epochs + 1):
            loss = self.train_epoch(epoch, epoch_order(own.order, problem.train))
            if train.early_stopping is not None:
                loss += (valid_loss := self._valid_loss())
                if valid_loss < best_loss:
                    best_loss, best_epoch, best = valid_loss, epoch, self._model.get_weights()
            tell(epoch)
            if not np.isfinite(loss):
                return self._diverged(index, epoch)
            if train.early_stopping is not None and epoch - best_epoch >= train.early_stopping:
                break
        if best is None:
            best_epoch, best = epoch, self._model.get_weights()
        self._model.set_weights(best)
        predictions = self.predict(problem.predict)
        if not all(np.isfinite(part).all() for part in [*best, predictions]):
            return self._diverged(index, epoch)
        return Replicate(index, best, predictions, epoch, best_epoch, False)

    def train_epoch(self, epoch: int, order: np.ndarray) -> float:
        """Train one epoch (from 1) over the rows in this order; returns the summed loss."""
        import tensorflow as tf

        steps = self._problem.steps_per_epoch
        batch = min(self._problem.train_params.batch_size, len(order))
        whole = len(order) // batch * batch
        rates = self._rates[(epoch - 1) * steps : epoch * steps]
        parts = order[:whole].reshape(-1, batch), order[whole:], rates
        return float(self._run_epoch(*(tf.constant(part) for part in parts)))

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Outputs of the present weights in network space: float32 (k, t)."""
        import tensorflow as tf

        filled = np.zeros(-(-len(rows) // CHUNK) * CHUNK, np.int32)
        filled[: len(rows)] = rows
        chunks = [self._forward(tf.constant(chunk)) for chunk in filled.reshape(-1, CHUNK)]
        nothing = np.empty((0, self._problem.n_endpoints), np.float32)
        return np.concatenate([nothing, *(chunk.numpy() for chunk in chunks)])[: len(rows)]

    def weights(self) -> list[np.ndarray]:
        """The present weights, in the order of `get_weights()`."""
        return self._model.get_weights()

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Go on from these weights."""
        self._model.set_weights(weights)

    def _valid_loss(self) -> float:
        """Summed loss of the valid rows."""
        targets = self._problem.targets.take(self._problem.valid)
        side = np.where(targets.classes, 0, targets.censored)
        z = self.predict(self._problem.valid).astype(np.float64)
        return float((targets.weights * losses_in_numpy(self._losses, z, targets.values, side)).sum())

    def _diverged(self, index: int, epoch: int) -> Replicate:
        """A replicate that is reported, counted and replaced, not used."""
        shape = (len(self._problem.predict), self._problem.n_endpoints)
        return Replicate(index, [], np.full(shape, np.nan, np.float32), epoch, epoch, True)
