"""What the device runs: a stretch of an epoch, the look after it, predictions; m replicates in each program.

`vmap` makes m replicates of Keras's `stateless_call`, `scan` the steps of a stretch. Each replicate has its
own weights, moments, state of its normalizations, dropout masks and order.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from manywalks.train.jax_engine.molecules import Encoded, decode
from manywalks.train.losses import losses_in_jax
from manywalks.train.problem import Problem, endpoint_losses

if TYPE_CHECKING:
    import keras

# Keras's own for Adam and AdamW
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


class Course(NamedTuple):
    """How each replicate fares, (m,) each.

    Attributes:
        best_loss: lowest loss of the valid molecules so far.
        best_epoch: the epoch (from 1) that had it.
        ended: the epoch after which it ended; 0 while it runs.
        diverged: whether a loss was not finite.
    """

    best_loss: Any
    best_epoch: Any
    ended: Any
    diverged: Any


class State(NamedTuple):
    """All that changes while m replicates train; lists of arrays (m, ...).

    Attributes:
        weights: what is trained.
        other: what is not: moving means and variances, seeds of dropout.
        first: Adam's first moments of the weights.
        second: Adam's second moments.
        best: weights and other of the best epoch so far; empty without early stopping.
        course: how each fares.
    """

    weights: list[Any]
    other: list[Any]
    first: list[Any]
    second: list[Any]
    best: tuple[list[Any], ...]
    course: Course


class Places(NamedTuple):
    """Rows of molecules as the device sees them.

    Attributes:
        here: places among the molecules on the device, int32.
        rows: rows of the problem, whose targets they have, int32 of the same shape.
    """

    here: Any
    rows: Any


class Targets(NamedTuple):
    """Targets of all n molecules on the device: values, weights, and side of censored ones, (n, t) each."""

    values: Any
    weights: Any
    side: Any


def targets_of(problem: Problem) -> Targets:
    """The problem's targets; classes are never censored."""
    targets = problem.targets
    side = np.where(targets.classes, 0, targets.censored).astype(np.float32)
    return Targets(targets.values, targets.weights, side)


