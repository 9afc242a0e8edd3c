"""Networks on graphs without Keras: the Keras model's numbers and slopes, whatever room there is."""

from typing import Any

import numpy as np
import pytest

from manywalks.features import Features
from manywalks.graph_layout import RELATIONS
from manywalks.params.sections.model import NetworkParams
from manywalks.train.jax_engine.graphs.rooms import TILE, Room, Rooms
from manywalks.train.jax_engine.graphs.tables import Bonds
from manywalks.train.jax_engine.molecules import Encoded, Molecules, encode
from manywalks.train.jax_engine.networks import GraphNetwork
from manywalks.train.keras_engine.model import build
from tests.support.graph_problems import MAX_ATOMS, SMILES, graph_problem

# Keras 3.15 copies TensorFlow variables in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")
READY = ("relational", "dmpnn")
ROWS = np.arange(len(SMILES))


def with_room(molecules: Encoded, atoms: int) -> Encoded:
    """The same on the device, in batches of so much room."""
    import jax

    graphs, room = molecules.graphs, np.arange(atoms, dtype=np.int32)
    assert graphs is not None
    if isinstance(graphs.more, Bonds):
        more = graphs.more._replace(room=np.arange(3 * atoms, dtype=np.int32))
    else:
        more = graphs.more._replace(rooms=(room,) * len(RELATIONS))
    return jax.device_put(molecules._replace(graphs=graphs._replace(room=room, more=more)))


def drawn(features: Features, network: NetworkParams) -> tuple[Any, list[np.ndarray]]:
    """A Keras model and random weights that it has."""
    model = build(network, features.width, 2)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=v.shape).astype(np.float32) * 0.3 for v in model.trainable_variables]
    for variable, weight in zip(model.trainable_variables, weights, strict=True):
        variable.assign(weight)
    return model, weights


def ours(molecules: Encoded, model: Any, network: NetworkParams) -> Any:
    """The network as a function of its weights."""
    import jax

    other = [np.asarray(v) for v in model.non_trainable_variables]
    function = GraphNetwork(network, model, 2)

    @jax.jit
    def outputs(weights: list[np.ndarray], rows: Any) -> Any:
        return function(weights, other, molecules, rows, training=False)[0]

    return lambda weights, rows=ROWS: outputs(weights, rows)


@pytest.mark.parametrize("builder", READY)
@pytest.mark.parametrize(
    "changes", [{}, {"normalization": "none", "activation": "relu", "readout": "sum"}, {"readout": "mean"}]
)
def test_outputs_and_slopes_are_those_of_the_keras_model(builder: str, changes: dict[str, Any]) -> None:
    import jax
    import tensorflow as tf

    problem = graph_problem({"builder": builder, **changes})
    features, network = problem.features.take(ROWS), problem.network
    model, weights = drawn(features, network)
    outputs = ours(with_room(encode(features, network), 192), model, network)
    with tf.GradientTape() as tape:
        wanted = model(features.matrix())
        goal = tf.reduce_sum(wanted * wanted)
    np.testing.assert_allclose(outputs(weights), wanted, atol=1e-4)
    slopes = jax.grad(lambda weights: (outputs(weights) ** 2).sum())(weights)
    theirs: Any = tape.gradient(goal, [v.value for v in model.trainable_variables])
    for own, other in zip(slopes, theirs, strict=True):
        other = np.asarray(other)
        np.testing.assert_allclose(own, other, atol=2e-5 * max(1.0, np.abs(other).max()))


@pytest.mark.parametrize("builder", READY)
def test_empty_room_and_other_molecules_change_nothing(builder: str) -> None:
    problem = graph_problem({"builder": builder})
    features, network = problem.features.take(ROWS), problem.network
    model, weights = drawn(features, network)
    molecules = encode(features, network)
    together = ours(with_room(molecules, 256), model, network)(weights)
    for row in (0, len(ROWS) - 2, len(ROWS) - 1):
        alone = ours(with_room(molecules, MAX_ATOMS), model, network)(weights, np.array([row]))
        np.testing.assert_allclose(alone[0], together[row], atol=1e-5)


