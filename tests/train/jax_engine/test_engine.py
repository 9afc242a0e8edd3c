"""The engine's process and when it is chosen."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from manywalks.params.sections.model import NetworkParams, TrainParams
from manywalks.train import engines
from manywalks.train.engines import choose_engine
from manywalks.train.jax_engine import device, engine
from manywalks.train.jax_engine.device import accelerators, one_device
from manywalks.train.jax_engine.molecules import Molecules, decode, encode
from manywalks.train.keras_engine import engine as keras_engine
from manywalks.train.problem import Pack, Problem
from tests.support.graph_problems import graph_problem
from tests.support.problems import small_problem


@pytest.fixture
def with_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where JAX sees two devices."""
    for module in (device, engine):
        monkeypatch.setattr(module, "accelerators", lambda: ("a GPU", "a GPU"))


def large(problem: Problem) -> Problem:
    """The same for a network and an epoch count that a processor takes minutes for."""
    network = NetworkParams.model_validate({"widths": [4096, 4096]})
    train = TrainParams.model_validate({"epochs": 100_000, "engine": "auto"})
    return replace(problem, network=network, train_params=train)


def test_process_trains_tells_and_fills_its_pack() -> None:
    problem = small_problem(train={"epochs": 2, "engine": "jax", "batch_size": 50})
    told: list[tuple[int, int, int]] = []
    found = list(
        engine.train_on_device(
            Pack(problem, [3, 1], 3, progress=lambda *heard: told.append(heard), spare=[4, 5])
        )
    )
    assert [replicate.index for replicate in found] == [3, 1, 4, 5]
    assert told == [(index, epoch, 2) for epoch in (1, 2) for index in (3, 1, 4, 5)]
    assert all(np.isfinite(replicate.predictions).all() for replicate in found)


def test_builder_that_is_refused_is_a_value_error() -> None:
    problem = small_problem({"builder": "no_such_module:build"}, {"engine": "jax"})
    for train in (engine.train_pack, engine.train_on_device):
        with pytest.raises(ValueError, match=r"network\.builder: no_such_module:build: cannot import"):
            list(train(Pack(problem, [0], 3)))


def test_processor_is_chosen_without_a_device() -> None:
    assert accelerators() == ()
    assert choose_engine(large(small_problem())) == "numba"


@pytest.mark.usefixtures("with_device")
def test_device_is_chosen_where_the_work_is_worth_its_start() -> None:
    small = small_problem(train={"engine": "auto"})
    assert choose_engine(small) == "numba"
    assert choose_engine(large(small)) == "jax"


def test_graphs_train_without_their_empty_slots_on_a_processor_too() -> None:
    assert choose_engine(graph_problem({"builder": "relational"})) == "jax"


def test_replicates_of_a_processor_train_alone_in_a_process_a_thread() -> None:
    problem = graph_problem({"builder": "relational", "dropout": 0.3}, {"epochs": 2})
    told: list[tuple[int, int, int]] = []
    pack = Pack(problem, [3, 1], 3, threads=2, progress=lambda *heard: told.append(heard))
    found = sorted(engine.train_pack(pack))
    assert [replicate.index for replicate in found] == [1, 3]
    assert sorted(told) == [(index, epoch, 2) for index in (1, 3) for epoch in (1, 2)]
    for one in found:
        (same,) = keras_engine.train_pack(Pack(problem, [one.index], 3))
        np.testing.assert_allclose(one.predictions, same.predictions, rtol=0, atol=1e-4)


@pytest.mark.usefixtures("with_device")
def test_each_pack_has_a_device_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.tempfile, "gettempdir", lambda: str(tmp_path))
    with one_device() as first, one_device() as second:
        assert {first, second} == {0, 1}
    with one_device() as again:
        assert again == 0


def test_encoded_features_are_the_features() -> None:
    features = small_problem().features
    encoded = encode(features)
    assert encoded.codes.dtype == np.uint8
    rows = np.array([7, 0, 199])
    np.testing.assert_array_equal(np.asarray(decode(encoded, rows)), features.matrix()[rows])


def test_molecules_that_do_not_fit_come_with_their_places() -> None:
    features = small_problem().features
    molecules = Molecules(features, budget=10)
    rows = np.array([[5, 9], [5, 150]], np.int32)
    part, places = molecules.of(rows)
    assert not molecules.resident
    assert molecules.most(2) == 1
    np.testing.assert_array_equal(np.asarray(decode(part, places)), features.matrix()[rows])


def test_manifest_says_what_trained() -> None:
    assert engines.description("numba") == "numba"
    assert re.fullmatch(r"jax on a processor \(JAX [\d.]+, float32 products\)", engines.description("jax"))
