"""Trains packs of replicates of one problem on the device: epochs, looks, best weights, predictions.

The host draws the orders and stays an epoch ahead of the device, so that neither waits for the other.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from manywalks.runtime.resources import usable_cores
from manywalks.train.jax_engine.device import free_memory
from manywalks.train.jax_engine.dropout import hash_masks
from manywalks.train.jax_engine.molecules import Molecules
from manywalks.train.jax_engine.programs import BETA_1, BETA_2, Course, Places, Programs, State, targets_of
from manywalks.train.keras_engine.fresh import fresh_weights
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.problem import Problem, Replicate, learning_rates
from manywalks.train.streams import Streams, epoch_order, streams

# Molecules predicted at once; the last chunk is filled up, so that one program serves all.
CHUNK = 1024
# Replicates at once, at most and at least: small networks gain up to 128, large ones nothing over 8.
MOST, LEAST = 128, 8
# Weights, moments, gradients and what is in passing: beyond this, more replicates bring no more speed.
STATE_BYTES = 2**30
COPIES = 6
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
        self._molecules = Molecules(problem.features, int(free_memory() * MOLECULES_SHARE))
        self._targets = jax.device_put(targets_of(problem))
        self._programs = Programs(problem, self._model)
        self.size = size or pack_size(problem, self._model.count_params())
        self._numbers = self._rates()

    def _find_slots(self) -> list[Slot]:
        """Where each of `get_weights()` is."""
        trained = {id(v): k for k, v in enumerate(self._model.trainable_variables)}
        other = {id(v): k for k, v in enumerate(self._model.non_trainable_variables)}
        return [
            Slot(True, trained[id(v)]) if id(v) in trained else Slot(False, other[id(v)])
            for v in self._model.weights
        ]

    def _rates(self) -> np.ndarray:
        """Of each step: its size, Adam's bias corrected, and its decay; float32 (steps, 2)."""
        train = self._problem.train_params
        steps = self._problem.steps_per_epoch * self._problem.epochs
        rates, t = learning_rates(train, steps), np.arange(1, steps + 1)
        sizes = rates * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        decays = rates * (train.weight_decay if train.optimizer == "adamw" else 0)
        return np.stack([sizes, decays], axis=1).astype(np.float32)

    def train(
        self, indices: Sequence[int], entropy: int, tell: Callable[[int, int], None] = lambda *_: None
    ) -> list[Replicate]:
        """Train the replicates `indices`, at most `size`; `tell` hears (replicate, epoch)."""
        filled = [*indices, *[indices[-1]] * (self.size - len(indices))]
        own = [streams(entropy, index, self._problem.vary, self._problem.family) for index in filled]
        state, ended = self._fresh(own), None
        for epoch in range(1, self._problem.epochs + 1):
            state, loss = self._train_epoch(state, epoch, [of_one.order for of_one in own])
            state, ending = self._programs.look(state, loss, self._valid_losses(state, epoch), np.int32(epoch))
            # what the former look said: the device is at work on this epoch meanwhile
            if ended is not None and self._told(indices, np.asarray(ended), epoch - 1, tell):
                break
            ended = ending
        self._told(indices, np.asarray(ending), epoch, tell)
        return self._replicates(indices, state)

    def _told(
        self, indices: Sequence[int], ended: np.ndarray, epoch: int, tell: Callable[[int, int], None]
    ) -> bool:
        """Tell who trained in this epoch; whether all have ended."""
        for index, last in zip(indices, ended, strict=False):
            if last in (0, epoch):
                tell(index, epoch)
        return bool(ended[: len(indices)].all())

    def _fresh(self, own: list[Streams]) -> State:
        """The state of m replicates before their first step."""
        import jax

        with ThreadPoolExecutor(usable_cores()) as pool:
            # a builder's model draws from Python's own random, which is one for all threads
            each = map if self._problem.network.builder else pool.map
            started = list(each(self._start_one, own))
        weights, other = (
            [np.stack(parts) for parts in zip(*(one[k] for one in started), strict=True)] for k in (0, 1)
        )
        moments = [[np.zeros_like(weight) for weight in weights] for _ in range(2)]
        stops = self._problem.train_params.early_stopping is not None
        best = ([w.copy() for w in weights], [o.copy() for o in other]) if stops else ()
        m = len(own)
        course = Course(
            np.full(m, np.inf, np.float32), np.zeros(m, np.int32), np.zeros(m, np.int32), np.zeros(m, bool)
        )
        return jax.device_put(State(weights, other, *moments, best, course))

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

    def _train_epoch(
        self, state: State, epoch: int, orders: list[np.random.Generator]
    ) -> tuple[State, Any]:
        """One epoch of every replicate in its own order; summed losses (m,) are still on the device."""
        problem = self._problem
        rows = np.stack([epoch_order(rng, problem.train) for rng in orders])
        m, batch = len(rows), min(problem.train_params.batch_size, len(problem.train))
        whole = rows.shape[1] // batch
        steps = problem.steps_per_epoch
        rates = self._numbers[(epoch - 1) * steps : epoch * steps]
        full = rows[:, : whole * batch].reshape(m, whole, batch).swapaxes(0, 1)
        stretch = min(whole, self._molecules.most(m * batch))
        total = 0.0
        for low in range(0, whole, stretch):
            part = slice(low, min(low + stretch, whole))
            state, loss = self._run(state, full[part], rates[part])
            total = total + loss
        if rows.shape[1] > whole * batch:
            state, loss = self._run(state, rows[None, :, whole * batch :], rates[whole:])
            total = total + loss
        return state, total

    def _run(self, state: State, rows: np.ndarray, rates: np.ndarray) -> tuple[State, Any]:
        """The steps of rows (s, m, b)."""
        molecules, here = self._molecules.of(rows)
        return self._programs.train(state, molecules, self._targets, Places(here, rows), rates)

    def _valid_losses(self, state: State, epoch: int) -> Any:
        """Summed loss of the valid rows (m,); without early stopping what lets every epoch be the best."""
        if self._problem.train_params.early_stopping is None:
            return np.full(self.size, -epoch, np.float32)
        total = 0.0
        for rows, counted in _chunks(self._problem.valid):
            molecules, here = self._molecules.of(rows)
            places = Places(here, rows)
            total = total + self._programs.valid_loss(state, molecules, self._targets, places, counted)
        return total

    def _replicates(self, indices: Sequence[int], state: State) -> list[Replicate]:
        """The outcome of each, predicted from its best weights."""
        trained, other = state.best or (state.weights, state.other)
        predictions = self._predict(trained, other)
        parts = [np.asarray((trained if slot.trained else other)[slot.place]) for slot in self._slots]
        course = Course(*(np.asarray(part) for part in state.course))
        done = []
        for k, index in enumerate(indices):
            weights, ended = [part[k].copy() for part in parts], int(course.ended[k])
            finite = all(np.isfinite(part).all() for part in [*weights, predictions[k]])
            if course.diverged[k] or not finite:
                nothing = np.full_like(predictions[k], np.nan)
                done.append(Replicate(index, [], nothing, ended, ended, True))
            else:
                best = int(course.best_epoch[k])
                done.append(Replicate(index, weights, predictions[k], ended, best, False))
        return done

    def _predict(self, trained: list[Any], other: list[Any]) -> np.ndarray:
        """Network space float32 (m, k, t) of the rows to predict."""
        problem = self._problem
        parts = [np.empty((self.size, 0, problem.n_endpoints), np.float32)]
        for rows, counted in _chunks(problem.predict):
            molecules, here = self._molecules.of(rows)
            z = np.asarray(self._programs.predict(trained, other, molecules, here))
            parts.append(z[:, : int(counted.sum())])
        return np.concatenate(parts, axis=1)


def _chunks(rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows in chunks of one size, the last one filled up; beside each which of its rows count (0 or 1)."""
    size = max(1, min(CHUNK, len(rows)))
    filled = np.zeros(-(-len(rows) // size) * size, np.int32)
    filled[: len(rows)] = rows
    counted = (np.arange(len(filled)) < len(rows)).astype(np.float32)
    return list(zip(filled.reshape(-1, size), counted.reshape(-1, size), strict=True))


def pack_size(problem: Problem, parameters: int) -> int:
    """Replicates at once: a power of 2, by the size of the network and the device's free memory."""
    copies = COPIES + (2 if problem.train_params.early_stopping is not None else 0)
    batch = problem.train_params.batch_size * 4 * (3 * problem.features.width)
    each = 4 * copies * parameters + batch
    fast = min(MOST, max(LEAST, STATE_BYTES // each))
    fits = int(free_memory() * (1 - MOLECULES_SHARE)) // each
    return 1 << (max(1, min(fast, fits)).bit_length() - 1)
