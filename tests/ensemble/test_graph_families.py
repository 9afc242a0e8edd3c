"""Ensembles with networks on graphs: the Keras file, the arrays, and molecules too large for the graph."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from manywalks import files
from manywalks.ensemble.domain import Domain
from manywalks.ensemble.model import Ensemble
from manywalks.ensemble.model_file.keras_file import save_keras
from manywalks.ensemble.model_file.keras_stack import FamilyReplicates, describe, stacked_model
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.ensemble.stacks.graph import GraphStack
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.graph_layout import LARGER, GraphLayout
from manywalks.params.sections.model import FeatureBlock, NetworkParams
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.targets import TargetStep, TargetTransform
from manywalks.train.union import UnionScaler
from tests.ensemble.model_file.test_keras_stack import LOADER

# Keras 3.15 copies TensorFlow variables in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

M, SLOTS = 3, 12
TRANSFORM = TargetTransform((TargetStep("a", "standard", mean=-3.0, sd=2.0), TargetStep("b", "class")))
# the one before the last is too large for the graph
SMILES = ["CCO", "Oc1ccccc1C#N", "C[C@H](N)C(=O)O", "C/C=C/Cl", "[Na+].[Cl-]", "C" * 13, "C"]
GRAPH = {"widths": (8,), "units": 6, "layers": 3, "max_atoms": SLOTS}


@pytest.fixture(scope="module")
def x() -> Features:
    blocks = [FeatureBlock(kind="physchem"), FeatureBlock(kind="graph", max_atoms=SLOTS)]
    return featurize(SMILES, blocks)


def drawn(network: NetworkParams, width: int, seed: int = 0) -> list[list[np.ndarray]]:
    """Weights of M replicates in which nothing is at its start value."""
    rng, shapes = np.random.default_rng(seed), [w.shape for w in build(network, width, 2).get_weights()]
    return [
        [rng.normal(size=shape).astype(np.float32) * np.float32(0.3) for shape in shapes] for _ in range(M)
    ]


def graph_family(builder: str, x: Features, *, weight: float = 1.0, **changes: Any) -> FamilyReplicates:
    """A family that sees all columns."""
    network = NetworkParams.model_validate({**GRAPH, "builder": builder, **changes})
    columns, place = np.arange(x.width), x.names.index(LARGER)
    return FamilyReplicates(network, TRANSFORM, drawn(network, x.width), columns, "graph", weight, place)


def dense_family(x: Features) -> FamilyReplicates:
    """A family that sees what is not of the graph."""
    network = NetworkParams(widths=(5,))
    columns = np.arange(x.width - GraphLayout(SLOTS).width)
    return FamilyReplicates(network, TRANSFORM, drawn(network, len(columns), 1), columns, "dense", 2.0)


def one_by_one(family: FamilyReplicates, x: Features) -> np.ndarray:
    """Each replicate's own Keras model: (m, n, t) in endpoint units."""
    assert family.columns is not None
    model = build(family.network, len(family.columns), 2)
    found = []
    for weights in family.weights:
        model.set_weights(weights)
        found.append(np.asarray(model(x.matrix()[:, family.columns])))
    return TRANSFORM.inverse(np.stack(found).astype(np.float64))


def saved(path: Path, families: list[FamilyReplicates], x: Features) -> Any:
    model = stacked_model(families, n_features=x.width)
    save_keras(model, path, about=describe(families))
    return model


@pytest.mark.parametrize("builder", ["relational", "dmpnn"])
@pytest.mark.parametrize("normalization", ["layer", "none"])
def test_the_stack_is_its_replicates_one_by_one(x: Features, builder: str, normalization: str) -> None:
    family = graph_family(builder, x, normalization=normalization)._replace(larger=None)
    found = stacked_model([family], n_features=x.width)(x.matrix())
    wanted = one_by_one(family, x)
    np.testing.assert_allclose(found["mean"], wanted.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found["spread"], wanted.std(axis=0, ddof=1), atol=1e-5)


@pytest.mark.parametrize("builder", ["relational", "dmpnn"])
@pytest.mark.parametrize("changes", [{}, {"normalization": "none", "readout": "sum", "widths": ()}])
def test_arrays_predict_as_keras_does(x: Features, builder: str, changes: dict, tmp_path: Path) -> None:
    family = graph_family(builder, x, **changes)._replace(larger=None)
    saved(tmp_path / "model.keras", [family], x)
    loaded = StackedPredictor.load(tmp_path / "model.keras")
    assert isinstance(loaded.families[0].stack, GraphStack)
    many = x.take(np.tile(np.arange(len(x)), 30))  # several chunks, the last one short
    wanted = np.tile(one_by_one(family, x), (1, 30, 1))
    np.testing.assert_allclose(loaded.predict(many), wanted, atol=1e-5)


