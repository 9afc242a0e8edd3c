"""Networks on graphs: what must not matter to them, and that plain Keras reads them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem

from manywalks import files
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.sections.model import FeatureBlock, NetworkParams
from manywalks.train.keras_engine.model import build, import_keras

# Keras 3.15 copies TensorFlow variables in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "C/C=C/C#N", "C/C=C\\C#N",
    "O=S(=O)(c1ccccc1)N1CCC1", "CCO", "C",
]  # fmt: skip
READY = ("relational", "dmpnn")
ON_JAX = """
import sys
import jax
import numpy as np
from manywalks.train.keras_engine import model
from manywalks.params.sections.model import NetworkParams
import keras
for name in ("keras_engine.model", "graph_keras"):
    __import__(f"manywalks.train.{name}")
    sys.modules[f"manywalks.train.{name}"].import_keras = lambda: keras
for name in sys.argv[1:]:
    given = np.load(f"{name}.npz")
    built = model.build(NetworkParams.model_validate_json(str(given["network"])), given["x"].shape[1], 2)
    built.set_weights([given[f"w{k}"] for k in range(len(built.get_weights()))])
    np.save(f"{name}.npy", np.asarray(jax.jit(built)(given["x"])))
"""


def features(smiles: list[str], max_atoms: int = 16, *, beside: bool = False) -> Features:
    blocks = [FeatureBlock(kind="graph", max_atoms=max_atoms)]
    return featurize(smiles, [FeatureBlock(kind="physchem"), *blocks] if beside else blocks)


def network(builder: str, max_atoms: int = 16, **changes: Any) -> NetworkParams:
    settings = {
        "builder": builder,
        "units": 12,
        "layers": 3,
        "widths": (8,),
        "max_atoms": max_atoms,
        **changes,
    }
    return NetworkParams.model_validate(settings)


def rewritten(smiles: str, rng: np.random.Generator) -> str:
    """The same molecule with its atoms in another order."""
    mol = Chem.MolFromSmiles(smiles)
    return Chem.MolToSmiles(
        Chem.RenumberAtoms(mol, rng.permutation(mol.GetNumAtoms()).tolist()), canonical=False
    )


def drawn(model: Any) -> list[np.ndarray]:
    """Weights in which nothing is at its start value."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=w.shape).astype(np.float32) * np.float32(0.3) for w in model.get_weights()]


def outputs(x: Features, params: NetworkParams) -> np.ndarray:
    model = build(params, x.width, 2)
    model.set_weights(drawn(model))
    return np.asarray(model(x.matrix()))


@pytest.mark.parametrize("builder", READY)
def test_the_order_of_the_atoms_does_not_matter(builder: str) -> None:
    wanted = outputs(features(SMILES), network(builder))
    for seed in range(3):
        rng = np.random.default_rng(seed)
        other = [rewritten(smiles, rng) for smiles in SMILES]
        assert other != SMILES
        np.testing.assert_allclose(outputs(features(other), network(builder)), wanted, atol=1e-5)


@pytest.mark.parametrize("builder", READY)
@pytest.mark.parametrize("readout", ["mean_sum", "mean", "sum"])
def test_empty_slots_change_nothing(builder: str, readout: str) -> None:
    small, large = (
        outputs(features(SMILES, slots), network(builder, slots, readout=readout)) for slots in (14, 40)
    )
    np.testing.assert_allclose(large, small, atol=1e-5)


@pytest.mark.parametrize("builder", READY)
def test_a_molecules_output_does_not_depend_on_its_neighbours_in_the_batch(builder: str) -> None:
    together = outputs(features(SMILES), network(builder))
    alone = np.concatenate([outputs(features([one]), network(builder)) for one in SMILES])
    np.testing.assert_allclose(alone, together, atol=1e-5)


@pytest.mark.parametrize("builder", READY)
def test_different_molecules_have_different_outputs(builder: str) -> None:
    found = outputs(features(SMILES), network(builder))
    apart = np.abs(found[:, None] - found[None]).max(axis=2)
    assert (apart[~np.eye(len(found), dtype=bool)] > 1e-4).all()


def test_layers_are_how_far_an_atom_sees() -> None:
    # the ends of a chain: the other end is 6 bonds away
    one, other = "N" + "C" * 5 + "O", "N" + "C" * 5 + "S"

    def atom_states(layers: int) -> np.ndarray:
        x = features([one, other])
        params = network("dmpnn", layers=layers)
        keras, whole = import_keras(), build(params, x.width, 2)
        whole.set_weights(drawn(whole))
        states = [layer for layer in whole.layers if isinstance(layer, keras.layers.Activation)]
        inner = keras.Model(whole.input, states[layers].output)
        return np.asarray(inner(x.matrix()))[:, 0]

    near, far = atom_states(2), atom_states(6)
    np.testing.assert_allclose(near[0], near[1], atol=1e-6)
    assert np.abs(far[0] - far[1]).max() > 1e-6


@pytest.mark.parametrize("builder", READY)
def test_other_columns_join_at_the_readout(builder: str) -> None:
    x = features(SMILES, beside=True)
    first = x.width - features(SMILES).width
    assert first > 0
    model = build(network(builder), x.width, 2)
    assert [w.shape for w in drawn(model) if w.shape == (2 * 12 + first, 8)]
    moved = Features(x.counts, x.dense + (np.arange(x.dense.shape[1]) < first), x.names)
    assert np.abs(outputs(moved, network(builder)) - outputs(x, network(builder))).max() > 1e-3


@pytest.mark.parametrize("builder", READY)
def test_an_empty_graph_has_a_finite_output(builder: str) -> None:
    found = outputs(features(["C" * 17]), network(builder))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("builder", READY)
def test_plain_keras_loads_it_in_safe_mode(builder: str, tmp_path: Path) -> None:
    x = features(SMILES)
    model = build(network(builder), x.width, 2)
    model.set_weights(drawn(model))
    model.save(tmp_path / "model.keras")
    again = import_keras().models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again(x.matrix()), outputs(x, network(builder)), atol=1e-6)


def test_keras_on_jax_gives_the_same(tmp_path: Path) -> None:
    x = features(SMILES)
    for builder in READY:
        weights = {f"w{k}": w for k, w in enumerate(drawn(build(network(builder), x.width, 2)))}
        settings = np.array(network(builder).model_dump_json())
        files.write_npz(tmp_path / f"{builder}.npz", {"x": x.matrix(), "network": settings, **weights})
    command = [sys.executable, "-c", ON_JAX, *READY]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for builder in READY:
        np.testing.assert_allclose(
            np.load(tmp_path / f"{builder}.npy"), outputs(x, network(builder)), atol=1e-5
        )


def test_a_graph_network_without_the_block_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the block graph"):
        build(NetworkParams(builder="relational"), 10, 1)
