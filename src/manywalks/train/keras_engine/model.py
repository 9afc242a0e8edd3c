"""params -> one replicate's Keras model, and the weights that such a model starts from.

The dense networks of params.yaml are described twice, as a Keras model and as plain shapes, so that the
engines which need no TensorFlow never import it (5 s and 0.7 GB a process).
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from manywalks.params.sections.block_sources import homes
from manywalks.params.sections.model import NetworkParams
from manywalks.runtime.imports import without_collector
from manywalks.train.weights import BATCH_MOMENTUM, NORMALIZATION_EPSILON

if TYPE_CHECKING:
    import keras


# A process that trains on an accelerator runs Keras on JAX, every other one on TensorFlow.
BACKENDS = ("tensorflow", "jax")


def import_keras(backend: str | None = None) -> ModuleType:
    """Keras, without the lines that its backend's start writes to standard error.

    Args:
        backend: "tensorflow" or "jax". By default that of the process, where Keras has started already;
            else TensorFlow; or JAX where TensorFlow is not installed.

    Raises:
        ValueError: Keras runs on another backend in this process.
    """
    if backend is None and "keras" in sys.modules and _running() in BACKENDS:
        return sys.modules["keras"]
    wanted = backend or ("tensorflow" if find_spec("tensorflow") else "jax")
    os.environ["KERAS_BACKEND"] = wanted
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" not in sys.modules:
        _import_quietly(wanted)
    keras = importlib.import_module("keras")
    if _running() != wanted:
        raise ValueError(f"keras: runs on {_running()} in this process; set KERAS_BACKEND={wanted}")
    return keras


def _running() -> str:
    """The backend of the Keras that this process has imported."""
    return sys.modules["keras"].backend.backend()


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
            with without_collector(), _not_imported("sklearn", *(["jax"] if module == "tensorflow" else [])):
                importlib.import_module(module)
                importlib.import_module("keras")
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextlib.contextmanager
def _not_imported(*modules: str) -> Iterator[None]:
    """What Keras and TensorFlow import, if it is there, for things that nothing here uses.

    Keras: scikit-learn, a second a process, for wrappers. TensorFlow: JAX, half a second, for its Lite.
    """
    absent = [module for module in modules if module not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # pyright: ignore[reportArgumentType, reportCallIssue]
    try:
        yield
    finally:
        for module in absent:
            del sys.modules[module]


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
    if network.on_graph:
        from manywalks.train.graph_keras import build_graph_network  # it imports this module

        return build_graph_network(network, n_features, n_endpoints)
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
            f"network.builder: {builder}({n_features}, {n_endpoints}) failed: {_one_line(error)}; fix it"
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
    """The function that `module:function` names; the module may lie in the workspace or its `homes`."""
    module_name, _, function_name = builder.partition(":")
    if not module_name or not function_name:
        raise ValueError(f"network.builder: {builder!r} is not module:function; write e.g. my_network:build")
    folders = [str(place) for place in homes(workspace)]
    sys.path += [folder for folder in folders if folder not in sys.path]
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a person's module may fail in any way
        raise ValueError(
            f"network.builder: {builder}: cannot import {module_name} ({_one_line(error)}); "
            f"put {module_name}.py into {folders[-1]} or install it"
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