def test_no_molecules_have_no_predictions(x: Features, tmp_path: Path) -> None:
    saved(tmp_path / "model.keras", [graph_family("relational", x)], x)
    found = StackedPredictor.load(tmp_path / "model.keras").predict(x.take(np.arange(0)))
    assert found.shape == (M, 0, 2)


@pytest.mark.parametrize("builder", ["relational", "dmpnn"])
def test_other_families_have_the_whole_weight_at_a_molecule_too_large(
    x: Features, builder: str, tmp_path: Path
) -> None:
    families = [dense_family(x), graph_family(builder, x, weight=1.5)]
    model = saved(tmp_path / "model.keras", families, x)
    dense, graph = (one_by_one(family, x) for family in families)
    wanted = (2.0 * dense + 1.5 * graph) / 3.5
    wanted[:, 5] = dense[:, 5]
    found = StackedPredictor.load(tmp_path / "model.keras")
    np.testing.assert_allclose(found.predict(x), wanted, atol=1e-5)
    in_keras = model(x.matrix())
    np.testing.assert_allclose(in_keras["mean"], wanted.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(in_keras["spread"], wanted.std(axis=0, ddof=1), atol=1e-5)
    np.testing.assert_allclose(found.predict_mean_spread(x).mean, in_keras["mean"], atol=1e-5)


def test_predictions_say_which_molecules_were_on_the_graph(x: Features, tmp_path: Path) -> None:
    about = {
        "params": {
            "data": {"endpoints": {}},
            "featurize": {"blocks": [{"kind": "physchem"}, {"kind": "graph", "max_atoms": SLOTS}]},
            "evaluate": {},
            "ensemble": {},
        },
        "confidence": 0.95,
    }
    as_it_is = cast(UnionScaler, SimpleNamespace(transform=lambda features: features))
    saved(tmp_path / "model.keras", [dense_family(x), graph_family("relational", x)], x)
    predictor = StackedPredictor.load(tmp_path / "model.keras")
    ensemble = Ensemble(about, as_it_is, predictor, Domain.fit(x), {})
    found = ensemble.predict_features(x)
    assert found["on_graph"].tolist() == [True] * 5 + [False, True]
    about["params"]["featurize"]["blocks"].pop()
    assert "on_graph" not in ensemble.predicted_columns


def test_families_may_weigh_otherwise_at_each_endpoint(x: Features, tmp_path: Path) -> None:
    families = [
        dense_family(x)._replace(weight=(0.7, 0.2)),
        graph_family("relational", x)._replace(weight=(0.3, 0.8)),
    ]
    model = saved(tmp_path / "model.keras", families, x)
    dense, graph = (one_by_one(family, x) for family in families)
    wanted = np.array([0.7, 0.2]) * dense + np.array([0.3, 0.8]) * graph
    wanted[:, 5] = dense[:, 5]
    np.testing.assert_allclose(StackedPredictor.load(tmp_path / "model.keras").predict(x), wanted, atol=1e-5)
    again = import_keras().models.load_model(tmp_path / "model.keras")
    for loaded in (model, again):
        np.testing.assert_allclose(loaded(x.matrix())["mean"], wanted.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(loaded(x.matrix())["spread"], wanted.std(axis=0, ddof=1), atol=1e-5)


def test_plain_keras_loads_it_in_safe_mode_without_this_package(x: Features, tmp_path: Path) -> None:
    families = [dense_family(x), graph_family("relational", x)]
    model = saved(tmp_path / "model.keras", families, x)
    files.write_bytes(tmp_path / "load.py", LOADER.encode())
    np.save(tmp_path / "x.npy", x.matrix())
    command = [sys.executable, "load.py", "model.keras", "x.npy", "out.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out.npz") as out:
        np.testing.assert_allclose(out["mean"], model(x.matrix())["mean"], atol=1e-5)


def test_the_same_model_is_the_same_bytes(x: Features, tmp_path: Path) -> None:
    for name in ("a.keras", "b.keras"):
        saved(tmp_path / name, [graph_family("dmpnn", x)], x)
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()


def test_predicting_imports_no_tensorflow(x: Features, tmp_path: Path) -> None:
    saved(tmp_path / "model.keras", [graph_family("relational", x)], x)
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from manywalks.ensemble.predictor import StackedPredictor\n"
        "from manywalks.featurize.featurize import featurize\n"
        "from manywalks.params.sections.model import FeatureBlock\n"
        f"blocks = [FeatureBlock(kind='physchem'), FeatureBlock(kind='graph', max_atoms={SLOTS})]\n"
        "found = StackedPredictor.load(Path(sys.argv[1])).predict(featurize(['CCO'], blocks))\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model.keras")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
