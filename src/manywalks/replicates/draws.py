"""Draws of the training molecules: other samples, as far as one table can show them.

Halves: the molecules are parted at random in two, in whole groups where the split keeps groups together.
The halves of a pair are two samples that have no molecule in common. Bootstrap: each replicate draws as many
groups as there are, with replacement.

A draw reaches the engines as weights: what was drawn twice weighs twice as much, what was not weighs nothing,
and nothing else of the training changes.
"""

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from manywalks.train.prepare import Groups, Prepared

# another number where the same entropy gives other draws: replicates on them are trained again
SCHEME = 2


@dataclass(frozen=True)
class Draws:
    """Which molecules each replicate trains on.

    Attributes:
        entropy: that the draws are spawned from.
        each: so many replicates in a row share a half; halves 0 and 1 are a pair. 0: nothing is halved.
        bootstrap: whether each replicate then draws from its molecules, with replacement.
    """

    entropy: int
    each: int = 0
    bootstrap: bool = False

    @property
    def leave_out(self) -> bool:
        """Whether each replicate of the ensemble leaves molecules out, which it then predicts."""
        return self.bootstrap and not self.each

    def shared(self, index: int) -> int:
        """Replicates of the same number train on the same molecules."""
        return index if self.bootstrap else index // self.each

    def weights(self, groups: np.ndarray, index: int) -> np.ndarray:
        """How much each of n molecules of these groups weighs for a replicate: (n,), with a mean of 1."""
        found = np.ones(len(groups))
        if self.each:
            pair, side = divmod(index // self.each, 2)
            first = first_half(groups, self._rng(0, pair))
            found = (first if side == 0 else ~first).astype(np.float64)
        if self.bootstrap:
            there = found > 0
            found[there] = drawn_again(groups[there], self._rng(1, index))
        return found * (len(groups) / found.sum())

    def _rng(self, what: int, number: int) -> np.random.Generator:
        """Random numbers of their own for each pair of halves (0) and each bootstrap (1)."""
        return np.random.default_rng(np.random.SeedSequence(self.entropy, spawn_key=(SCHEME, what, number)))


def first_half(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bool (n,): which molecules are in the first of two halves, whole groups drawn at random."""
    _, own, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        raise ValueError(f"split: the {len(groups)} training molecules are one group, which has no halves")
    order = rng.permutation(len(sizes))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = np.zeros(len(sizes), dtype=bool)
    # the group over the middle belongs to the first half, unless nothing were left for the other
    chosen[order[:-1]] = before[:-1] < len(groups) / 2
    return chosen[own]


def drawn_again(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How often each of n molecules is drawn (n,): whole groups, as many as there are, with replacement."""
    _, own = np.unique(groups, return_inverse=True)
    number = int(own.max()) + 1
    return rng.multinomial(number, np.full(number, 1 / number))[own].astype(np.float64)


def predicting_train(prepared: Prepared, groups: Groups) -> Prepared:
    """The same problem, with the training molecules behind those that replicates predict anyway."""
    predict = np.concatenate([prepared.problem.predict, groups.train])
    return prepared._replace(problem=dataclasses.replace(prepared.problem, predict=predict))


class Predicted(NamedTuple):
    """Predictions (n_oos, t); of the training molecules (n_train, t), NaN where one was drawn."""

    out_of_sample: np.ndarray
    out_of_bag: np.ndarray


def parted(values: np.ndarray, weights: np.ndarray) -> Predicted:
    """What a replicate of `predicting_train` says of molecules that it did not train on.

    Args:
        values: (n_oos + n_train, t).
        weights: (n_train,), what each training molecule weighed for it.
    """
    first = len(values) - len(weights)
    return Predicted(values[:first], np.where(weights[:, None] > 0, np.nan, values[first:]))


def on_draw(prepared: Prepared, groups: Groups, draws: Draws, index: int) -> Prepared:
    """The problem of a family with the training molecules of a replicate; all families see the same ones."""
    weights = np.ones(len(groups.groups))
    weights[groups.train] = draws.weights(groups.groups[groups.train], index)
    targets = prepared.problem.targets
    changed = (targets.weights * weights[:, None]).astype(np.float32)
    return prepared._replace(
        problem=dataclasses.replace(prepared.problem, targets=dataclasses.replace(targets, weights=changed))
    )
