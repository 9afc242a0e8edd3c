import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from manywalks.params.sections.model import NetworkParams
from manywalks.train.keras_engine.model import build
from manywalks.train.weights import initial_weights, weight_shapes

NORMALIZATIONS = ["none", "layer", "batch"]


def small(**changes) -> NetworkParams:
    """A network of two small hidden layers."""
    return NetworkParams(**{"widths": (7, 5), "dropout": 0.2, **changes})


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_weight_shapes_are_those_of_the_keras_model(normalization: str) -> None:
    network = small(normalization=normalization)
    model = build(network, 11, 3)
    assert [w.shape for w in model.get_weights()] == weight_shapes(network, 11, 3)
    assert model.output_shape == (None, 3)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_initial_weights_fit_into_the_model_and_start_like_keras(normalization: str) -> None:
    network = small(normalization=normalization)
    model = build(network, 11, 3)
    fresh = model.get_weights()
    weights = initial_weights(network, 11, 3, np.random.default_rng(0))
    model.set_weights(weights)
    for ours, theirs in zip(weights, fresh, strict=True):
        assert ours.dtype == np.float32
        if ours.ndim == 1:  # biases, gammas, betas, moving means and variances are not random
            np.testing.assert_array_equal(ours, theirs)


def test_initial_kernels_are_glorot_uniform() -> None:
    weights = initial_weights(small(widths=(300,)), 500, 1, np.random.default_rng(0))
    limit = np.sqrt(6 / 800)
    kernel = weights[0]
    assert np.abs(kernel).max() <= limit
    np.testing.assert_allclose(kernel.std(), limit / np.sqrt(3), rtol=0.01)
    np.testing.assert_allclose(kernel.mean(), 0, atol=0.01 * limit)
    assert np.unique(kernel).size > 0.9 * kernel.size


def test_initial_weights_follow_their_rng_alone() -> None:
    draws = [initial_weights(small(), 11, 3, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0][0], draws[1][0])
    assert not np.array_equal(draws[0][0], draws[2][0])


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of builders, right and wrong ones."""
    (tmp_path / "own_networks.py").write_text(
        "import keras\n"
        "def right(d, t):\n"
        "    return keras.Sequential([keras.Input((d,)), keras.layers.Dense(4), keras.layers.Dense(t)])\n"
        "def wide(d, t):\n"
        "    return keras.Sequential([keras.Input((d,)), keras.layers.Dense(t + 1)])\n"
        "def blind(d, t):\n"
        "    return keras.Sequential([keras.Input((d + 2,)), keras.layers.Dense(t)])\n"
        "def open_ended(d, t):\n"
        "    return keras.Sequential([keras.layers.Dense(t)])\n"
        "def text(d, t):\n"
        "    return 'a model'\n"
        "class Own(keras.Model):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "def subclass(d, t):\n"
        "    return Own()\n"
        "def one_argument(d):\n"
        "    return None\n"
        "class Twice(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        "        return 2 * x\n"
        "def foreign(d, t):\n"
        "    return keras.Sequential([keras.Input((d,)), Twice(), keras.layers.Dense(t)])\n"
        "def anonymous(d, t):\n"
        "    twice = keras.layers.Lambda(lambda x: 2 * x)\n"
        "    return keras.Sequential([keras.Input((d,)), twice, keras.layers.Dense(t)])\n"
        "number = 3\n"
    )
    (tmp_path / "broken_network.py").write_text("1 / 0\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("own_networks", "broken_network"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_builder_in_the_workspace_makes_the_model(workspace: Path) -> None:
    model = build(small(builder="own_networks:right"), 6, 2, workspace=workspace)
    assert model.count_params() == 6 * 4 + 4 + 4 * 2 + 2


@pytest.mark.parametrize(
    ("builder", "words"),
    [
        ("own_networks:", "is not module:function"),
        ("own_networks:missing", "has no function missing"),
        ("own_networks:number", "has no function number"),
        ("own_networks:one_argument", r"own_networks:one_argument\(6, 2\) failed: TypeError"),
        ("own_networks:text", "returned str"),
        ("own_networks:wide", r"gives \(None, 3\); it must be \(None, 2\)"),
        ("own_networks:blind", r"takes \(None, 8\); it must be \(None, 6\)"),
        ("own_networks:open_ended", "without an Input"),
        ("own_networks:foreign", "layer Twice, which plain Keras cannot load"),
        ("own_networks:anonymous", "layer Lambda, which plain Keras cannot load"),
        ("own_networks:subclass", "returned a subclass"),
        ("no_such_network:build", "cannot import no_such_network"),
        ("broken_network:build", "ZeroDivisionError"),
    ],
)
def test_builder_that_will_not_do_is_refused_in_one_line(workspace: Path, builder: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        build(small(builder=builder), 6, 2, workspace=workspace)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("network.builder")


def test_dense_functions_refuse_a_builder() -> None:
    with pytest.raises(ValueError, match="known to Keras alone"):
        weight_shapes(small(builder="own_networks:right"), 6, 2)


def test_keras_runs_on_jax_where_tensorflow_is_missing() -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import numpy as np\n"
        "from manywalks.params.sections.model import NetworkParams\n"
        "from manywalks.train.keras_engine.model import build, import_keras\n"
        "model = build(NetworkParams(widths=(3,)), 4, 2)\n"
        "print(import_keras().backend.backend(), model(np.ones((5, 4), 'float32')).shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "jax (5, 2)"
