"""The dense engine against Keras's own optimizers, a slow NumPy version, and itself."""

import functools
import threading
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from benchmarks.keras_fits import keras_rate
from manywalks.train.dense_engine import engine, layers
from manywalks.train.dense_engine.layout import flatten, prepare
from manywalks.train.engines import train_pack
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.problem import Pack, Problem, Replicate, endpoint_losses
from manywalks.train.streams import epoch_order, streams
from manywalks.train.weights import initial_weights
from tests.support.problems import small_problem

ENTROPY = 11
PARAMS = [
    ({}, {}),
    ({}, {"optimizer": "adam", "schedule": "constant", "learning_rate": 0.01}),
    ({}, {"weight_decay": 0.5, "learning_rate": 0.01}),
    ({}, {"weight_decay": 0.5, "learning_rate": 0.01, "warmup": 0.3}),
    ({}, {"loss": "huber"}),
    ({}, {"l2": 0.01}),
    ({"normalization": "layer"}, {}),
    ({"normalization": "batch"}, {"l2": 0.01}),
    ({"widths": (8,)}, {}),
    ({"widths": (12, 10, 8)}, {"batch_size": 7}),
    ({"activation": "gelu"}, {}),
    ({"activation": "silu"}, {}),
    ({"activation": "elu"}, {}),
    ({"activation": "selu"}, {}),
    ({"activation": "softplus"}, {}),
]


def trained(problem: Problem) -> Replicate:
    return next(engine.train_pack(Pack(problem, [0], ENTROPY)))


def by_keras(problem: Problem) -> Any:
    """The same replicate trained by Keras's optimizer, step after step; the model."""
    keras: Any = import_keras()
    tf: Any = import_module("tensorflow")

    train, targets = problem.train_params, problem.targets
    own, x = streams(ENTROPY, 0), problem.features.matrix()
    d, t = problem.features.width, problem.n_endpoints
    model = build(problem.network, d, t)
    model.set_weights(initial_weights(problem.network, d, t, own.weights))
    steps = problem.steps_per_epoch * problem.epochs
    rate = keras_rate(train, steps)
    optimizer = (
        keras.optimizers.AdamW(rate, weight_decay=train.weight_decay)
        if train.optimizer == "adamw"
        else keras.optimizers.Adam(rate)
    )
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    variables = [variable.value for variable in model.trainable_variables]
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(xb: Any, yb: Any, wb: Any, cb: Any) -> None:
        with tf.GradientTape() as tape:
            z = model(xb, training=True)
            loss = sum(train.l2 * tf.reduce_sum(kernel.value**2) for kernel in kernels)
            for e, name in enumerate(endpoint_losses(problem)):
                each = keras_loss(name, yb[:, e], z[:, e])
                if name != "cross_entropy":
                    each = tf.where((z[:, e] - yb[:, e]) * cb[:, e] > 0, 0.0, each)
                loss += tf.reduce_sum(wb[:, e] * each) / tf.cast(tf.size(z), tf.float32)
        gradients = tape.gradient(loss, variables)
        optimizer.apply(gradients, model.trainable_variables)

    for _ in range(problem.epochs):
        order = epoch_order(own.order, problem.train)
        for low in range(0, len(order), train.batch_size):
            rows = order[low : low + train.batch_size]
            weights, side = targets.weights[rows], targets.censored[rows].astype(np.float32)
            step(x[rows], targets.values[rows], weights, side)
    return model


def keras_loss(name: str, y: Any, z: Any) -> Any:
    """Keras's own loss, an element each."""
    keras: Any = import_keras()
    function = {
        "mse": keras.losses.MeanSquaredError(reduction=None),
        "huber": keras.losses.Huber(reduction=None),
        "cross_entropy": keras.losses.BinaryCrossentropy(from_logits=True, reduction=None),
    }[name]
    return function(y[:, None], z[:, None])


