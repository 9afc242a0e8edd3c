"""The replicates of a network on graphs with a leading replicate axis, in the ensemble's Keras model.

One network of stacked layers instead of m networks side by side: the file is a tenth of the operations, and
loads in a second.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from manywalks.graph_layout import RELATIONS
from manywalks.params.sections.model import NetworkParams
from manywalks.train.graph_keras import KerasGraph, build_graph_network, layer_name, layout_of, read_graph
from manywalks.train.graph_network import on_graph
from manywalks.train.keras_engine.model import import_keras
from manywalks.train.weights import NORMALIZATION_EPSILON


def graph_stack(
    features: Any, network: NetworkParams, weights: Sequence[list[np.ndarray]], prefix: str
) -> Any:
    """A family's features (b, k) -> network space (b, m, t) of its replicates, weights set.

    Args:
        features: scaled, the graph's columns last.
        network: of every replicate.
        weights: of each of m replicates, in the order of `get_weights()`.
        prefix: of the layers' names.
    """
    ops = import_keras().ops
    layout, m, endpoints = layout_of(network), len(weights), weights[0][-1].shape[0]
    beside = features.shape[1] - layout.width
    one = read_graph(features[:, beside:], layout)
    graph = StackedGraph(one.atoms, one.kinds, ops.expand_dims(one.count, 1), one, _times(one, m), m)
    others = None
    if beside:
        others = ops.repeat(ops.expand_dims(features[:, :beside], 1), m, axis=1)
    layers = StackedLayers(network, _by_layer(network, features.shape[1], weights), prefix)
    return on_graph(graph, others, layers, endpoints, len(RELATIONS))


def _by_layer(
    network: NetworkParams, n_features: int, weights: Sequence[list[np.ndarray]]
) -> list[list[np.ndarray]]:
    """The arrays (m, ...) of each layer, in the order in which a network makes its layers."""
    single = build_graph_network(network, n_features, weights[0][-1].shape[0])
    stacked = [np.stack(arrays) for arrays in zip(*weights, strict=True)]
    found: dict[str, list[np.ndarray]] = {}
    for layer in single.layers:
        count = sum(re.fullmatch(r"seed_generator.*", weight.name) is None for weight in layer.weights)
        found[layer.name], stacked = stacked[:count], stacked[count:]
    numbers = range(1, 1 + sum(name.startswith(layer_name(0)[:-1]) for name in found))
    return [found[layer_name(number)] for number in numbers]


def _times(one: KerasGraph, m: int) -> KerasGraph:
    """The graph of each molecule m times, one after another."""
    repeated = {
        name: import_keras().ops.repeat(getattr(one, name), m, axis=0)
        for name in ("there", "start", "end", "relation", "bond")
    }
    return replace(one, **repeated)


@dataclass(frozen=True)
class StackedGraph:
    """Graphs for states with a replicate axis: (b, m, n, u).

    Attributes:
        atoms, kinds: without that axis.
        count: (b, 1, 1).
        one: the molecules' graphs.
        each: the graph of each molecule m times.
        m: replicates.
    """

    atoms: Any
    kinds: Any
    count: Any
    one: KerasGraph
    each: KerasGraph
    m: int

    def side_by_side(self, parts: list[Any]) -> Any:
        """Joined at the last axis."""
        return self.one.side_by_side(parts)

    def total(self, atoms: Any) -> Any:
        """(b, m, n, u) -> (b, m, u)."""
        ops = import_keras().ops
        return ops.sum(atoms * ops.expand_dims(self.one.there, 1), axis=-2)

    def everywhere(self, molecules: Any) -> Any:
        """(b, m, u) -> (b, m, 1, u)."""
        return self.one.everywhere(molecules)

    def by_relation(self, sent: Any, units: int) -> Any:
        """(b, m, n, relations * units) -> (b, m, n, units)."""
        return self._split(self.each.by_relation(_merged(sent), units))

    def at_start(self, atoms: Any) -> Any:
        """(b, m, n, u) -> (b, m, e, u)."""
        return self._split(self.each.at_start(_merged(atoms)))

    def arriving(self, bonds: Any) -> Any:
        """(b, m, e, u) -> (b, m, n, u), or both without m."""
        if len(bonds.shape) == 3:
            return self.one.arriving(bonds)
        return self._split(self.each.arriving(_merged(bonds)))

    def reverse(self, bonds: Any) -> Any:
        """(b, m, e, u) -> (b, m, e, u)."""
        return self.one.reverse(bonds)

    def _split(self, x: Any) -> Any:
        """(b * m, n, u) -> (b, m, n, u)."""
        return import_keras().ops.reshape(x, (-1, self.m, *x.shape[1:]))


def _merged(x: Any) -> Any:
    """(b, m, n, u) -> (b * m, n, u)."""
    return import_keras().ops.reshape(x, (-1, *x.shape[2:]))


class StackedLayers:
    """m replicates' layers, each with its own weights."""

    def __init__(self, network: NetworkParams, arrays: list[list[np.ndarray]], prefix: str) -> None:
        self.network = network
        self._layers: Any = import_keras().layers
        self._arrays = arrays
        self._prefix = prefix
        self._made = 0

    def first(self, x: Any, units: int, *, bias: bool = True) -> Any:
        """(b, n, k) -> (b, m, n, units)."""
        return self._einsum("bnd,mdh->bmnh", x, units)

    def dense(self, x: Any, units: int, *, bias: bool = True) -> Any:
        """(b, m, n, k) -> (b, m, n, units), or both without n."""
        rows = "n" if len(x.shape) == 4 else ""
        return self._einsum(f"bm{rows}d,mdh->bm{rows}h", x, units)

    def sent(self, x: Any, units: int, relations: int) -> Any:
        """What atoms send along each relation."""
        return self.dense(x, relations * units, bias=False)

    def normalization(self, x: Any) -> Any:
        """The layer normalization, where there is one; gamma and beta are each replicate's own."""
        if self.network.normalization == "none":
            return x
        plain = self._layers.LayerNormalization(epsilon=NORMALIZATION_EPSILON, center=False, scale=False)
        rows = "n" if len(x.shape) == 4 else ""
        return self._einsum(f"bm{rows}h,mh->bm{rows}h", plain(x), x.shape[-1])

    def activation(self, x: Any) -> Any:
        """The activation function."""
        return self._layers.Activation(self.network.activation)(x)

    def dropout(self, x: Any) -> Any:
        """None: the replicates are trained."""
        return x

    def _einsum(self, equation: str, x: Any, units: int) -> Any:
        """The next layer of the network."""
        arrays, (m, *_) = self._arrays[self._made], self._arrays[self._made][0].shape
        self._made += 1
        rows = [x.shape[-2]] if "n" in equation else []
        layer = self._layers.EinsumDense(
            equation,
            output_shape=(m, *rows, units),
            bias_axes="mh" if len(arrays) > 1 else None,
            kernel_initializer="zeros",
            name=f"{self._prefix}{layer_name(self._made)}",
        )
        y = layer(x)
        layer.set_weights([array.reshape(w.shape) for array, w in zip(arrays, layer.weights, strict=True)])
        return y
