"""Fast prediction from model.keras against Keras's own, replicate by replicate."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from manywalks.tasks.features import Features
from manywalks.tasks.network import initial_weights
from manywalks.tasks.params import NetworkParams
from manywalks.tasks.predict import BLOCK, StackedPredictor
from manywalks.tasks.stack import describe, save_keras, stacked_model
from manywalks.tasks.targets import TargetStep, TargetTransform

D_COUNTS, D_DENSE = 40, 7
TRANSFORM = TargetTransform((TargetStep("a", "standard", mean=1.0, sd=2.0), TargetStep("b", "class")))


def features(n: int) -> Features:
    rng = np.random.default_rng(0)
    counts = sparse.random(n, D_COUNTS, 0.2, format="csr", dtype=np.float32, rng=rng)
    names = tuple(f"f{i}" for i in range(D_COUNTS + D_DENSE))
    return Features(sparse.csr_matrix(counts), rng.normal(size=(n, D_DENSE)).astype(np.float32), names)


ACTIVATIONS = ("relu", "gelu", "silu", "tanh", "elu", "selu", "softplus")
NORMALIZATIONS = [(activation, kind) for activation in ("relu", "gelu") for kind in ("layer", "batch")]


@pytest.mark.parametrize(
    ("activation", "normalization"), [*((a, "none") for a in ACTIVATIONS), *NORMALIZATIONS]
)
def test_prediction_is_kerass_own(tmp_path: Path, activation: str, normalization: str) -> None:
    network = NetworkParams(widths=(12, 6), activation=activation, normalization=normalization)  # pyright: ignore
    rng = np.random.default_rng(1)
    weights = [initial_weights(network, D_COUNTS + D_DENSE, 2, rng) for _ in range(3)]
    model = stacked_model(network, TRANSFORM, weights)
    save_keras(model, tmp_path / "model.keras", about=describe(network, TRANSFORM))
    given = features(BLOCK + 5)
    mean, spread = StackedPredictor.load(tmp_path / "model.keras").predict_mean_spread(given)
    expected = model(given.matrix())
    np.testing.assert_allclose(mean, expected["mean"], atol=1e-5)
    np.testing.assert_allclose(spread, expected["spread"], atol=1e-5)


def test_neither_cores_nor_company_change_a_prediction(tmp_path: Path) -> None:
    network = NetworkParams(widths=(12, 6))
    rng = np.random.default_rng(1)
    weights = [initial_weights(network, D_COUNTS + D_DENSE, 2, rng) for _ in range(3)]
    save_keras(
        stacked_model(network, TRANSFORM, weights),
        tmp_path / "model.keras",
        about=describe(network, TRANSFORM),
    )
    predictor, given = StackedPredictor.load(tmp_path / "model.keras"), features(60)
    whole = predictor.predict(given, cores=1)
    np.testing.assert_array_equal(predictor.predict(given, cores=3), whole)
    np.testing.assert_allclose(predictor.predict(given.take(np.array([7]))), whole[:, [7]], atol=1e-6)


def test_a_file_that_is_no_ensemble_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"not a zip")
    with pytest.raises(ValueError, match=r"model\.keras: is damaged"):
        StackedPredictor.load(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="no such file"):
        StackedPredictor.load(tmp_path / "gone.keras")