@pytest.mark.parametrize("builder", READY)
def test_molecules_without_bonds_have_finite_slopes(builder: str) -> None:
    import jax

    problem = graph_problem({"builder": builder})
    row = np.array([len(SMILES) - 1])
    whole = problem.features.take(np.arange(len(SMILES)))
    features = whole.take(np.repeat(row, 3))
    model, weights = drawn(features, problem.network)
    molecules = encode(features, problem.network)
    graphs = molecules.graphs
    assert graphs is not None
    graphs = Rooms(graphs).of(graphs, np.arange(3))
    outputs = ours(jax.device_put(molecules._replace(graphs=graphs)), model, problem.network)
    slopes = jax.grad(lambda weights: (outputs(weights, np.arange(3)) ** 2).sum())(weights)
    assert all(np.isfinite(slope).all() for slope in slopes)
    np.testing.assert_allclose(outputs(weights, np.arange(3)), model(features.matrix()), atol=1e-4)


@pytest.mark.parametrize("builder", READY)
def test_programs_scatter_nothing(builder: str) -> None:
    import jax

    problem = graph_problem({"builder": builder})
    features, network = problem.features.take(ROWS), problem.network
    model, weights = drawn(features, network)
    outputs = ours(with_room(encode(features, network), 192), model, network)
    stacked = [np.stack([weight, weight]) for weight in weights]
    rows = np.stack([ROWS, ROWS])

    def goal(weights: list[np.ndarray], rows: np.ndarray) -> Any:
        return (outputs(weights, rows) ** 2).sum()

    compiled = str(jax.jit(jax.vmap(jax.grad(goal))).lower(stacked, rows).compile().as_text())
    assert "gather(" in compiled
    assert "scatter(" not in compiled


def test_room_grows_when_a_batch_exceeds_it() -> None:
    count = np.array([1, 2, 40, 60, 2, 2, 1, 1] + [2] * 1000)
    rooms = Room(count)
    usual = len(rooms.of(np.arange(8, 108).reshape(-1, 10)))
    assert usual % TILE == 0
    batch = np.full((3, 10), 3)
    assert len(rooms.of(batch)) >= 600 > usual
    assert len(rooms.of(np.arange(8, 108).reshape(-1, 10))) >= 600


def test_relations_that_no_molecule_has_take_no_room() -> None:
    problem = graph_problem({"builder": "relational"}, beside=False)
    graphs = encode(problem.features.take(np.array([6, 8])), problem.network).graphs  # single bonds alone
    assert graphs is not None
    rooms = Rooms(graphs).of(graphs, np.array([[0, 1, 1]])).more.rooms
    assert [len(room) > 0 for room in rooms] == [True, False, False, False, False]


def test_what_fills_up_a_batch_is_small() -> None:
    problem = graph_problem({"builder": "relational"})
    molecules = Molecules(problem.features, 2**20, problem.network)
    assert SMILES[molecules.filler % len(SMILES)] == "C" * 17  # too large, so without atoms


@pytest.mark.parametrize("builder", READY)
def test_tables_take_less_memory_than_the_columns(builder: str) -> None:
    problem = graph_problem({"builder": builder}, beside=False)
    encoded = encode(problem.features, problem.network)
    assert encoded.row_bytes < 0.75 * 4 * problem.features.width


@pytest.mark.parametrize("of_bonds", [False, True])
@pytest.mark.parametrize("slots", [MAX_ATOMS - 8, MAX_ATOMS + 8])
def test_columns_of_other_slots_than_the_networks_are_refused_in_words(slots: int, of_bonds: bool) -> None:
    problem = graph_problem({"builder": "dmpnn" if of_bonds else "relational"})
    with pytest.raises(ValueError, match=r"graphs: .* the same max_atoms"):
        encode(problem.features, problem.network.model_copy(update={"max_atoms": slots}))
