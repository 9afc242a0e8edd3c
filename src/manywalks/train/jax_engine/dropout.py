"""Dropout masks from the hash of a counter, for the JAX programs: the masks of the engine on TensorFlow.

So a replicate drops the same units whichever of the two trains it, and no program computes Philox or
Threefry for each unit.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from manywalks.train.keras_engine.model import import_keras

if TYPE_CHECKING:
    import keras


def hash_masks(model: "keras.Model") -> None:
    """Give every plain Dropout layer of the model masks from `keep_mask`; the model is for training alone."""
    dropout = import_keras().layers.Dropout
    for layer in model._flatten_layers():
        if type(layer) is dropout and layer.noise_shape is None and layer.rate > 0:
            layer.call = _call(layer)


def _call(layer: "keras.layers.Dropout"):
    """What takes the place of a Dropout layer's `call`."""

    def call(inputs: Any, training: bool = False) -> Any:
        return dropped(inputs, layer.rate, layer.seed_generator.next()) if training else inputs

    return call


def dropped(x: Any, rate: float, key: Any) -> Any:
    """x where the mask of `key` keeps it, the larger for what is dropped, and 0 elsewhere."""
    import jax.numpy as jnp

    return jnp.where(keep_mask(x.shape, rate, key), x * np.float32(1 / (1 - rate)), 0)


def keep_mask(shape: tuple[int, ...], rate: float, key: Any) -> Any:
    """Bool of the given shape, true with probability 1 - rate.

    Args:
        shape: of the mask.
        rate: share dropped.
        key: integers (2,), another one at each step: seed of the layer and counter of its calls.
    """
    import jax.numpy as jnp

    seed, counter = key.astype(jnp.uint32)
    place = jnp.arange(int(np.prod(shape)), dtype=jnp.uint32)
    drawn = _mix(_mix(place + seed) ^ _mix(counter))
    return drawn.reshape(shape) >= np.uint32(int(rate * 2**32))


def _mix(x: Any) -> Any:
    """An invertible hash of 32-bit numbers: C. Wellons's `lowbias32` (public domain)."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = x ^ (x >> np.uint32(shift))
        x = x * np.uint32(factor)
    return x ^ (x >> np.uint32(16))
