"""Each replicate's own randomness: initial weights, data order and dropout masks, nothing else."""

from typing import NamedTuple

import numpy as np


class Streams(NamedTuple):
    """The three independent generators of one replicate."""

    weights: np.random.Generator
    order: np.random.Generator
    dropout: np.random.Generator


def streams(entropy: int, index: int) -> Streams:
    """The generators of replicate `index`: the same whatever else is trained beside it."""
    children = np.random.SeedSequence(entropy, spawn_key=(index,)).spawn(3)
    return Streams(*(np.random.default_rng(child) for child in children))


def epoch_order(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """The given rows (n,) in a fresh order, int32; every engine draws one an epoch, the first epoch first.

    Keras's own shuffle is not used: after `keras.utils.set_random_seed` it repeats one permutation
    every epoch (TensorFlow backend, Keras 3.15.1), which cost 0.08 of test RMSE on ESOL.
    """
    return rng.permutation(rows).astype(np.int32)
