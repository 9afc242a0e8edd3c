"""Trains packs of replicates of one problem on the device: epochs, looks, best weights, predictions.

The host draws the orders and stays an epoch ahead of the device, so that neither waits for the other.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from manywalks.runtime.resources import usable_cores
from manywalks.train.jax_engine.courses import Courses, Tell
from manywalks.train.jax_engine.device import free_memory
from manywalks.train.jax_engine.dropout import hash_masks
from manywalks.train.jax_engine.engine import ATOMS
from manywalks.train.jax_engine.molecules import Molecules
from manywalks.train.jax_engine.programs import (
    BETA_1,
    BETA_2,
    Kept,
    Places,
    Programs,
    State,
    Steps,
    targets_of,
)
from manywalks.train.keras_engine.fresh import fresh_weights
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.problem import Problem, Replicate, learning_rates
from manywalks.train.streams import Streams, epoch_order, streams

# Molecules predicted at once; the last chunk is filled up, so that one program serves all. On graphs each
# takes as much memory as its atoms.
CHUNK, GRAPH_CHUNK = 1024, 256
# Replicates at once, at most and at least. 128 would be a seventh faster for small networks, but an ensemble
# of 32 would wait for all of them; large networks gain little over 8.
MOST, LEAST = 32, 8
# Weights, moments, gradients and what is in passing: beyond this, more replicates bring no more speed.
STATE_BYTES = 2**31
COPIES = 6
# What a network on graphs keeps of each atom and layer for the way back, in its states' size.
STATES_IN_PASSING = 11
# Bytes of one layer's weights in all replicates beyond which they are fetched by several threads.
LARGE_STACK = 2**23
# Share of the free memory that the molecules may take.
MOLECULES_SHARE = 0.5


class Slot(NamedTuple):
    """Where one of `model.weights` is: among the trained ones, or among the others."""

    trained: bool
    place: int


class JaxTrainer:
    """Trains packs of a problem; made once a process, since compiling takes seconds.

    Args:
        problem: what is trained.
        size: replicates in each pack, the spare places filled with copies; by default as many as
            the device's memory holds and its speed gains by. It is the same for all packs of a problem, since
            how a product is rounded depends on it.
    """

    def __init__(self, problem: Problem, size: int | None = None) -> None:
        import jax

        import_keras("jax")
        self._problem = problem
        with jax.default_device(jax.devices("cpu")[0]):
            self._model = build(problem.network, problem.features.width, problem.n_endpoints)
            self._start = [np.array(variable) for variable in self._model.variables]
        hash_masks(self._model)
        self._slots = self._find_slots()
        budget = int(free_memory() * MOLECULES_SHARE)
        self._molecules = Molecules(problem.features, budget, problem.network)
        self._targets = jax.device_put(targets_of(problem))
        self._programs = Programs(problem, self._model)
        self.size = size or pack_size(problem, self._model.count_params())
        self._batch = min(problem.train_params.batch_size, len(problem.train))
        known = problem.network.builder is None or problem.network.on_graph
        self._fills = known and problem.network.normalization != "batch"
        self._steps = self._plan_steps()

    def _find_slots(self) -> list[Slot]:
        """Where each of `get_weights()` is."""
        trained = {id(v): k for k, v in enumerate(self._model.trainable_variables)}
        other = {id(v): k for k, v in enumerate(self._model.non_trainable_variables)}
        return [
            Slot(True, trained[id(v)]) if id(v) in trained else Slot(False, other[id(v)])
            for v in self._model.weights
        ]

    def _plan_steps(self) -> Steps:
        """The numbers of each step of the whole training."""
        train, per_epoch = self._problem.train_params, self._problem.steps_per_epoch
        steps = per_epoch * self._problem.epochs
        rates, t = learning_rates(train, steps), np.arange(1, steps + 1)
        sizes = rates * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        decays = rates * (train.weight_decay if train.optimizer == "adamw" else 0)
        held = np.full(per_epoch, self._batch)
        held[-1] = len(self._problem.train) - (per_epoch - 1) * self._batch
        each = sizes, decays, np.tile(held, self._problem.epochs)
        return Steps(*(part.astype(np.float32) for part in each))

    def train(self, indices: Sequence[int], entropy: int, tell: Tell = lambda *_: None) -> list[Replicate]:
        """Train the replicates `indices`, at most `size`; `tell` hears (replicate, epoch)."""
        filled = [*indices, *[indices[-1]] * (self.size - len(indices))]
        own = [streams(entropy, index, self._problem.vary, self._problem.family) for index in filled]
        state, courses = self._fresh(own), Courses(self._problem, indices, tell)
        stops_early = self._problem.train_params.early_stopping is not None
        to_its_end = self._to_the_best if stops_early else self._to_the_end
        return self._replicates(courses, to_its_end(state, [of_one.order for of_one in own], courses))

    def _to_the_end(self, state: State, orders: list[np.random.Generator], courses: Courses) -> Kept:
        """All epochs; the host reads the losses of one while the device works on the next."""
        losses: list[Any] = []
        for epoch in range(1, self._problem.epochs + 1):
            state, loss = self._train_epoch(state, epoch, orders)
            losses.append(loss)
            if epoch > 1:
                courses.note(epoch - 1, np.asarray(losses[-2]))
            if courses.ended:
                break
        courses.note(len(losses), np.asarray(losses[-1]))
        return Kept(state.weights, state.other)

    def _to_the_best(self, state: State, orders: list[np.random.Generator], courses: Courses) -> Kept:
        """Until none has become better for long; the weights of each one's best epoch."""
        import jax
        import jax.numpy as jnp

        best = jax.tree.map(jnp.copy, Kept(state.weights, state.other))
        for epoch in range(1, self._problem.epochs + 1):
            state, loss = self._train_epoch(state, epoch, orders)
            better = courses.note(epoch, np.asarray(loss), np.asarray(self._valid_losses(state)))
            if better.any():
                best = self._programs.keep(best, state, better)
            if courses.ended:
                break
        return best

    def _fresh(self, own: list[Streams]) -> State:
        """The state of m replicates before their first step."""
        import jax
        import jax.numpy as jnp

        trained, other = (
            [np.empty((len(own), *v.shape), np.dtype(v.dtype)) for v in variables]
            for variables in (self._model.trainable_variables, self._model.non_trainable_variables)
        )

        def fill(k: int) -> None:
            for stacked, started in zip((trained, other), self._start_one(own[k]), strict=True):
                for stack, one in zip(stacked, started, strict=True):
                    stack[k] = one

        # a builder's model draws from Python's own random, which is one for all threads
        with ThreadPoolExecutor(1 if self._problem.network.builder else usable_cores()) as pool:
            list(pool.map(fill, range(len(own))))
        weights, other = jax.device_put((trained, other))
        moments = [[jnp.zeros_like(weight) for weight in weights] for _ in range(2)]
        return State(weights, other, *moments)

    def _start_one(self, own: Streams) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """What one replicate starts from: trained and other arrays."""
        import jax

        model = self._model
        start = {id(v): value for v, value in zip(model.variables, self._start, strict=True)}
        for variable in model.variables:
            if variable.name == "seed_generator_state":
                seed = np.array([own.dropout.integers(2**31), 0])
                start[id(variable)] = seed.astype(start[id(variable)].dtype)
        trained = [start[id(v)] for v in model.trainable_variables]
        other = [start[id(v)] for v in model.non_trainable_variables]
        with jax.default_device(jax.devices("cpu")[0]):
            drawn = fresh_weights(self._problem, own)
        for slot, weight in zip(self._slots, drawn, strict=True):
            (trained if slot.trained else other)[slot.place] = weight
        return trained, other

    def _train_epoch(self, state: State, epoch: int, orders: list[np.random.Generator]) -> tuple[State, Any]:
        """One epoch of every replicate in its own order; summed losses (m,) are still on the device."""
        per_epoch = self._problem.steps_per_epoch
        rows = np.stack([epoch_order(rng, self._problem.train) for rng in orders])
        first, total = (epoch - 1) * per_epoch, 0.0
        for batches, low in self._stretches(rows):
            high = first + low + len(batches)
            steps = Steps(*(part[first + low : high] for part in self._steps))
            molecules, here = self._molecules.of(batches)
            state, loss = self._programs.train(state, molecules, self._targets, Places(here, batches), steps)
            total = total + loss
        return state, total

    def _stretches(self, rows: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """Rows (m, n) as batches (s, m, b) for one program each, with the step of the first one.

        One stretch is the whole epoch where all molecules are on the device. The short last batch is filled
        up, unless molecules of a batch see each other: then it is a stretch of its own.
        """
        (m, n), batch = rows.shape, self._batch
        steps = -(-n // batch)
        spare = steps * batch - n
        filled = np.concatenate([rows, np.full((m, spare), self._molecules.filler, rows.dtype)], axis=1)
        whole = filled.reshape(m, steps, batch).swapaxes(0, 1)
        last = steps - (1 if spare and not self._fills else 0)
        each = max(1, min(steps, self._molecules.most(m * batch)))
        cut = [(whole[low : min(low + each, last)], low) for low in range(0, last, each)]
        if last < steps:
            cut.append((rows[None, :, last * batch :], last))
        return cut

    def _valid_losses(self, state: State) -> Any:
        """Summed loss of the valid rows (m,)."""
        total = 0.0
        for rows, counted in self._chunks(self._problem.valid):
            molecules, here = self._molecules.of(rows)
            places = Places(here, rows)
            total = total + self._programs.valid_loss(state, molecules, self._targets, places, counted)
        return total

    def _replicates(self, courses: Courses, kept: Kept) -> list[Replicate]:
        """The outcome of each, predicted from the weights that are kept."""
        predictions, finite = self._predict(kept), np.asarray(self._programs.finite(kept))
        weights = self._fetched(kept, len(courses))
        done = []
        for k, course in enumerate(courses):
            index, ended = course.index, course.ended
            if course.diverged or not finite[k] or not np.isfinite(predictions[k]).all():
                nothing = np.full_like(predictions[k], np.nan)
                done.append(Replicate(index, [], nothing, ended, ended, True))
            else:
                done.append(Replicate(index, weights[k], predictions[k], ended, course.best_epoch, False))
        return done

    def _fetched(self, kept: Kept, count: int) -> list[list[np.ndarray]]:
        """The weights of the first replicates on the host, each in the order of `get_weights()`.

        By several threads where there is much: what takes the time is the host's new memory.
        """
        stacks = [(kept.weights if slot.trained else kept.other)[slot.place] for slot in self._slots]
        large = iter(self._programs.apart([stack for stack in stacks if stack.nbytes > LARGE_STACK]))
        with ThreadPoolExecutor(usable_cores()) as pool:
            parts = [
                list(pool.map(np.asarray, next(large)[:count]))
                if stack.nbytes > LARGE_STACK
                else np.asarray(stack)
                for stack in stacks
            ]
        return [[part[k] for part in parts] for k in range(count)]

    def _predict(self, kept: Kept) -> np.ndarray:
        """Network space float32 (m, k, t) of the rows to predict."""
        problem = self._problem
        parts = [np.empty((self.size, 0, problem.n_endpoints), np.float32)]
        for rows, counted in self._chunks(problem.predict):
            molecules, here = self._molecules.of(rows)
            z = np.asarray(self._programs.predict(*kept, molecules, here))
            parts.append(z[:, : int(counted.sum())])
        return np.concatenate(parts, axis=1)

    def _chunks(self, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Rows in chunks of one size, the last one filled up; which of its rows count (0 or 1) beside it."""
        most = GRAPH_CHUNK if self._problem.network.on_graph else CHUNK
        size = max(1, min(most, len(rows)))
        filled = np.full(-(-len(rows) // size) * size, self._molecules.filler, np.int32)
        filled[: len(rows)] = rows
        counted = (np.arange(len(filled)) < len(rows)).astype(np.float32)
        return list(zip(filled.reshape(-1, size), counted.reshape(-1, size), strict=True))


def pack_size(problem: Problem, parameters: int) -> int:
    """Replicates at once: a power of 2, by the size of the network and the device's free memory."""
    copies = COPIES + (2 if problem.train_params.early_stopping is not None else 0)
    numbers = 3 * problem.features.width
    if (network := problem.network).on_graph:
        numbers += ATOMS * network.layers * network.units * STATES_IN_PASSING
    each = 4 * (copies * parameters + problem.train_params.batch_size * numbers)
    fast = min(MOST, max(LEAST, STATE_BYTES // each))
    fits = int(free_memory() * (1 - MOLECULES_SHARE)) // each
    return 1 << (max(1, min(fast, fits)).bit_length() - 1)
