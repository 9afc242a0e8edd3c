"""Prediction on a device: Keras on JAX, here on the processor, against the arrays."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from manywalks.ensemble.device import switch
from manywalks.ensemble.device.switch import Device, Switching, seconds_each
from manywalks.ensemble.model_file.keras_stack import FamilyReplicates, describe
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.sections.model import FeatureBlock, NetworkParams
from tests.ensemble.test_graph_families import SLOTS, SMILES, dense_family, drawn, graph_family, saved

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")


BUILDER = """
import keras

def build(n_features, n_endpoints):
    inputs = keras.Input((n_features,))
    hidden = keras.layers.Dense(4, activation="tanh")(inputs)
    return keras.Model(inputs, keras.layers.Dense(n_endpoints)(hidden))
"""


@pytest.fixture(scope="module")
def x() -> Features:
    return featurize(SMILES, [FeatureBlock(kind="physchem"), FeatureBlock(kind="graph", max_atoms=SLOTS)])


def with_device(
    path: Path, stack: ExitStack, begins_at: float, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[StackedPredictor, Device]:
    """The predictor of a file with its families on a device, for which the processor stands in."""
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    monkeypatch.setattr(switch, "accelerators", lambda: ("a processor",))
    here = StackedPredictor.load(path)
    device = Device(path, 1.0, stack, said.append, begins_at)
    families = [one._replace(stack=Switching(one.stack, device, k)) for k, one in enumerate(here.families)]
    return StackedPredictor(tuple(families), here.mode, here.classes), device


def builder_family(x: Features, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FamilyReplicates:
    """A family whose network is a user's own."""
    (folder / "own_network_on_a_device.py").write_text(BUILDER)
    monkeypatch.syspath_prepend(str(folder))
    network = NetworkParams(builder="own_network_on_a_device:build")
    columns = np.arange(6)
    return FamilyReplicates(network, dense_family(x).transform, drawn(network, 6, 2), columns, "own")


@pytest.mark.parametrize("builder", ["relational", "dmpnn"])
def test_the_device_predicts_what_the_arrays_do(
    builder: str, x: Features, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    families = [dense_family(x), graph_family(builder, x), builder_family(x, tmp_path, monkeypatch)]
    saved(tmp_path / "model.keras", families, x)
    wanted = StackedPredictor.load(tmp_path / "model.keras").predict(x)
    said: list[str] = []
    with ExitStack() as stack:
        found, _ = with_device(tmp_path / "model.keras", stack, 0.0, said, monkeypatch)
        for rows in (np.array([6, 0]), np.arange(len(x)), np.array([3])):
            other = found.predict(x.take(rows))
            np.testing.assert_allclose(other, wanted[:, rows], rtol=1e-5, atol=1e-5)
        assert found.predict(x.take(np.arange(0))).shape == (len(wanted), 0, 2)
    assert said == ["the networks run on a processor from here on"]


def test_graphs_alone_are_predicted_without_keras(
    x: Features, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "model.keras", [graph_family("relational", x)], x)
    rows = np.array([0, 2, 6])
    wanted = StackedPredictor.load(tmp_path / "model.keras").predict(x.take(rows))
    with ExitStack() as stack:
        found, _ = with_device(tmp_path / "model.keras", stack, 0.0, [], monkeypatch)
        np.testing.assert_allclose(found.predict(x.take(rows)), wanted, rtol=1e-5, atol=1e-5)


def test_it_takes_over_when_the_processor_has_worked_as_long_as_the_start_takes(
    x: Features, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "model.keras", [dense_family(x)], x)
    monkeypatch.setattr(Device, "outputs", lambda self, family, features: np.ones((3, len(features), 2)))
    with ExitStack() as stack:
        found, device = with_device(tmp_path / "model.keras", stack, 2.0 * len(x), [], monkeypatch)
        over = []
        for _ in range(4):
            found.predict(x)
            over.append(device.takes_over)
    assert over == [False, False, True, True]


def test_more_replicates_and_larger_networks_take_longer(x: Features) -> None:
    dense, graph = (describe([family])["families"] for family in (dense_family(x), graph_family("dmpnn", x)))
    assert seconds_each(dense, 64) == pytest.approx(2 * seconds_each(dense, 32))
    assert seconds_each([*dense, *graph], 8) == pytest.approx(seconds_each(dense, 8) + seconds_each(graph, 8))


def test_a_process_that_dies_is_named_with_its_last_words(
    x: Features, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.keras").write_text("nothing")
    saved(tmp_path / "good.keras", [dense_family(x)], x)
    with ExitStack() as stack:
        found, device = with_device(tmp_path / "good.keras", stack, 0.0, [], monkeypatch)
        device.path = tmp_path / "model.keras"
        with pytest.raises(RuntimeError, match=r"ended with exit status 1 .*; last it said"):
            found.predict(x)
