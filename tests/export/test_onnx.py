"""The ONNX graph gives what `predict` gives, whatever the model is made of."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from manywalks.ensemble.domain import Domain
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.ensemble.model import Ensemble
from manywalks.ensemble.model_file.keras_file import save_keras
from manywalks.ensemble.model_file.keras_stack import FamilyReplicates, describe, stacked_model
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.export.onnx_model import write_onnx
from manywalks.featurize.featurize import featurize
from manywalks.graph_layout import LARGER
from manywalks.params.load import parse_params
from manywalks.params.sections.families import families_of
from manywalks.params.sections.model import NetworkParams
from manywalks.train.keras_engine.model import build
from manywalks.train.prepare import columns_of, with_slots
from manywalks.train.scaling import FeatureScaler
from manywalks.train.targets import TargetStep, TargetTransform
from manywalks.train.union import UnionScaler
from manywalks.train.weights import initial_weights
from tests.conftest import command

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

SMILES = ["C" * (1 + i % 9) + end for i, end in enumerate(["O", "N", "C(=O)O", "c1ccccc1", "Cl"] * 8)]
# what no training molecule is like
STRANGE = ["O=C(O)c1cc(Br)cc2ccccc12", "FC(F)(F)C(F)(F)S(=O)(=O)N", "C[Si](C)(C)C"]
STEPS = (
    TargetStep("a", "standard", mean=-3, sd=2),
    TargetStep("b", "log", mean=0.5, sd=0.4, offset=0.9, clip=3.0),
    TargetStep("c", "normal_scores", knots_z=(-2.0, -0.1, 0.3, 2.0), knots_y=(1.0, 2.0, 5.0, 50.0)),
    TargetStep("d", "none"),
    TargetStep("active", "class"),
    TargetStep("toxic", "class"),
)
CALIBRATIONS = {name: Calibration("regression", 3, residual=0.5, scores=(0.4, 0.9, 1.7)) for name in "abcd"}
CALIBRATIONS["active"] = Calibration("classification", 50, slope=1.4, intercept=-0.3)
CALIBRATIONS["toxic"] = Calibration("classification", 50, knots=((-2.0, 0.1), (0.0, 0.3), (2.0, 0.9)))


FAMILIES = [
    {"name": "both", "blocks": ["morgan_count", "rdkit2d"], "weight": 2, "transform": {"count_scale": 1.0}},
    {"name": "descriptors", "blocks": ["rdkit2d"], "network": {"widths": [5]}},
]


def fresh(network: NetworkParams, width: int, rng: np.random.Generator) -> list[np.ndarray]:
    """A network's first weights."""
    if network.on_graph:
        return build(network, width, 6).get_weights()
    return initial_weights(network, width, 6, rng)


