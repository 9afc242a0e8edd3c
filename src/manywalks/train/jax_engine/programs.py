"""What the device runs: a stretch of an epoch, the look after it, predictions; m replicates in each program.

`vmap` makes m replicates of one network (networks.py), `scan` the steps of a stretch. Each replicate has its
own weights, moments, state of its normalizations, dropout masks and order.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from manywalks.train.jax_engine.molecules import Encoded
from manywalks.train.jax_engine.networks import network_of
from manywalks.train.losses import losses_in_jax
from manywalks.train.problem import Problem, endpoint_losses

if TYPE_CHECKING:
    import keras

# Triton's products are no faster here than cuBLAS's, and trying them all out takes 15 of 21 s.
OPTIONS = {"xla_gpu_enable_triton_gemm": False}
# Keras's own for Adam and AdamW
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


class State(NamedTuple):
    """All that changes while m replicates train; lists of arrays (m, ...).

    Attributes:
        weights: what is trained.
        other: what is not: moving means and variances, seeds of dropout.
        first: Adam's first moments of the weights.
        second: Adam's second moments.
    """

    weights: list[Any]
    other: list[Any]
    first: list[Any]
    second: list[Any]


class Kept(NamedTuple):
    """What predictions take: `State` without the moments."""

    weights: list[Any]
    other: list[Any]


class Steps(NamedTuple):
    """What s steps need besides their molecules.

    Attributes:
        sizes: float32 (s,), the learning rates, Adam's bias corrected.
        decays: float32 (s,), the share that each weight loses.
        held: float32 (s,), how many molecules of the batch count, from the first on.
    """

    sizes: Any
    decays: Any
    held: Any


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

        self._problem, self._network = problem, network_of(problem, model)
        self._losses = endpoint_losses(problem)
        self._kernels = [k for k, v in enumerate(model.trainable_variables) if "kernel" in v.name]
        compiled = partial(jax.jit, compiler_options=OPTIONS)
        self.train = compiled(self._train, donate_argnums=0)
        self.predict = compiled(self._predict)
        self.valid_loss = compiled(self._valid_loss)
        self.keep = compiled(self._keep, donate_argnums=0)
        self.finite = compiled(self._finite)
        self.apart = compiled(_apart)

    def _train(
        self, state: State, molecules: Encoded, targets: Targets, places: Places, steps: Steps
    ) -> tuple[State, Any]:
        """Some steps of every replicate, places (s, m, b); the losses of each summed up (m,)."""
        import jax
        import jax.numpy as jnp

        every = jax.vmap(self._step, in_axes=(0, None, None, 0, None))

        def body(carried: tuple[State, Any], step: tuple[Places, Steps]) -> tuple[tuple[State, Any], None]:
            state, total = carried
            state, loss = every(state, molecules, targets, *step)
            return (state, total + loss), None

        start = state, jnp.zeros(places.rows.shape[1])
        return jax.lax.scan(body, start, (places, steps))[0]

    def _step(
        self, state: State, molecules: Encoded, targets: Targets, places: Places, step: Steps
    ) -> tuple[State, Any]:
        """One Adam step of one replicate on molecules (b,)."""
        import jax
        import jax.numpy as jnp

        slopes = jax.grad(self._loss, has_aux=True)
        gradients, (total, other) = slopes(state.weights, state.other, molecules, targets, places, step.held)
        first = [m + (g - m) * (1 - BETA_1) for m, g in zip(state.first, gradients, strict=True)]
        second = [v + (g * g - v) * (1 - BETA_2) for v, g in zip(state.second, gradients, strict=True)]
        weights = [
            w - step.decays * w - step.sizes * m / (jnp.sqrt(v) + EPSILON)
            for w, m, v in zip(state.weights, first, second, strict=True)
        ]
        return State(weights, other, first, second), total

    def _loss(
        self,
        weights: list[Any],
        other: list[Any],
        molecules: Encoded,
        targets: Targets,
        places: Places,
        held: Any,
    ) -> tuple[Any, tuple[Any, list[Any]]]:
        """What a step lowers; beside it the summed loss of its molecules, and the state after it."""
        import jax.numpy as jnp

        z, other, penalties = self._network(weights, other, molecules, places.here, training=True)
        total = self._summed(z, targets, places.rows, jnp.arange(len(places.rows)) < held)
        loss = total / (held * self._problem.n_endpoints) + sum(penalties)
        if self._problem.train_params.l2 > 0:
            loss += self._problem.train_params.l2 * sum((weights[k] ** 2).sum() for k in self._kernels)
        return loss, (total, other)

    def _summed(self, z: Any, targets: Targets, rows: Any, counted: Any) -> Any:
        """The weighted losses of those molecules with outputs z (b, t) that are counted (b,), summed up."""
        y, weights, side = (part[rows] for part in targets)
        return (weights * counted[:, None] * losses_in_jax(self._losses, z, y, side)).sum()

    def _predict(self, weights: list[Any], other: list[Any], molecules: Encoded, here: Any) -> Any:
        """Network space (m, k, t) of the molecules at places (k,), by products in full float32.

        Training may round its products; what a replicate predicts is what every other program says of it.
        """
        import jax

        def one(weights: list[Any], other: list[Any]) -> Any:
            return self._network(weights, other, molecules, here, training=False)[0]

        with jax.default_matmul_precision("float32"):
            return jax.vmap(one)(weights, other)

    def _valid_loss(
        self, state: State, molecules: Encoded, targets: Targets, places: Places, counted: Any
    ) -> Any:
        """The summed loss (m,) of those molecules at places (k,) that are counted (k,)."""
        import jax

        z = self._predict(state.weights, state.other, molecules, places.here)
        return jax.vmap(lambda own: self._summed(own, targets, places.rows, counted))(z)

    def _keep(self, best: Kept, state: State, better: Any) -> Kept:
        """The weights of the best epochs so far, where this one was better (m,)."""
        import jax
        import jax.numpy as jnp

        def kept(before: Any, now: Any) -> Any:
            return jnp.where(better.reshape(-1, *[1] * (now.ndim - 1)), now, before)

        return jax.tree.map(kept, best, Kept(state.weights, state.other))

    def _finite(self, kept: Kept) -> Any:
        """Whether all numbers of a replicate are finite (m,)."""
        import jax.numpy as jnp

        checks = [
            jnp.isfinite(part).reshape(len(part), -1).all(axis=1) for part in (*kept.weights, *kept.other)
        ]
        return jnp.stack(checks).all(axis=0)


def _apart(stacks: list[Any]) -> list[list[Any]]:
    """Each replicate's part of stacks (m, ...)."""
    return [[stack[k] for k in range(len(stack))] for stack in stacks]
