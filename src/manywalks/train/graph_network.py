"""Networks on molecular graphs, as plain Keras models: the graph is a slice of the feature vector.

The last columns of the features are those of the block `graph` (`GraphLayout`); what is before them joins at
the readout. Empty slots change nothing: no bond leads to them, and sums and means pass over them.

`relational`: layer by layer, each atom adds up what its neighbours send, transformed by a matrix for each of
five relations (kinds of bonds), its own state, and the mean of all atoms; the sum goes through a layer
normalization and an activation and is added to its state (R-GCN, Schlichtkrull et al. 2018, with a residual).

`dmpnn`: the states belong to directed bonds; each adds up the states of the bonds that lead to its first
atom, but for its own reverse (directed message passing, Yang et al. 2019, as in chemprop).
"""

from typing import TYPE_CHECKING, Any

from manywalks.graph_layout import GraphLayout
from manywalks.params.model import NetworkParams
from manywalks.train.graph_bonds import Graph, read_graph
from manywalks.train.keras_engine.model import import_keras
from manywalks.train.weights import NORMALIZATION_EPSILON

if TYPE_CHECKING:
    import keras

# a sum over atoms is divided by this, so that it is of the size of a mean
USUAL_ATOMS = 20.0


def build_graph_network(network: NetworkParams, n_features: int, n_endpoints: int) -> "keras.Model":
    """One replicate's model: scaled features (b, d), the graph's last -> network space (b, t)."""
    keras = import_keras()
    if network.max_atoms is None:
        raise ValueError(f"network.builder: {network.builder} needs the block graph among its features")
    layout = GraphLayout(network.max_atoms)
    inputs = keras.Input((n_features,), name="features")
    beside = n_features - layout.width
    graph = read_graph(inputs[:, beside:], layout)
    layers = Layers(network)
    atoms = relational(graph, layers) if network.builder == "relational" else dmpnn(graph, layers)
    x = read_out(graph, atoms, layers)
    if beside:
        x = keras.ops.concatenate([x, inputs[:, :beside]], axis=-1)
    x = layers.dropout(x)
    for width in network.widths:
        x = layers.dropout(layers.activation(layers.normalization(layers.dense(x, width))))
    return keras.Model(inputs, layers.dense(x, n_endpoints), name="replicate")


class Layers:
    """The layers that networks on graphs are made of, as params.yaml wants them."""

    def __init__(self, network: NetworkParams) -> None:
        self._layers: Any = import_keras().layers
        self.network = network

    def dense(self, x: Any, units: int, *, bias: bool = True) -> Any:
        """(..., k) -> (..., units)."""
        return self._layers.Dense(units, use_bias=bias)(x)

    def activation(self, x: Any) -> Any:
        """The activation function."""
        return self._layers.Activation(self.network.activation)(x)

    def normalization(self, x: Any) -> Any:
        """The layer normalization, where there is one."""
        if self.network.normalization == "none":
            return x
        return self._layers.LayerNormalization(epsilon=NORMALIZATION_EPSILON)(x)

    def dropout(self, x: Any) -> Any:
        """Behind the readout alone: within the graph it made the untuned networks worse."""
        return self._layers.Dropout(self.network.dropout)(x) if self.network.dropout else x


def relational(graph: Graph, layers: Layers) -> Any:
    """States of the atoms (b, n, units) after all layers."""
    units = layers.network.units
    # E and Z, and bonds of other kinds, share a relation: they show in what their atoms begin with
    bonds = graph.arriving(graph.kinds)
    state = layers.dense(import_keras().ops.concatenate([graph.atoms, bonds], axis=-1), units)
    for _ in range(layers.network.layers):
        sent = graph.by_relation(lambda width, state=state: layers.dense(state, width, bias=False), units)
        own = layers.dense(state, units)
        everywhere = layers.dense(graph.mean(state), units, bias=False)
        update = layers.normalization(sent + own + everywhere)
        state = state + layers.activation(update)
    return state


def dmpnn(graph: Graph, layers: Layers) -> Any:
    """States of the atoms (b, n, units), from the states of the bonds that lead to them."""
    units = layers.network.units
    first = graph.at_start(layers.dense(graph.atoms, units)) + layers.dense(graph.kinds, units, bias=False)
    state = layers.activation(first)
    for _ in range(layers.network.layers - 1):
        message = graph.at_start(graph.arriving(state)) - graph.reverse(state)
        state = layers.activation(first + layers.dense(message, units))
    whole = layers.dense(graph.atoms, units) + layers.dense(graph.arriving(state), units, bias=False)
    return layers.activation(whole)


def read_out(graph: Graph, atoms: Any, layers: Layers) -> Any:
    """States of the atoms (b, n, units) -> a molecule's (b, k)."""
    ops = import_keras().ops
    x = layers.activation(layers.dense(atoms, layers.network.units))
    total = ops.sum(x * graph.there, axis=-2)
    parts = {"mean": total / graph.count, "sum": total / USUAL_ATOMS}
    asked = layers.network.readout
    return parts[asked] if asked in parts else ops.concatenate(list(parts.values()), axis=-1)