def made(
    folder: Path,
    sections: dict[str, Any],
    replicates: int = 7,
    own_weights: list[tuple[float, ...]] | None = None,
) -> Ensemble:
    """An ensemble of untrained networks."""
    kinds: dict[str, Any] = {name: {} for name in "abcd"}
    kinds |= {name: {"kind": "classification"} for name in ("active", "toxic")}
    params = parse_params(
        {
            "data": {"path": "t.csv", "endpoints": kinds},
            "featurize": {"blocks": [{"kind": "morgan_count", "n_bits": 64}, {"kind": "rdkit2d"}]},
            "network": {"widths": [8, 6]},
        }
        | sections
    )
    raw = featurize(SMILES, params.featurize.blocks)
    transform, rng = TargetTransform(STEPS), np.random.default_rng(1)
    asked = families_of(params)
    scalers = [FeatureScaler.fit(columns_of(raw, one.params), one.params.transform) for one in asked]
    union = UnionScaler(raw.names, tuple(scalers))
    families = []
    for one, scaler, columns in zip(asked, scalers, union.family_columns, strict=True):
        network = with_slots(one.params)
        width = len(scaler.names)
        weights = [
            [w + rng.normal(scale=0.1, size=w.shape).astype(np.float32) for w in drawn]
            for drawn in (fresh(network, width, rng) for _ in range(replicates))
        ]
        if network.normalization == "batch":
            weights = [[np.abs(w) if w.ndim == 1 else w for w in one] for one in weights]
        place = union.names.index(LARGER) if network.on_graph and len(asked) > 1 else None
        weight = own_weights[len(families)] if own_weights else one.weight
        families.append(FamilyReplicates(network, transform, weights, columns, one.name, weight, place))
    how = params.ensemble.average, params.ensemble.class_average
    model = stacked_model(families, *how, n_features=len(union.names))
    save_keras(model, folder / "model.keras", about=describe(families, *how))
    content: dict[str, Any] = {"params": params.model_dump(mode="json"), "replicates": replicates}
    content |= {"confidence": 0.95, "data": {"rev": "v1", "md5": "x"}, "versions": {}}
    predictor = StackedPredictor.load(folder / "model.keras")
    return Ensemble(content, union, predictor, Domain.fit(raw), CALIBRATIONS)


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"network": {"widths": []}},
        *(
            {"network": {"widths": [8, 6], "activation": one}}
            for one in ("relu", "silu", "tanh", "elu", "selu")
        ),
        {"network": {"widths": [8], "normalization": "batch", "activation": "softplus"}},
        {"network": {"widths": [8], "normalization": "none"}},
        {"ensemble": {"average": "median"}},
        {"ensemble": {"average": "trimmed", "class_average": "logit"}},
        {"transform": {"counts": "binary", "descriptors": "standard"}},
        {"transform": {"counts": "none", "descriptors": "none"}},
        {"featurize": {"blocks": [{"kind": "rdkit2d"}]}},
        {"featurize": {"blocks": [{"kind": "morgan_count", "n_bits": 64}]}},
        {"families": FAMILIES},
        {"families": FAMILIES, "ensemble": {"average": "median", "class_average": "logit"}},
    ],
    ids=str,
)
def test_the_graph_gives_what_predict_gives(sections: dict[str, Any], tmp_path: Path) -> None:
    ensemble = made(tmp_path, sections)
    write_onnx(ensemble, tmp_path / "model.onnx")
    raw = featurize([*SMILES, *STRANGE], ensemble.blocks)
    matrix = raw.matrix()
    if "descriptors" not in sections.get("transform", {}):
        matrix[0, -1], matrix[1, -1] = np.nan, np.inf
        raw.dense[: len(raw)] = matrix[:, matrix.shape[1] - raw.dense.shape[1] :]
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    mean, spread = map(np.asarray, session.run(None, {"features": matrix}))
    known = ensemble.predict_features(raw)
    for column, name in enumerate(ensemble.endpoints):
        np.testing.assert_allclose(mean[:, column], known[name], rtol=1e-5, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(
            spread[:, column], known[f"{name}:spread"], rtol=1e-4, atol=1e-5, err_msg=name
        )


@pytest.mark.parametrize("classes", ["probability", "logit"])
def test_weights_of_each_endpoint_are_exported(classes: str, tmp_path: Path) -> None:
    sections = {"families": FAMILIES, "ensemble": {"class_average": classes}}
    first = (0.1, 0.3, 0.5, 0.7, 0.9, 0.6)
    ensemble = made(tmp_path, sections, own_weights=[first, tuple(1 - share for share in first)])
    write_onnx(ensemble, tmp_path / "model.onnx")
    raw = featurize(SMILES, ensemble.blocks)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    mean, _ = map(np.asarray, session.run(None, {"features": raw.matrix()}))
    known, even = ensemble.predict_features(raw), made(tmp_path, sections).predict_features(raw)
    for column, name in enumerate(ensemble.endpoints):
        np.testing.assert_allclose(mean[:, column], known[name], rtol=1e-5, atol=1e-5, err_msg=name)
        assert not np.allclose(known[name], even[name])


@pytest.mark.parametrize("builder", ["relational", "dmpnn"])
@pytest.mark.parametrize("alone", [True, False])
def test_networks_on_molecular_graphs_are_exported(builder: str, alone: bool, tmp_path: Path) -> None:
    network = {"builder": builder, "units": 6, "layers": 2, "widths": [5]}
    if alone:
        slots = {"kind": "graph", "max_atoms": 20, "larger": "reject"}
        sections: dict[str, Any] = {"featurize": {"blocks": [slots]}, "network": network}
    else:  # several of the molecules have more than eight atoms
        blocks = [{"kind": "physchem"}, {"kind": "graph", "max_atoms": 8}]
        graph = {"name": "graph", "blocks": ["graph", "physchem"], "network": network}
        families = [{"name": "dense", "blocks": ["physchem"], "weight": 2}, graph]
        sections = {"featurize": {"blocks": blocks}, "families": families}
    ensemble = made(tmp_path, sections, replicates=3)
    write_onnx(ensemble, tmp_path / "model.onnx")
    raw = featurize([*SMILES, *STRANGE], ensemble.blocks)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    mean, spread = map(np.asarray, session.run(None, {"features": raw.matrix()}))
    known = ensemble.predict_features(raw)
    for column, name in enumerate(ensemble.endpoints):
        np.testing.assert_allclose(mean[:, column], known[name], rtol=1e-4, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(
            spread[:, column], known[f"{name}:spread"], rtol=1e-3, atol=1e-5, err_msg=name
        )


def test_the_graph_says_what_goes_in_and_comes_out(trained: Path, tmp_path: Path) -> None:
    done = command("export", str(trained), "--onnx", str(tmp_path / "model.onnx"))
    assert done.returncode == 0, done.stderr
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    about = session.get_modelmeta().custom_metadata_map
    ensemble = Ensemble.load(trained / "models/ensemble")
    assert json.loads(about["feature_names"]) == list(ensemble.scaler.columns)
    assert json.loads(about["units"]) == ["log10 mol/L"] and json.loads(about["endpoints"]) == ["logS"]
    assert about["data_version"] == ensemble.about["data"]["md5"]
    raw = featurize(SMILES, ensemble.blocks)
    mean, _ = map(np.asarray, session.run(["mean", "spread"], {"features": raw.matrix()}))
    np.testing.assert_allclose(mean[:, 0], ensemble.predict_features(raw)["logS"], rtol=1e-5, atol=1e-5)
