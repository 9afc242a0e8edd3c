import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from manywalks.ensemble import predictor
from manywalks.ensemble.model_file.keras_file import save_keras
from manywalks.ensemble.model_file.keras_stack import FamilyReplicates, describe, stacked_model
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.ensemble.stacks.dense import DenseStack
from manywalks.features import Features
from manywalks.params.sections.model import NetworkParams
from manywalks.replicates.combine import location
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.targets import TargetStep, TargetTransform
from manywalks.train.weights import initial_weights

# Keras 3.15 copies TensorFlow variables in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

M, D_COUNTS, D_DENSE = 5, 12, 3
D = D_COUNTS + D_DENSE
TRANSFORM = TargetTransform(
    (
        TargetStep("a", "standard", mean=-3.2, sd=2.1),
        TargetStep("b", "log", mean=0.4, sd=0.6, offset=0.05),
        TargetStep("c", "normal_scores", knots_z=(-2.0, -0.5, 0.1, 1.5), knots_y=(1.0, 3.0, 3.5, 20.0)),
        TargetStep("d", "class"),
    )
)


def features(n: int = 300) -> Features:
    """Counts and descriptors of n molecules, one of them without any count."""
    rng = np.random.default_rng(1)
    counts = rng.poisson(0.3, (n, D_COUNTS)).astype(np.float32)
    counts[:1] = 0
    dense = rng.normal(size=(n, D_DENSE)).astype(np.float32)
    return Features(sparse.csr_matrix(counts), dense, tuple(f"f{i}" for i in range(D)))


def saved(path: Path, mode: Any = "mean", classes: Any = "probability", **changes: Any) -> Any:
    """An ensemble in `path`, and its Keras model."""
    network = NetworkParams.model_validate({"widths": (8, 7), **changes})
    rng = np.random.default_rng(2)
    t = len(TRANSFORM.steps)
    if network.builder is None:
        drawn = [initial_weights(network, D, t, rng) for _ in range(M)]
    else:
        drawn = [build(network, D, t).get_weights() for _ in range(M)]
    weights = [[w + rng.uniform(0.05, 0.3, w.shape).astype(np.float32) for w in of_one] for of_one in drawn]
    families = [FamilyReplicates(network, TRANSFORM, weights)]
    model = stacked_model(families, mode, classes, n_features=D)
    save_keras(model, path, about=describe(families, mode, classes))
    return model


def saved_families(path: Path, mode: Any, classes: Any, *networks: dict[str, Any]) -> Any:
    """An ensemble of families with these networks, each on other columns, and its Keras model."""
    rng, families = np.random.default_rng(2), []
    for place, changes in enumerate(networks):
        network = NetworkParams.model_validate({"widths": (8, 7), **changes})
        columns = np.flatnonzero(np.arange(D) % 4 != place)
        t = len(TRANSFORM.steps)
        if network.builder is None:
            drawn = [initial_weights(network, len(columns), t, rng) for _ in range(M)]
        else:
            drawn = [build(network, len(columns), t).get_weights() for _ in range(M)]
        weights = [[w + rng.uniform(0.05, 0.3, w.shape).astype(np.float32) for w in one] for one in drawn]
        families.append(FamilyReplicates(network, TRANSFORM, weights, columns, f"family{place}", 1.0 + place))
    model = stacked_model(families, mode, classes, n_features=D)
    save_keras(model, path, about=describe(families, mode, classes))
    return model


