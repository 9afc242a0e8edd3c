import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manywalks import files
from manywalks.ensemble.model_file.keras_file import save_keras
from manywalks.ensemble.model_file.keras_stack import FamilyReplicates, describe, stacked_model
from manywalks.params.sections.model import NetworkParams
from manywalks.replicates.combine import TRIM
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.targets import TargetStep, TargetTransform
from manywalks.train.weights import initial_weights

# Keras 3.15 copies TensorFlow variables in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

M, D = 6, 9
KNOTS = (-2.0, -0.5, 0.1, 1.5), (1.0, 3.0, 3.5, 20.0)
STEPS = {
    "standard": TargetStep("a", "standard", mean=-3.2, sd=2.1),
    "log": TargetStep("b", "log", mean=0.4, sd=0.6, offset=0.05),
    "none": TargetStep("c", "none"),
    "normal_scores": TargetStep("d", "normal_scores", knots_z=KNOTS[0], knots_y=KNOTS[1]),
    "class": TargetStep("e", "class"),
    "log with zeros": TargetStep("f", "log", mean=0.4, sd=0.6, offset=0.5, clip=3.0),
}
ALL = TargetTransform(tuple(STEPS.values())[:5])
# standard error: the bare interpreter has keras, and no manywalks to import
LOADER = """
import gc, sys
gc.disable()  # it would look through all of TensorFlow again and again
sys.meta_path.insert(0, type("Blocked", (), {"find_spec": staticmethod(
    lambda name, path=None, target=None: (_ for _ in ()).throw(ImportError(name))
    if name.split(".")[0] == "manywalks" else None)}))
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
out = model.predict(np.load(sys.argv[2]), verbose=0)
np.savez(sys.argv[3], **out)
"""


def params(**changes: Any) -> NetworkParams:
    """Network parameters, the rest as by default."""
    return NetworkParams.model_validate(changes)


def replicate_weights(network: NetworkParams, n_endpoints: int, count: int = M) -> list[list[np.ndarray]]:
    """Weights in which nothing is at its start value, so that every term of a layer counts."""
    rng = np.random.default_rng(3)
    drawn = [initial_weights(network, D, n_endpoints, rng) for _ in range(count)]
    return [[w + rng.uniform(0.05, 0.3, w.shape).astype(np.float32) for w in weights] for weights in drawn]


def outputs_one_by_one(network: NetworkParams, weights: list[list[np.ndarray]], x: np.ndarray) -> np.ndarray:
    """Each replicate's own Keras model, one after another: (m, n, t) in network space."""
    model = build(network, D, weights[0][-1].shape[0])
    outputs = []
    for of_replicate in weights:
        model.set_weights(of_replicate)
        outputs.append(np.asarray(model(x)))
    return np.stack(outputs)


def inputs(n: int = 8) -> np.ndarray:
    """Scaled features (n, d)."""
    return np.random.default_rng(0).normal(size=(n, D)).astype(np.float32)


