"""A replicate's own draw reaches every engine: what was not drawn cannot matter, what was drawn does."""

from dataclasses import replace

import numpy as np
import pytest

from manywalks.replicates.draws import Draws, on_draw
from manywalks.train.engines import train_pack
from manywalks.train.keras_engine.trainer import KerasTrainer
from manywalks.train.prepare import Groups, Prepared
from manywalks.train.problem import Pack, Problem
from manywalks.train.targets import Targets
from tests.reproduce.test_sources import alone
from tests.support.problems import small_problem
from tests.train.test_graph_network import SMILES, features, network

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")
DRAWS = Draws(11, bootstrap=True)
SHORT = {"epochs": 2, "batch_size": 50}


def of_engine(name: str) -> Problem:
    """A problem that the engine trains: on graphs for "keras on graphs"."""
    problem = small_problem({"widths": (4,)}, {**SHORT, "engine": name if name == "jax" else "keras"})
    if name != "keras on graphs":
        return problem
    n = 4 * len(SMILES)
    values = np.random.default_rng(2).normal(size=(n, 2)).astype(np.float32)
    return replace(
        problem,
        features=features(SMILES * 4),
        targets=Targets(
            values, np.ones_like(values), np.zeros(values.shape, np.int8), np.array([False, False])
        ),
        train=np.arange(n - 4),
        valid=np.arange(0),
        predict=np.arange(n),
        network=network("dmpnn", layers=1, units=4),
    )


def predictions(prepared: Prepared, index: int) -> np.ndarray:
    """What a replicate on its own draw says."""
    rows = np.arange(len(prepared.problem.targets.values))
    drawn = on_draw(prepared, Groups(rows, prepared.problem.train), DRAWS, index)
    if drawn.problem.train_params.engine == "keras":
        # what the engine's processes do, in this one and without the seconds that compiling takes
        return KerasTrainer(drawn.problem, compiled=False).train(index, 3).predictions
    (made,) = train_pack(Pack(drawn.problem, [index], 3, threads=1))
    return made.predictions


def with_other_values(problem: Problem, rows: np.ndarray) -> Problem:
    """The same problem, with wrong values at some molecules."""
    values = problem.targets.values.copy()
    values[rows] += 5
    return replace(problem, targets=replace(problem.targets, values=values))


@pytest.mark.parametrize("engine", ["keras", "keras on graphs", "jax"])
def test_values_of_molecules_that_were_not_drawn_do_not_matter(engine: str) -> None:
    problem = of_engine(engine)
    weights = DRAWS.weights(problem.train, 0)
    prepared = alone(problem)
    before = predictions(prepared, 0)
    for rows, same in ((problem.train[weights == 0], True), (problem.train[weights > 1], False)):
        changed = prepared._replace(problem=with_other_values(problem, rows))
        after = predictions(changed, 0)
        assert np.allclose(before, after, rtol=1e-4, atol=1e-5) == same
