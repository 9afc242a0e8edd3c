"""Weights of a dense network without Keras: shapes, initial values, constants."""

import math

import numpy as np

from manywalks.params.sections.model import NetworkParams

NORMALIZATION_EPSILON = 1e-3
BATCH_MOMENTUM = 0.99


def weight_shapes(network: NetworkParams, n_features: int, n_endpoints: int) -> list[tuple[int, ...]]:
    """Shapes of a dense network's weights in the order of `get_weights()`.

    A hidden layer holds its kernel (in, out) and bias (out,), then gamma and beta of a normalization, then
    the moving mean and variance of a batch normalization, each (out,).
    """
    _refuse_builder(network)
    shapes: list[tuple[int, ...]] = []
    width_in = n_features
    vectors = {"none": 0, "layer": 2, "batch": 4}[network.normalization]
    for width in network.widths:
        shapes += [(width_in, width), (width,), *[(width,)] * vectors]
        width_in = width
    return [*shapes, (width_in, n_endpoints), (n_endpoints,)]


def initial_weights(
    network: NetworkParams, n_features: int, n_endpoints: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """A dense network's fresh weights, float32, in the order of `get_weights()`, as Keras would draw them.

    Kernels are Glorot uniform, biases 0; normalizations start as the identity.
    """
    _refuse_builder(network)
    weights: list[np.ndarray] = []
    width_in = n_features
    for width in network.widths:
        weights += [*_glorot_dense(width_in, width, rng), *_identity(network.normalization, width)]
        width_in = width
    return weights + _glorot_dense(width_in, n_endpoints, rng)


def glorot(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A fresh kernel (in, out) float32, uniform (Glorot and Bengio 2010)."""
    limit = np.float32(math.sqrt(6 / sum(shape)))
    # drawn in float32 at once: half the time of float64, and no copy of the largest array
    kernel = rng.random(shape, dtype=np.float32)
    kernel *= 2 * limit
    kernel -= limit
    return kernel


def _glorot_dense(width_in: int, width: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Kernel (in, out) and bias (out,) of a fresh dense layer."""
    return [glorot((width_in, width), rng), np.zeros(width, np.float32)]


def _identity(normalization: str, width: int) -> list[np.ndarray]:
    """The weights of a normalization that has learnt nothing yet."""
    ones, zeros = np.ones(width, np.float32), np.zeros(width, np.float32)
    if normalization == "none":
        return []
    return [ones, zeros] if normalization == "layer" else [ones, zeros, zeros.copy(), ones.copy()]


def _refuse_builder(network: NetworkParams) -> None:
    """Shapes are known for dense networks alone."""
    if network.builder is not None:
        raise ValueError(
            f"network.builder: the weights of {network.builder} are known to Keras alone; build the model"
        )