@pytest.mark.parametrize(
    ("normalization", "mode", "classes"),
    [("none", "mean", "probability"), ("layer", "median", "logit"), ("batch", "trimmed", "logit")],
)
def test_mean_and_spread_are_those_of_the_keras_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, normalization: str, mode: str, classes: str
) -> None:
    model = saved(tmp_path / "model.keras", mode, classes, normalization=normalization)
    monkeypatch.setattr(predictor, "BLOCK", 130)  # several blocks, the last one short
    found = StackedPredictor.load(tmp_path / "model.keras").predict_mean_spread(features())
    wanted = model(features().matrix())
    np.testing.assert_allclose(found.mean, wanted["mean"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.spread, wanted["spread"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("mode", "classes"), [("mean", "probability"), ("median", "logit")])
def test_families_are_predicted_as_by_the_keras_model(tmp_path: Path, mode: str, classes: str) -> None:
    model = saved_families(tmp_path / "model.keras", mode, classes, {}, {"widths": (5,)}, {"widths": ()})
    found = StackedPredictor.load(tmp_path / "model.keras")
    wanted = model(features().matrix())
    np.testing.assert_allclose(
        found.predict_mean_spread(features()).mean, wanted["mean"], rtol=1e-5, atol=1e-5
    )
    replicates = found.predict(features())
    np.testing.assert_allclose(replicates.std(axis=0, ddof=1), wanted["spread"], rtol=1e-4, atol=1e-5)
    if classes == "probability":
        each = [StackedPredictor((family,)).predict(features()) for family in found.families]
        np.testing.assert_allclose(replicates, np.average(each, axis=0, weights=(1, 2, 3)), rtol=1e-6)


def test_a_network_without_hidden_layers_is_predicted(tmp_path: Path) -> None:
    model = saved(tmp_path / "model.keras", widths=())
    found = StackedPredictor.load(tmp_path / "model.keras").predict_mean_spread(features())
    wanted = model(features().matrix())
    np.testing.assert_allclose(found.mean, wanted["mean"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.spread, wanted["spread"], rtol=1e-4, atol=1e-5)


def test_predictions_of_all_replicates_average_to_the_mean(tmp_path: Path) -> None:
    saved(tmp_path / "model.keras")
    predictor = StackedPredictor.load(tmp_path / "model.keras")
    predictions = predictor.predict(features())
    assert predictions.shape == (M, 300, 4)
    # one of the endpoints is a class
    assert predictions.dtype == np.float64
    found = predictor.predict_mean_spread(features())
    np.testing.assert_allclose(predictions.mean(axis=0), found.mean, rtol=1e-5)
    np.testing.assert_allclose(predictions.std(axis=0, ddof=1), found.spread, rtol=1e-4)


def test_number_of_cores_changes_no_bit(tmp_path: Path) -> None:
    saved(tmp_path / "model.keras")
    one, three = (StackedPredictor.load(tmp_path / "model.keras", cores=cores) for cores in (1, 3))
    np.testing.assert_array_equal(one.predict(features()), three.predict(features()))


def test_company_changes_no_prediction(tmp_path: Path) -> None:
    saved(tmp_path / "model.keras")
    predictor = StackedPredictor.load(tmp_path / "model.keras")
    alone = predictor.predict(features().take(np.array([7])))
    np.testing.assert_allclose(alone, predictor.predict(features())[:, [7]], rtol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh", "elu", "selu", "softplus"])
def test_activations_are_those_of_keras(tmp_path: Path, activation: str) -> None:
    model = saved(tmp_path / "model.keras", activation=activation)
    found = StackedPredictor.load(tmp_path / "model.keras").predict_mean_spread(features())
    np.testing.assert_allclose(found.mean, model(features().matrix())["mean"], rtol=1e-5, atol=1e-5)


def test_trimmed_mean_leaves_out_the_ends() -> None:
    y = np.array([100.0, 1, 2, 3, -100]).reshape(5, 1, 1)
    assert location(y, "trimmed") == 2


def test_no_molecules_give_no_predictions(tmp_path: Path) -> None:
    saved(tmp_path / "model.keras")
    predictor = StackedPredictor.load(tmp_path / "model.keras")
    nothing = features().take(np.array([], dtype=np.int64))
    assert predictor.predict(nothing).shape == (M, 0, 4)
    assert predictor.predict_mean_spread(nothing).mean.shape == (0, 4)


def test_tensorflow_is_not_imported_for_a_dense_network(tmp_path: Path) -> None:
    saved(tmp_path / "model.keras")
    code = (
        "import sys; from pathlib import Path; from manywalks.ensemble.predictor import StackedPredictor;"
        "StackedPredictor.load(Path(sys.argv[1])); assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model.keras")], check=True)


def test_builder_networks_are_predicted_by_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_predicted_network.py").write_text(
        "import keras\n"
        "def build(d, t):\n"
        "    layers = [keras.layers.Dense(4, 'tanh'), keras.layers.Dense(t)]\n"
        "    return keras.Sequential([keras.Input((d,)), *layers])\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    model = saved(tmp_path / "model.keras", builder="own_predicted_network:build")
    predictor = StackedPredictor.load(tmp_path / "model.keras")
    wanted = model(features().matrix())
    np.testing.assert_allclose(
        predictor.predict(features()).mean(axis=0), wanted["mean"], rtol=1e-5, atol=1e-5
    )
    found = predictor.predict_mean_spread(features())
    np.testing.assert_allclose(found.spread, wanted["spread"], rtol=1e-4, atol=1e-5)


def test_a_builder_and_a_dense_family_are_predicted_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_family_network.py").write_text(
        "import keras\n"
        "def build(d, t):\n"
        "    return keras.Sequential([keras.Input((d,)), keras.layers.Dense(t)])\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    own = {"builder": "own_family_network:build"}
    model = saved_families(tmp_path / "model.keras", "mean", "probability", own, {}, own)
    found = StackedPredictor.load(tmp_path / "model.keras").predict_mean_spread(features())
    wanted = model(features().matrix())
    np.testing.assert_allclose(found.mean, wanted["mean"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.spread, wanted["spread"], rtol=1e-4, atol=1e-5)


def test_features_of_another_width_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "model.keras")
    stack = StackedPredictor.load(tmp_path / "model.keras").families[0].stack
    assert isinstance(stack, DenseStack)
    wide = Features(features().counts, np.zeros((300, D_DENSE + 1), np.float32), ("f",) * (D + 1))
    with pytest.raises(ValueError, match=f"features: {D + 1} columns where the ensemble takes {D}"):
        stack.outputs(wide)


def test_missing_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with pytest.raises(ValueError, match=r"model.keras: no such file"):
        StackedPredictor.load(path)
    path.write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match=r"model.keras: is damaged"):
        StackedPredictor.load(path)
    keras = import_keras()
    save_keras(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), path)
    with pytest.raises(ValueError, match=r"model.keras: is not an ensemble of manywalks"):
        StackedPredictor.load(path)