class Programs:
    """The functions that are compiled, for one problem; `model` lends them its structure alone."""

    def __init__(self, problem: Problem, model: "keras.Model") -> None:
        import jax

        self._problem, self._model = problem, model
        self._losses = endpoint_losses(problem)
        self._kernels = [k for k, v in enumerate(model.trainable_variables) if "kernel" in v.name]
        self.train = jax.jit(self._train, donate_argnums=0)
        self.look = jax.jit(self._look, donate_argnums=0)
        self.predict = jax.jit(self._predict)
        self.valid_loss = jax.jit(self._valid_loss)

    def _train(
        self, state: State, molecules: Encoded, targets: Targets, places: Places, rates: Any
    ) -> tuple[State, Any]:
        """Some steps of every replicate: places (s, m, b), rates (s, 2); the losses summed up (m,)."""
        import jax
        import jax.numpy as jnp

        every = jax.vmap(self._step, in_axes=(0, 0, 0, 0, None, None, 0, None))

        def body(carried: tuple, step: tuple[Places, Any]) -> tuple[tuple, None]:
            *held, total = carried
            *held, loss = every(*held, molecules, targets, *step)
            return (*held, total + loss), None

        start = (state.weights, state.other, state.first, state.second, jnp.zeros(places.rows.shape[1]))
        (weights, other, first, second, total), _ = jax.lax.scan(body, start, (places, rates))
        return State(weights, other, first, second, state.best, state.course), total

    def _step(
        self,
        weights: list[Any],
        other: list[Any],
        first: list[Any],
        second: list[Any],
        molecules: Encoded,
        targets: Targets,
        places: Places,
        rates: Any,
    ) -> tuple[list[Any], list[Any], list[Any], list[Any], Any]:
        """One Adam step of one replicate on molecules (b,); rates: step size and decay, bias corrected."""
        import jax
        import jax.numpy as jnp

        slopes = jax.value_and_grad(self._loss, has_aux=True)
        (_, (total, other)), gradients = slopes(weights, other, molecules, targets, places)
        size, decay = rates
        first = [m + (g - m) * (1 - BETA_1) for m, g in zip(first, gradients, strict=True)]
        second = [v + (g * g - v) * (1 - BETA_2) for v, g in zip(second, gradients, strict=True)]
        weights = [
            w - decay * w - size * m / (jnp.sqrt(v) + EPSILON)
            for w, m, v in zip(weights, first, second, strict=True)
        ]
        return weights, other, first, second, total

    def _loss(
        self, weights: list[Any], other: list[Any], molecules: Encoded, targets: Targets, places: Places
    ) -> tuple[Any, tuple[Any, list[Any]]]:
        """What a step lowers; beside it the summed loss of its molecules, and the state after it."""
        x = decode(molecules, places.here)
        z, other, penalties = self._model.stateless_call(
            weights, other, x, training=True, return_losses=True
        )
        total = self._summed(z, targets, places.rows)
        loss = total / (len(places.rows) * self._problem.n_endpoints) + sum(penalties)
        if self._problem.train_params.l2 > 0:
            loss += self._problem.train_params.l2 * sum((weights[k] ** 2).sum() for k in self._kernels)
        return loss, (total, other)

    def _summed(self, z: Any, targets: Targets, rows: Any) -> Any:
        """The weighted loss of molecules with outputs z (b, t), summed up."""
        y, weights, side = (part[rows] for part in targets)
        return (weights * losses_in_jax(self._losses, z, y, side)).sum()

    def _look(self, state: State, loss: Any, valid_loss: Any, epoch: Any) -> tuple[State, Any]:
        """After an epoch: who is better than ever, who ended; (m,) each. The epochs of the ends come back."""
        import jax.numpy as jnp

        train, course = self._problem.train_params, state.course
        patience = self._problem.epochs if train.early_stopping is None else train.early_stopping
        running = course.ended == 0
        better = running & (valid_loss < course.best_loss)
        best_loss = jnp.where(better, valid_loss, course.best_loss)
        best_epoch = jnp.where(better, epoch, course.best_epoch)
        diverged = course.diverged | (running & ~jnp.isfinite(loss + valid_loss))
        over = diverged | (epoch - best_epoch >= patience) | (epoch == self._problem.epochs)
        ended = jnp.where(running & over, epoch, course.ended)

        def kept(now: Any, before: Any) -> Any:
            return jnp.where(better.reshape(-1, *[1] * (now.ndim - 1)), now, before)

        best = tuple(
            [kept(now, before) for now, before in zip(part, held, strict=True)]
            for part, held in zip((state.weights, state.other), state.best, strict=False)
        )
        after = state._replace(best=best, course=Course(best_loss, best_epoch, ended, diverged))
        return after, ended + 0

    def _predict(self, weights: list[Any], other: list[Any], molecules: Encoded, here: Any) -> Any:
        """Network space (m, k, t) of the molecules at places (k,)."""
        import jax

        x = decode(molecules, here)

        def one(weights: list[Any], other: list[Any]) -> Any:
            return self._model.stateless_call(weights, other, x, training=False)[0]

        return jax.vmap(one)(weights, other)

    def _valid_loss(
        self, state: State, molecules: Encoded, targets: Targets, places: Places, counted: Any
    ) -> Any:
        """The summed loss (m,) of those molecules at places (k,) that are `counted` (k,)."""
        import jax

        z = self._predict(state.weights, state.other, molecules, places.here)
        ours = targets._replace(weights=targets.weights[places.rows] * counted[:, None])
        values, side = targets.values[places.rows], targets.side[places.rows]
        ours = Targets(values, ours.weights, side)
        return jax.vmap(lambda own: self._summed(own, ours, slice(None)))(z)
