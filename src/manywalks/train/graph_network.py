"""Networks on molecular graphs: described once, for Keras, NumPy and whatever else has these operations.

The last columns of the features are those of the block `graph` (`GraphLayout`); what is before them joins at
the readout. Empty slots change nothing: no bond leads to them, and sums and means pass over them.

`relational`: layer by layer, each atom adds up what its neighbours send, transformed by a matrix for each of
five relations (kinds of bonds), its own state, and the mean of all atoms; the sum goes through a layer
normalization and an activation and is added to its state (R-GCN, Schlichtkrull et al. 2018, with a residual).

`dmpnn`: the states belong to directed bonds; each adds up the states of the bonds that lead to its first
atom, but for its own reverse (directed message passing, Yang et al. 2019, as in chemprop).
"""

from typing import Any, Protocol

from manywalks.params.sections.model import NetworkParams

# a sum over atoms is divided by this, so that it is of the size of a mean
USUAL_ATOMS = 20.0


class Graph(Protocol):
    """b molecules' atoms and directed bonds (each bond twice, there and back), and what goes along them.

    States of atoms and bonds are arrays that can be added; `units` is their last axis.
    """

    @property
    def atoms(self) -> Any:
        """Properties of the atoms, ones and zeros."""
        ...

    @property
    def kinds(self) -> Any:
        """The kinds of the bonds, ones and zeros."""
        ...

    @property
    def count(self) -> Any:
        """Atoms of each molecule."""
        ...

    def side_by_side(self, parts: list[Any]) -> Any:
        """Arrays joined at their last axis."""
        ...

    def total(self, atoms: Any) -> Any:
        """The sum over a molecule's atoms."""
        ...

    def everywhere(self, molecules: Any) -> Any:
        """What a molecule has, at each of its atoms."""
        ...

    def by_relation(self, sent: Any, units: int) -> Any:
        """What atoms send along each relation (relations * units) -> the sum of what arrives at each."""
        ...

    def at_start(self, atoms: Any) -> Any:
        """Each bond's first atom."""
        ...

    def arriving(self, bonds: Any) -> Any:
        """The sum over the bonds that lead to an atom."""
        ...

    def reverse(self, bonds: Any) -> Any:
        """Each bond's other direction."""
        ...


class Layers(Protocol):
    """The layers of a network, in the order in which they are asked for.

    `first`: a dense layer on what all replicates share; `dense`: on what the network has made of it; `sent`:
    one for each relation, of which `Graph.by_relation` makes something.
    """

    network: NetworkParams

    def first(self, x: Any, units: int, *, bias: bool = True) -> Any: ...
    def dense(self, x: Any, units: int, *, bias: bool = True) -> Any: ...
    def sent(self, x: Any, units: int, relations: int) -> Any: ...
    def normalization(self, x: Any) -> Any: ...
    def activation(self, x: Any) -> Any: ...
    def dropout(self, x: Any) -> Any: ...


def on_graph(graph: Graph, beside: Any | None, layers: Layers, n_endpoints: int, relations: int) -> Any:
    """Network space (b, t) of b molecules.

    Args:
        graph: theirs.
        beside: other features, which join at the readout.
        layers: of the network.
        n_endpoints: t.
        relations: how many the graph tells apart.
    """
    if layers.network.builder == "relational":
        atoms = _relational(graph, layers, relations)
    else:
        atoms = _dmpnn(graph, layers)
    x = _read_out(graph, atoms, layers)
    if beside is not None:
        x = graph.side_by_side([x, beside])
    # behind the readout alone
    x = layers.dropout(x)
    for width in layers.network.widths:
        x = layers.dropout(layers.activation(layers.normalization(layers.dense(x, width))))
    return layers.dense(x, n_endpoints)


def _relational(graph: Graph, layers: Layers, relations: int) -> Any:
    """States of the atoms after all layers."""
    units = layers.network.units
    # E and Z, and bonds of other kinds, share a relation: they show in what their atoms begin with
    state = layers.first(graph.side_by_side([graph.atoms, graph.arriving(graph.kinds)]), units)
    for _ in range(layers.network.layers):
        sent = layers.sent(state, units, relations)
        arrived = graph.by_relation(sent, units)
        own = layers.dense(state, units)
        mean = layers.dense(graph.total(state) / graph.count, units, bias=False)
        update = layers.normalization(arrived + own + graph.everywhere(mean))
        state = state + layers.activation(update)
    return state


def _dmpnn(graph: Graph, layers: Layers) -> Any:
    """States of the atoms, from the states of the bonds that lead to them."""
    units = layers.network.units
    kinds = layers.first(graph.kinds, units, bias=False)
    begun = graph.at_start(layers.first(graph.atoms, units)) + kinds
    state = layers.activation(begun)
    for _ in range(layers.network.layers - 1):
        message = graph.at_start(graph.arriving(state)) - graph.reverse(state)
        state = layers.activation(begun + layers.dense(message, units))
    whole = layers.first(graph.atoms, units) + layers.dense(graph.arriving(state), units, bias=False)
    return layers.activation(whole)


def _read_out(graph: Graph, atoms: Any, layers: Layers) -> Any:
    """States of the atoms -> a molecule's."""
    total = graph.total(layers.activation(layers.dense(atoms, layers.network.units)))
    if layers.network.readout == "mean":
        return total / graph.count
    if layers.network.readout == "sum":
        return total / USUAL_ATOMS
    return graph.side_by_side([total / graph.count, total / USUAL_ATOMS])
