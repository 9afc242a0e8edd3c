"""What a step calls: the Keras model, or a network on graphs that is computed without it.

Both are functions (weights, other, molecules, rows (b,), training) -> (network space (b, t), other, losses
of the network's own).
"""

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from manywalks.graph_layout import RELATIONS
from manywalks.params.sections.model import NetworkParams
from manywalks.train.graph_keras import layer_name
from manywalks.train.graph_network import on_graph
from manywalks.train.jax_engine.dropout import dropped
from manywalks.train.jax_engine.molecules import Encoded, decode
from manywalks.train.keras_engine.model import import_keras
from manywalks.train.problem import Problem
from manywalks.train.weights import NORMALIZATION_EPSILON

if TYPE_CHECKING:
    import keras

# seed of a dropout layer and counter of its calls: what a call adds
NEXT = np.array([0, 1])


class Network(Protocol):
    """One replicate's network as a pure function."""

    def __call__(
        self, weights: list[Any], other: list[Any], molecules: Encoded, rows: Any, *, training: bool
    ) -> tuple[Any, list[Any], list[Any]]: ...


def network_of(problem: Problem, model: "keras.Model") -> Network:
    """The function of the problem's network; weights and other are those of the model, in its order."""
    if problem.network.on_graph:
        return GraphNetwork(problem.network, model, problem.n_endpoints)
    return partial(_by_keras, model)


def _by_keras(
    model: Any, weights: list[Any], other: list[Any], molecules: Encoded, rows: Any, *, training: bool
) -> tuple[Any, list[Any], list[Any]]:
    """Any Keras model."""
    x = decode(molecules, rows)
    return model.stateless_call(weights, other, x, training=training, return_losses=True)


class GraphNetwork:
    """A network on graphs: the same sums as the Keras model's, over the atoms and bonds that there are.

    Args:
        network: what it is.
        model: its Keras model, whose weights it takes.
        n_endpoints: t.
    """

    def __init__(self, network: NetworkParams, model: "keras.Model", n_endpoints: int) -> None:
        self._network, self._n_endpoints = network, n_endpoints
        trained = {id(v): k for k, v in enumerate(model.trainable_variables)}
        other = {id(v): k for k, v in enumerate(model.non_trainable_variables)}
        names = {layer.name for layer in model.layers}
        self._weights: list[list[int]] = []
        while (name := layer_name(len(self._weights) + 1)) in names:
            variables = model.get_layer(name).trainable_variables
            self._weights.append([trained[id(v)] for v in variables])
        dropout = import_keras().layers.Dropout
        seeds = [layer.seed_generator for layer in model.layers if isinstance(layer, dropout)]
        self._seeds = [other[id(seed.state)] for seed in seeds if seed is not None]

    def __call__(
        self, weights: list[Any], other: list[Any], molecules: Encoded, rows: Any, *, training: bool
    ) -> tuple[Any, list[Any], list[Any]]:
        """Network space (b, t) of some rows (b,)."""
        arrays = [[weights[k] for k in places] for places in self._weights]
        layers = JaxLayers(self._network, arrays, [other[k] for k in self._seeds] if training else None)
        z = graph_outputs(layers, molecules, rows, self._n_endpoints)
        after = list(other)
        for place, key in zip(self._seeds, layers.keys or [], strict=False):
            after[place] = key
        return z, after, []


def graph_outputs(layers: "JaxLayers", molecules: Encoded, rows: Any, n_endpoints: int) -> Any:
    """Network space (b, t) of some rows (b,), by one replicate's layers."""
    from manywalks.train.jax_engine.graphs.packed import read_graphs

    beside = decode(molecules, rows)
    graphs: Any = molecules.graphs  # there are some
    graph: Any = read_graphs(graphs, rows)
    return on_graph(graph, beside if beside.shape[1] else None, layers, n_endpoints, len(RELATIONS))


class JaxLayers:
    """One replicate's layers.

    Args:
        network: theirs.
        arrays: of each layer with weights, in order.
        keys: of each dropout, in order; without them nothing is dropped. Each call leaves the next key.
    """

    def __init__(self, network: NetworkParams, arrays: list[list[Any]], keys: list[Any] | None) -> None:
        self.network = network
        self.keys = keys
        self._arrays = iter(arrays)
        self._dropped = 0

    def first(self, x: Any, units: int, *, bias: bool = True) -> Any:
        """(..., k) -> (..., units)."""
        return self.dense(x, units, bias=bias)

    def dense(self, x: Any, units: int, *, bias: bool = True) -> Any:
        """(..., k) -> (..., units)."""
        kernel, *rest = next(self._arrays)
        return sum(rest, x @ kernel)

    def sent(self, x: Any, units: int, relations: int) -> Any:
        """What atoms send along each relation."""
        from manywalks.train.jax_engine.graphs.packed import Sent

        (kernel,) = next(self._arrays)
        return Sent(x, kernel)

    def normalization(self, x: Any) -> Any:
        """The layer normalization, where there is one."""
        if self.network.normalization == "none":
            return x
        import jax.numpy as jnp
        from jax.lax import rsqrt

        gamma, beta = next(self._arrays)
        centered = x - jnp.mean(x, axis=-1, keepdims=True)
        variance = jnp.mean(centered**2, axis=-1, keepdims=True)
        return centered * rsqrt(variance + NORMALIZATION_EPSILON) * gamma + beta

    def activation(self, x: Any) -> Any:
        """The activation function."""
        import jax

        # as in Keras, the exact one
        own = {"gelu": partial(jax.nn.gelu, approximate=False)}
        return (own.get(self.network.activation) or getattr(jax.nn, self.network.activation))(x)

    def dropout(self, x: Any) -> Any:
        """Dropout with the masks that the Keras model would draw."""
        if not self.network.dropout or self.keys is None:
            return x
        key = self.keys[self._dropped]
        self.keys[self._dropped] = key + NEXT.astype(key.dtype)
        self._dropped += 1
        return dropped(x, self.network.dropout, key)