@pytest.mark.parametrize(("network", "train"), PARAMS)
def test_fifty_steps_agree_with_keras(network: dict, train: dict) -> None:
    problem = small_problem(network, train)
    pairs = zip(trained(problem).weights, by_keras(problem).get_weights(), strict=True)
    for place, (ours, keras_own) in enumerate(pairs):
        # batch normalization takes the bias before it away again: its gradient is rounding alone, which Adam
        # makes as large as any other; so it wanders, and with it the moving mean, without any effect
        wanders = network.get("normalization") == "batch" and place in (1, 4, 7, 10)
        np.testing.assert_allclose(ours, keras_own, atol=2e-3 if wanders else 1e-4)


def test_classes_beside_censored_values_agree_with_keras() -> None:
    problem = small_problem(classes=(True, False, True), censored=True)
    model, ours = by_keras(problem), trained(problem)
    for weight, keras_own in zip(ours.weights, model.get_weights(), strict=True):
        np.testing.assert_allclose(weight, keras_own, atol=1e-4)
    expected = model(problem.features.matrix()[problem.predict], training=False)
    np.testing.assert_allclose(ours.predictions, expected, atol=1e-3)


@pytest.mark.parametrize("normalization", ["layer", "batch"])
def test_predictions_are_those_of_the_keras_model_with_these_weights(normalization: str) -> None:
    problem = small_problem({"normalization": normalization, "dropout": 0.3, "activation": "relu"})
    ours = trained(problem)
    model = build(problem.network, problem.features.width, problem.n_endpoints)
    model.set_weights(ours.weights)
    expected = model(problem.features.matrix()[problem.predict], training=False)
    np.testing.assert_allclose(ours.predictions, expected, atol=1e-5)


def slow_first_kernel(problem: Problem) -> np.ndarray:
    """First kernel of a tanh network by plain float64 AdamW: every row, every step."""
    train, own = problem.train_params, streams(ENTROPY, 0)
    x = problem.features.matrix().astype(np.float64)
    t = problem.n_endpoints
    weights = initial_weights(problem.network, x.shape[1], t, own.weights)
    p = [weight.astype(np.float64) for weight in weights]
    m, v = [0 * q for q in p], [0 * q for q in p]
    steps, k = problem.steps_per_epoch * problem.epochs, 0
    for _ in range(problem.epochs):
        order = epoch_order(own.order, problem.train)
        for low in range(0, len(order), train.batch_size):
            rows = order[low : low + train.batch_size]
            hidden = np.tanh(x[rows] @ p[0] + p[1])
            error = hidden @ p[2] + p[3] - problem.targets.values[rows]
            d = 2 * problem.targets.weights[rows] * error / error.size
            below = d @ p[2].T * (1 - hidden**2)
            gradients = [x[rows].T @ below, below.sum(axis=0), hidden.T @ d, d.sum(axis=0)]
            rate = train.learning_rate * 0.5 * (1 + np.cos(np.pi * k / steps))
            k += 1
            for i, g in enumerate(gradients):
                p[i] -= rate * train.weight_decay * p[i]
                m[i] += 0.1 * (g - m[i])
                v[i] += 0.001 * (g * g - v[i])
                size = rate * np.sqrt(1 - 0.999**k) / (1 - 0.9**k)
                p[i] -= size * m[i] / (np.sqrt(v[i]) + 1e-7)
    return p[0]


