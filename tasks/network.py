"""params -> one replicate's Keras model, and the weights that such a model starts from.

The dense networks of params.yaml are described twice, as a Keras model and as plain shapes, so that the
engines which need no TensorFlow never import it (5 s and 0.7 GB a process).
"""

import importlib
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from manywalks.tasks.params_model import NetworkParams

if TYPE_CHECKING:
    import keras

NORMALIZATION_EPSILON = 1e-3
"""Keras's own epsilon of BatchNormalization and LayerNormalization, written out since engines share it."""

BATCH_MOMENTUM = 0.99
"""Keras's own momentum of the moving mean and variance of BatchNormalization."""


def import_keras() -> ModuleType:
    """Keras on TensorFlow, without the lines that TensorFlow's start writes to standard error."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" not in sys.modules:
        _import_quietly("tensorflow")
    keras = importlib.import_module("keras")
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"keras: runs on {keras.backend.backend()} in this process; set KERAS_BACKEND=tensorflow"
        )
    return keras


def _import_quietly(module: str) -> None:
    """Import with file descriptor 2 closed off; what failed is raised and so still seen.

    The C++ start-up lines ("oneDNN custom operations are on", "Could not find cuda drivers") come before
    its logging is set up, so TF_CPP_MIN_LOG_LEVEL does not reach them.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            importlib.import_module(module)
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def build(
    network: NetworkParams, n_features: int, n_endpoints: int, *, workspace: Path | None = None
) -> "keras.Model":
    """One replicate's functional model: scaled features (b, d) -> network space (b, t), logits for classes.

    Args:
        network: what params.yaml says of it.
        n_features: d.
        n_endpoints: t.
        workspace: folder that a `builder` module may lie in (default: the current folder).
    """
    keras = import_keras()
    if network.builder is not None:
        return _build_by(network.builder, n_features, n_endpoints, workspace or Path.cwd())
    inputs = keras.Input((n_features,), name="features")
    x = inputs
    for number, width in enumerate(network.widths, start=1):
        x = keras.layers.Dense(width, name=f"dense_{number}")(x)
        if network.normalization == "layer":
            x = keras.layers.LayerNormalization(
                epsilon=NORMALIZATION_EPSILON, name=f"normalization_{number}"
            )(x)
        elif network.normalization == "batch":
            x = keras.layers.BatchNormalization(
                epsilon=NORMALIZATION_EPSILON, momentum=BATCH_MOMENTUM, name=f"normalization_{number}"
            )(x)
        x = keras.layers.Activation(network.activation, name=f"activation_{number}")(x)
        if network.dropout > 0:
            x = keras.layers.Dropout(network.dropout, name=f"dropout_{number}")(x)
    return keras.Model(inputs, keras.layers.Dense(n_endpoints, name="output")(x), name="replicate")


def _build_by(builder: str, n_features: int, n_endpoints: int, workspace: Path) -> "keras.Model":
    """The model that a person's own function makes, checked: (b, d) in, (b, t) out."""
    keras = import_keras()
    function = load_builder(builder, workspace)
    try:
        model = function(n_features, n_endpoints)
    except Exception as error:  # a person's function may fail in any way
        raise ValueError(
            f"network.builder: {builder}({n_features}, {n_endpoints}) failed: {_one_line(error)}; mend it"
        ) from error
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"network.builder: {builder} returned {type(model).__name__}; return a keras.Model "
            "made of an Input and layers"
        )
    if not isinstance(model, keras.Sequential) and not hasattr(model, "operations"):
        raise ValueError(
            f"network.builder: {builder} returned a subclass of keras.Model, which plain Keras cannot load; "
            "return keras.Model(inputs, outputs) or keras.Sequential with an Input"
        )
    if not model.built:
        raise ValueError(
            f"network.builder: {builder} returned a model without an Input; start it with "
            f"keras.Input(({n_features},))"
        )
    _check_shape(builder, "takes", model.input_shape, (None, n_features))
    _check_shape(builder, "gives", model.output_shape, (None, n_endpoints))
    _refuse_foreign_layers(builder, model)
    return model


def _refuse_foreign_layers(builder: str, model: "keras.Model") -> None:
    """Every layer must be Keras's own, else the ensemble's file would not load in plain Keras."""
    keras = import_keras()
    for layer in model._flatten_layers():
        kind = type(layer)
        if kind.__module__.split(".")[0] != "keras" or isinstance(layer, keras.layers.Lambda):
            raise ValueError(
                f"network.builder: {builder} uses the layer {kind.__name__}, which plain Keras cannot load; "
                "use built-in layers and keras.ops"
            )


def _check_shape(builder: str, verb: str, shape: Any, wanted: tuple[None, int]) -> None:
    """Refuse a model whose input or output is not one array of the wanted shape."""
    if not isinstance(shape, tuple) or shape != wanted:
        raise ValueError(
            f"network.builder: {builder} made a model that {verb} {shape}; it must be (None, {wanted[1]}), "
            f"{'features' if verb == 'takes' else 'endpoints'} a molecule"
        )


def load_builder(builder: str, workspace: Path) -> Callable[[int, int], Any]:
    """The function that `module:function` names; the module may lie in the workspace folder."""
    module_name, _, function_name = builder.partition(":")
    if not module_name or not function_name:
        raise ValueError(f"network.builder: {builder!r} is not module:function; write e.g. my_network:build")
    folder = str(workspace.resolve())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a person's module may fail in any way
        raise ValueError(
            f"network.builder: {builder}: cannot import {module_name} ({_one_line(error)}); "
            f"put {module_name}.py into {folder} or install it"
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ValueError(
            f"network.builder: {builder}: {module_name} has no function {function_name}; "
            f"define it as {function_name}(n_features, n_endpoints)"
        )
    return function


def _one_line(error: Exception) -> str:
    """Kind and message of an error without line breaks."""
    return " ".join(f"{type(error).__name__}: {error}".split())


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


def _glorot_dense(width_in: int, width: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Kernel (in, out) and bias (out,) of a fresh dense layer."""
    limit = np.float32(math.sqrt(6 / (width_in + width)))
    # drawn in float32 at once: half the time of float64, and no copy of the largest array
    kernel = rng.random((width_in, width), dtype=np.float32)
    kernel *= 2 * limit
    kernel -= limit
    return [kernel, np.zeros(width, np.float32)]


def _identity(normalization: str, width: int) -> list[np.ndarray]:
    """The weights of a normalization that has learnt nothing yet."""
    ones, zeros = np.ones(width, np.float32), np.zeros(width, np.float32)
    if normalization == "none":
        return []
    return [ones, zeros] if normalization == "layer" else [ones, zeros, zeros.copy(), ones.copy()]


def parameter_count(network: NetworkParams, n_features: int, n_endpoints: int) -> int:
    """How many numbers one dense replicate holds, moving means and variances included."""
    return sum(math.prod(shape) for shape in weight_shapes(network, n_features, n_endpoints))


def _refuse_builder(network: NetworkParams) -> None:
    """Shapes are known for dense networks alone."""
    if network.builder is not None:
        raise ValueError(
            f"network.builder: the weights of {network.builder} are known to Keras alone; build the model"
        )
