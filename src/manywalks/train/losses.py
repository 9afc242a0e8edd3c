"""The loss of each value, in each of the libraries that train: the same numbers from all of them.

In every function `z` are outputs of the network, `y` targets and `side` what is known of a censored one: 1
where the truth is above y, -1 below, 0 where it is y itself; all (..., t), in network space.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def losses_in_tensorflow(losses: tuple[str, ...], z: Any, y: Any, side: Any) -> Any:
    """Loss of each value (..., t)."""
    import tensorflow as tf

    error = z - y
    each = {
        "mse": lambda: tf.square(error),
        "huber": lambda: tf.where(tf.abs(error) > 1, tf.abs(error) - 0.5, 0.5 * tf.square(error)),
        "cross_entropy": lambda: tf.nn.sigmoid_cross_entropy_with_logits(y, z),
    }
    loss = _by_endpoint(losses, each, tf.where)
    return tf.where(error * side > 0, tf.zeros_like(loss), loss)


def losses_in_jax(losses: tuple[str, ...], z: Any, y: Any, side: Any) -> Any:
    """`losses_in_tensorflow` in JAX."""
    import jax.numpy as jnp

    error = z - y
    each = {
        "mse": lambda: error**2,
        "huber": lambda: jnp.where(jnp.abs(error) > 1, jnp.abs(error) - 0.5, 0.5 * error**2),
        "cross_entropy": lambda: jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))),
    }
    return jnp.where(error * side > 0, 0, _by_endpoint(losses, each, jnp.where))


def losses_in_numpy(losses: tuple[str, ...], z: np.ndarray, y: np.ndarray, side: np.ndarray) -> np.ndarray:
    """`losses_in_tensorflow` in NumPy."""
    error = z - y
    each = {
        "mse": lambda: error**2,
        "huber": lambda: np.where(abs(error) > 1, abs(error) - 0.5, 0.5 * error**2),
        "cross_entropy": lambda: np.maximum(z, 0) - z * y + np.log1p(np.exp(-abs(z))),
    }
    return np.where(error * side > 0, 0, _by_endpoint(losses, each, np.where))


def _by_endpoint(losses: tuple[str, ...], each: dict[str, Callable[[], Any]], where: Any) -> Any:
    """The loss (b, t) that holds each endpoint's own kind; what no endpoint has is not computed."""
    kinds = sorted(set(losses))
    loss = each[kinds[0]]()
    for kind in kinds[1:]:
        loss = where(np.array([own == kind for own in losses]), each[kind](), loss)
    return loss