@pytest.mark.parametrize("window", [3, 64, 1000])
def test_rows_that_rest_move_as_if_updated_every_step(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WINDOW", window)
    problem = small_problem({"widths": (16,)}, {"batch_size": 2, "epochs": 3, "weight_decay": 1.0})
    np.testing.assert_allclose(trained(problem).weights[0], slow_first_kernel(problem), atol=1e-4)


@pytest.mark.parametrize("network", [{}, {"dropout": 0.4, "activation": "relu"}, {"normalization": "batch"}])
def test_a_replicate_is_the_same_alone_in_a_pack_and_on_any_number_of_threads(network: dict) -> None:
    problem = small_problem(network, {"early_stopping": 2})
    alone = next(train_pack(Pack(problem, [3], ENTROPY)))
    for threads in (1, 2, 3):
        pack = {r.index: r for r in train_pack(Pack(problem, range(5), ENTROPY, threads=threads))}
        assert sorted(pack) == [0, 1, 2, 3, 4]
        for ours, other in zip(alone.weights, pack[3].weights, strict=True):
            np.testing.assert_array_equal(ours, other)
        np.testing.assert_array_equal(alone.predictions, pack[3].predictions)


def test_replicates_differ() -> None:
    first, second = (r.predictions for r in train_pack(Pack(small_problem(), [0, 1], ENTROPY)))
    assert np.abs(first - second).mean() > 1e-3


@pytest.mark.parametrize(("counts", "descriptors"), [(60, 0), (0, 9)])
def test_sparse_or_dense_features_alone_will_do(counts: int, descriptors: int) -> None:
    problem = small_problem(counts=counts, descriptors=descriptors)
    for ours, keras_own in zip(trained(problem).weights, by_keras(problem).get_weights(), strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=1e-4)


def test_features_that_are_all_rare_will_do() -> None:
    problem = small_problem(descriptors=0, often=0.3)
    assert len(prepare(problem).dense_columns) == 0
    for ours, keras_own in zip(trained(problem).weights, by_keras(problem).get_weights(), strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=1e-4)


def test_early_stopping_keeps_the_weights_of_the_lowest_valid_loss() -> None:
    train = {"epochs": 60, "learning_rate": 0.02, "schedule": "constant"}
    stopped = trained(small_problem(train={**train, "early_stopping": 5}))
    assert stopped.epochs == stopped.best_epoch + 5 < 60
    short = trained(small_problem(train={**train, "epochs": stopped.best_epoch}))
    for ours, other in zip(stopped.weights, short.weights, strict=True):
        np.testing.assert_allclose(ours, other, atol=1e-6)


def test_a_diverged_replicate_says_so() -> None:
    problem = small_problem({"activation": "relu"}, {"learning_rate": 1e38})
    replicate = trained(problem)
    assert replicate.diverged
    assert replicate.weights == []
    assert np.isnan(replicate.predictions).all()


def test_progress_is_told_after_every_epoch() -> None:
    told: list[tuple[int, int, int]] = []
    list(train_pack(Pack(small_problem(), [4], ENTROPY, progress=lambda *now: told.append(now))))
    assert told == [(4, epoch, 5) for epoch in range(1, 6)]


def test_a_pack_that_is_given_up_ends_at_the_next_epoch() -> None:
    problem, stop = small_problem(train={"epochs": 100_000}), threading.Event()
    prepared = prepare(problem)
    own = streams(ENTROPY, 0)
    weights = initial_weights(problem.network, problem.features.width, 2, own.weights)

    def give_up(index: int, epoch: int, epochs: int) -> None:
        if epoch == 3:
            stop.set()

    state = flatten(prepared, weights, 1)
    assert engine.train_state(prepared, state, own, progress=give_up, stop=stop).epochs == 3


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_dropout_drops_its_share_and_keeps_the_mean(rate: float) -> None:
    a, slope = np.ones(100_001, np.float32), np.ones(100_001, np.float32)
    counter = layers.drop(a, slope, rate, np.uint64(7), np.uint64(0))
    assert counter == 50_001
    np.testing.assert_array_equal(a, slope)
    assert set(np.unique(a)) == {np.float32(0), np.float32(1 / (1 - rate))}
    assert abs((a == 0).mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / a.size)
    # neither neighbours nor the two halves that share a number go together
    for lag in (1, 50_001):
        correlation = np.corrcoef(a[:-lag], a[lag:])[0, 1]
        assert abs(correlation) < 5 / np.sqrt(a.size - lag)


@pytest.mark.parametrize("name", layers.ACTIVATIONS)
def test_activations_and_their_slopes(name: str) -> None:
    keras: Any = import_keras()
    x = np.linspace(-12, 12, 4001).astype(np.float32)
    z, slope = x.copy(), np.empty_like(x)
    layers.activate(layers.ACTIVATIONS.index(name), z, slope)
    function: Any = getattr(keras.activations, name)
    if name == "gelu":
        function = functools.partial(function, approximate=False)
    np.testing.assert_allclose(z, np.array(function(x)), rtol=1e-6, atol=1e-6)
    exact = np.array(function(x.astype(np.float64) + 1e-5)) - np.array(function(x.astype(np.float64) - 1e-5))
    away = np.abs(x) > 1e-3
    np.testing.assert_allclose(slope[away], exact[away] / 2e-5, atol=1e-4)
