"""What every engine shares: streams, orders, losses, schedule, and refusals."""

import dataclasses

import numpy as np
import pytest

from benchmarks.keras_fits import keras_rate
from manywalks.params.sections.model import EPOCHS, EPOCHS_OF_CLASSES, NetworkParams
from manywalks.train.engines import choose_engine, train_pack
from manywalks.train.keras_engine.trainer import KerasTrainer
from manywalks.train.problem import Pack, Problem, endpoint_losses, learning_rates
from manywalks.train.streams import epoch_order, nudge, streams
from tests.support.problems import small_problem


def refused(problem: Problem) -> str:
    with pytest.raises(ValueError) as raised:
        next(train_pack(Pack(problem, [0], 1)))
    return str(raised.value)


def test_streams_belong_to_a_replicate_and_a_purpose() -> None:
    draws = {float(part.random()) for index in (0, 1, 2) for part in streams(9, index)[:3]}
    assert len(draws) == 9
    assert streams(9, 1).order.random() == streams(9, 1).order.random()


def test_a_source_that_does_not_vary_is_the_same_in_all_replicates() -> None:
    first, second = (streams(9, index, ("order",)) for index in (3, 4))
    assert first.weights.random() == second.weights.random()
    assert first.dropout.random() == second.dropout.random()
    assert first.order.random() != second.order.random()


def test_numerics_move_one_initial_weight_and_nothing_else() -> None:
    own, weights = streams(9, 3, ("numerics",)), [np.ones((4, 2), np.float32), np.zeros(2, np.float32)]
    moved = nudge(weights, own)
    assert np.flatnonzero(moved[0] != weights[0]).tolist() == [3]
    assert abs(float(moved[0].flat[3]) - 1) < 2e-7
    assert (weights[0] == 1).all()
    assert nudge(weights, streams(9, 3)) is weights


def test_every_epoch_has_an_order_of_its_own() -> None:
    own, rows = streams(3, 0).order, np.array([5, 9, 2, 11, 4])
    first, second = epoch_order(own, rows), epoch_order(own, rows)
    assert sorted(first) == sorted(second) == sorted(rows)
    assert list(first) != list(second)


def test_classes_are_trained_by_cross_entropy_whatever_the_others_get() -> None:
    assert endpoint_losses(small_problem(classes=(True, False))) == ("cross_entropy", "mse")
    huber = small_problem(train={"loss": "huber"}, classes=(True, False))
    assert endpoint_losses(huber) == ("cross_entropy", "huber")


def test_cross_entropy_of_a_regression_is_refused() -> None:
    assert "train.loss" in refused(small_problem(train={"loss": "cross_entropy"}))


def test_cosine_falls_from_the_rate_to_nothing() -> None:
    rates = learning_rates(small_problem(train={"learning_rate": 0.5}).train_params, 1000)
    assert rates[0] == 0.5
    assert rates[500] == pytest.approx(0.25)
    assert 0 < rates[-1] < 1e-5
    assert (np.diff(rates) < 0).all()


@pytest.mark.parametrize(("warmup", "steps"), [(0.1, 1000), (0.5, 7), (0.25, 4), (0.01, 10)])
def test_a_warm_up_is_that_of_keras(warmup: float, steps: int) -> None:
    train = small_problem(train={"learning_rate": 0.5, "warmup": warmup}).train_params
    schedule = keras_rate(train, steps)
    np.testing.assert_allclose(
        learning_rates(train, steps), [float(schedule(step)) for step in range(steps)], rtol=1e-4, atol=1e-7
    )


def test_a_constant_rate_is_reached_in_equal_steps() -> None:
    train = small_problem(train={"schedule": "constant", "learning_rate": 1, "warmup": 0.3}).train_params
    np.testing.assert_allclose(learning_rates(train, 10), [0.25, 0.5, 0.75, *[1] * 7])


@pytest.mark.parametrize(
    ("classes", "asked", "epochs"),
    [
        ((False, False), None, EPOCHS),
        ((True, False), None, EPOCHS),
        ((True, True), None, EPOCHS_OF_CLASSES),
        ((True, True), 3, 3),
    ],
)
def test_classes_alone_are_trained_for_fewer_epochs(
    classes: tuple[bool, ...], asked: int | None, epochs: int
) -> None:
    assert small_problem(train={"epochs": asked}, classes=classes).epochs == epochs


@pytest.mark.parametrize("engine", ["numba", "keras"])
def test_every_engine_ends_where_classes_end(engine: str) -> None:
    train = {"epochs": None, "engine": engine, "batch_size": 150}
    problem = small_problem({"widths": ()}, train, classes=(True,))
    if engine == "keras":
        replicate = KerasTrainer(problem, compiled=False).train(0, 1)  # in this process
    else:
        (replicate,) = train_pack(Pack(problem, [0], 1))
    assert replicate.epochs == EPOCHS_OF_CLASSES


def test_the_fastest_engine_that_can_is_chosen() -> None:
    problem = small_problem()
    assert choose_engine(problem) == "numba"
    own = dataclasses.replace(problem, network=NetworkParams.model_validate({"builder": "mine:build"}))
    assert choose_engine(own) == "keras"


def test_an_engine_that_cannot_is_refused() -> None:
    problem = small_problem(train={"engine": "numba"})
    assert "train.engine" in refused(
        dataclasses.replace(problem, network=NetworkParams.model_validate({"builder": "a:b"}))
    )


def test_what_nothing_can_be_trained_on_is_refused() -> None:
    problem = small_problem(train={"early_stopping": 3})
    nobody = np.empty(0, np.int64)
    assert "train subset" in refused(dataclasses.replace(problem, train=nobody))
    assert "early_stopping" in refused(dataclasses.replace(problem, valid=nobody))
    unmeasured = dataclasses.replace(problem.targets, weights=0 * problem.targets.weights)
    assert "no value measured" in refused(dataclasses.replace(problem, targets=unmeasured))
    holes = dataclasses.replace(problem.features, dense=problem.features.dense * np.nan)
    assert "not finite" in refused(dataclasses.replace(problem, features=holes))