@pytest.mark.parametrize("normalization", ["none", "layer", "batch"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_mean_and_spread_are_those_of_the_replicates(normalization: str, activation: str) -> None:
    network = params(widths=(8, 7), normalization=normalization, activation=activation, dropout=0.3)  # pyright: ignore[reportArgumentType]
    weights = replicate_weights(network, len(ALL.steps))
    out = stacked_model([FamilyReplicates(network, ALL, weights)])(inputs())
    y = ALL.inverse(outputs_one_by_one(network, weights, inputs()).astype(np.float64))
    np.testing.assert_allclose(out["mean"], y.mean(axis=0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(out["spread"], y.std(axis=0, ddof=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_a_network_without_hidden_layers_is_a_linear_model(normalization: str) -> None:
    network = params(widths=(), normalization=normalization)
    weights = replicate_weights(network, len(ALL.steps))
    assert [w.shape for w in weights[0]] == [(D, len(ALL.steps)), (len(ALL.steps),)]
    out = stacked_model([FamilyReplicates(network, ALL, weights)])(inputs())
    y = ALL.inverse(np.stack([inputs().astype(np.float64) @ kernel + bias for kernel, bias in weights]))
    np.testing.assert_allclose(out["mean"], y.mean(axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(out["spread"], y.std(axis=0, ddof=1), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("mode", ["mean", "median", "trimmed"])
def test_modes_of_each_transform(kind: str, mode: str) -> None:
    network = params(widths=(8,))
    transform = TargetTransform((STEPS[kind],))
    weights = replicate_weights(network, 1)
    out = stacked_model([FamilyReplicates(network, transform, weights)], mode)(inputs())  # pyright: ignore[reportArgumentType]
    y = np.sort(transform.inverse(outputs_one_by_one(network, weights, inputs()).astype(np.float64)), axis=0)
    cut = int(TRIM * M)
    assert cut == 1
    wanted = {"mean": y.mean(axis=0), "median": np.median(y, axis=0), "trimmed": y[cut:-cut].mean(axis=0)}
    np.testing.assert_allclose(out["mean"], wanted[mode], rtol=1e-5, atol=1e-5)


def test_rank_transform_is_held_beyond_its_knots() -> None:
    network = params(widths=(8,))
    weights = replicate_weights(network, 1)
    for offset, y in ((100, KNOTS[1][-1]), (-100, KNOTS[1][0])):
        moved = [[*of_replicate[:-1], of_replicate[-1] + np.float32(offset)] for of_replicate in weights]
        out = stacked_model([FamilyReplicates(network, TargetTransform((STEPS["normal_scores"],)), moved)])(
            inputs()
        )
        np.testing.assert_array_equal(out["mean"], y)


def test_logits_of_classes_are_averaged_where_asked() -> None:
    network = params(widths=(8,))
    weights = replicate_weights(network, len(ALL.steps))
    z = outputs_one_by_one(network, weights, inputs())
    wanted = ALL.inverse(z).mean(axis=0)
    wanted[:, 4] = 1 / (1 + np.exp(-z[:, :, 4].mean(axis=0)))
    out = stacked_model([FamilyReplicates(network, ALL, weights)], classes="logit")(inputs())
    np.testing.assert_allclose(out["mean"], wanted, rtol=1e-5, atol=1e-5)


def test_one_replicate_is_refused() -> None:
    network = params(widths=(8,))
    with pytest.raises(ValueError, match="a spread takes two"):
        stacked_model([FamilyReplicates(network, ALL, replicate_weights(network, 5, count=1))])


def test_bytes_depend_on_the_model_alone(tmp_path: Path) -> None:
    network = params(widths=(8, 7), normalization="layer")
    weights = replicate_weights(network, len(ALL.steps))
    families = [FamilyReplicates(network, ALL, weights)]
    about = describe(families)
    for name in ("one.keras", "two.keras"):
        save_keras(
            stacked_model([FamilyReplicates(network, ALL, weights)], "median"), tmp_path / name, about=about
        )
    one, two = (files.sha256_bytes((tmp_path / name).read_bytes()) for name in ("one.keras", "two.keras"))
    assert one == two


def two_families(*normalizations: str) -> list[FamilyReplicates]:
    """Families with other networks, on columns of which some are shared, one of them weighing three times."""
    found = []
    for place, (columns, normalization) in enumerate(
        zip(([0, 1, 2, 3, 6], [7, 3, 4, 5, 6, 8]), normalizations, strict=True)
    ):
        network = params(widths=(8, 7 - place), normalization=normalization)
        rng = np.random.default_rng(place)
        drawn = [initial_weights(network, len(columns), len(ALL.steps), rng) for _ in range(M)]
        weights = [[w + rng.uniform(0.05, 0.3, w.shape).astype(np.float32) for w in one] for one in drawn]
        found.append(FamilyReplicates(network, ALL, weights, np.array(columns), f"f{place}", 3.0 - 2 * place))
    return found


def each_family(families: list[FamilyReplicates]) -> list[np.ndarray]:
    """Each family's replicates, one Keras model after another: (m, n, t) in network space."""
    found = []
    for family in families:
        assert family.columns is not None
        model = build(family.network, len(family.columns), len(ALL.steps))
        outputs = []
        for weights in family.weights:
            model.set_weights(weights)
            outputs.append(np.asarray(model(inputs()[:, family.columns])))
        found.append(np.stack(outputs).astype(np.float64))
    return found


def test_a_replicate_is_the_weighted_mean_of_its_families() -> None:
    families = two_families("layer", "batch")
    y = np.average([ALL.inverse(z) for z in each_family(families)], axis=0, weights=(3, 1))
    out = stacked_model(families, n_features=D)(inputs())
    np.testing.assert_allclose(out["mean"], y.mean(axis=0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(out["spread"], y.std(axis=0, ddof=1), rtol=1e-4, atol=1e-5)


def test_families_logits_are_averaged_where_asked() -> None:
    families = two_families("none", "layer")
    z = np.average(each_family(families), axis=0, weights=(3, 1))
    out = stacked_model(families, classes="logit", n_features=D)(inputs())
    np.testing.assert_allclose(out["mean"][:, 4], 1 / (1 + np.exp(-z[:, :, 4].mean(axis=0))), rtol=1e-5)
    y = 1 / (1 + np.exp(-z[:, :, 4]))
    np.testing.assert_allclose(out["spread"][:, 4], y.std(axis=0, ddof=1), rtol=1e-4)


OWN_NETWORK = """
import keras
def build(d, t):
    x = keras.Input((d,))
    y = keras.layers.Reshape((d, 1))(x)
    y = keras.layers.Conv1D(3, 3, activation="relu")(y)
    y = keras.layers.Dropout(0.2)(keras.layers.Flatten()(y))
    return keras.Model(x, keras.layers.Dense(t)(keras.layers.BatchNormalization()(y)))
"""


@pytest.fixture
def own_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NetworkParams:
    """A builder's network, with layers that the dense ones have not."""
    (tmp_path / "own_stacked_network.py").write_text(OWN_NETWORK)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "own_stacked_network", raising=False)
    return params(builder="own_stacked_network:build")


def test_builder_networks_stand_side_by_side(own_network: NetworkParams, tmp_path: Path) -> None:
    own = build(own_network, D, 5)
    rng = np.random.default_rng(0)
    weights = [
        [w + rng.uniform(0, 0.3, w.shape).astype(np.float32) for w in own.get_weights()] for _ in range(M)
    ]
    y = ALL.inverse(outputs_one_by_one(own_network, weights, inputs()))
    hashes = set()
    for _ in range(2):
        model = stacked_model([FamilyReplicates(own_network, ALL, weights)], n_features=D)
        save_keras(model, tmp_path / "model.keras")
        hashes.add(files.md5_file(tmp_path / "model.keras"))
    loaded = import_keras().models.load_model(tmp_path / "model.keras")(inputs())
    np.testing.assert_allclose(loaded["mean"], y.mean(axis=0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(loaded["spread"], y.std(axis=0, ddof=1), rtol=1e-4, atol=1e-5)
    assert len(hashes) == 1


def test_plain_keras_loads_the_file_without_this_package(tmp_path: Path) -> None:
    families = two_families("layer", "none")
    model = stacked_model(families, "trimmed", classes="logit", n_features=D)
    save_keras(model, tmp_path / "model.keras", about=describe(families, "trimmed", "logit"))
    np.save(tmp_path / "x.npy", inputs())
    arguments = [str(tmp_path / name) for name in ("model.keras", "x.npy", "out.npz")]
    subprocess.run([sys.executable, "-I", "-c", LOADER, *arguments], check=True, capture_output=True)
    here = model(inputs())
    with np.load(tmp_path / "out.npz") as there:
        for name in ("mean", "spread"):
            np.testing.assert_allclose(there[name], here[name], rtol=1e-5, atol=1e-6)
