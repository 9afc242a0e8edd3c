"""An ensemble in use: one row per molecule, whatever the molecules are."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from manywalks.ensemble.domain import Domain
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.ensemble.model import Ensemble
from manywalks.ensemble.model_file.keras_file import save_keras
from manywalks.ensemble.model_file.keras_stack import FamilyReplicates, describe, stacked_model
from manywalks.ensemble.predictor import StackedPredictor
from manywalks.featurize.featurize import featurize
from manywalks.params.load import parse_params
from manywalks.train.scaling import FeatureScaler
from manywalks.train.targets import TargetStep, TargetTransform
from manywalks.train.union import UnionScaler
from manywalks.train.weights import initial_weights

# Keras 3.15 copies TensorFlow variables in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

SMILES = ["C" * (1 + i % 9) + end for i, end in enumerate(["O", "N", "C(=O)O", "c1ccccc1", "Cl"] * 8)]
REPLICATES = 40


@pytest.fixture(scope="module", params=[(8,), ()], ids=["a hidden layer", "linear"])
def ensemble(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    """Untrained networks: what is tested is how they are put to use."""
    params = parse_params(
        {
            "data": {"path": "t.csv", "endpoints": {"logS": {}, "active": {"kind": "classification"}}},
            "featurize": {"blocks": [{"kind": "morgan_count", "n_bits": 64}, {"kind": "physchem"}]},
            "network": {"widths": request.param},
        }
    )
    path: Path = tmp_path_factory.mktemp("model") / "model.keras"
    raw = featurize(SMILES, params.featurize.blocks)
    scaler = FeatureScaler.fit(raw, params.transform)
    transform = TargetTransform(
        (TargetStep("logS", "standard", mean=-3, sd=2), TargetStep("active", "class"))
    )
    rng = np.random.default_rng(1)
    weights = [initial_weights(params.network, len(scaler.names), 2, rng) for _ in range(REPLICATES)]
    families = [FamilyReplicates(params.network, transform, weights)]
    save_keras(stacked_model(families), path, about=describe(families))
    calibrations = {
        "logS": Calibration("regression", 3, residual=0.5, scores=(0.4, 0.9, 1.7)),
        "active": Calibration("classification", 50, knots=((-2.0, 0.1), (0.0, 0.3), (2.0, 0.9))),
    }
    content: dict[str, Any] = {"params": params.model_dump(mode="json"), "replicates": REPLICATES}
    content["confidence"] = params.replicates.confidence
    return Ensemble(
        content, UnionScaler.of_one(scaler), StackedPredictor.load(path), Domain.fit(raw), calibrations
    )


def test_a_row_a_smiles_in_the_order_given(ensemble: Ensemble) -> None:
    given = ["CCO", "not one", "c1ccccc1O", "CCO"]
    found = ensemble.predict(given, cores=1)
    assert found["smiles"].tolist() == given
    assert (found["rejected"] != "").tolist() == [False, True, False, False]
    assert found["logS"].isna().tolist() == [False, True, False, False]
    assert found["logS"].to_list()[0] == found["logS"].to_list()[3]
    assert found["active:decision"].dtype == "Int8"
    assert found["active:decision"].isna().tolist() == [False, True, False, False]


@pytest.mark.parametrize("given", [[], ["not one", ""]], ids=["none", "none valid"])
def test_no_valid_molecule_gives_the_same_columns_without_values(
    ensemble: Ensemble, given: list[str]
) -> None:
    found, one = ensemble.predict(given, cores=1), ensemble.predict(["CCO"], cores=1)
    assert list(found.columns) == list(one.columns)
    assert found.dtypes[found.dtypes != one.dtypes].to_dict() == (
        {"in_domain": np.dtype(object)} if given else {}  # yes, no, or nothing
    )
    assert len(found) == len(given)
    assert found["logS"].isna().to_numpy().all()
    assert (found["rejected"].to_numpy() != "").all()


def test_a_class_has_the_range_of_its_replicates_calibrated_probabilities(ensemble: Ensemble) -> None:
    found = ensemble.predict(SMILES, cores=1)
    unique = ensemble.predict(SMILES, cores=1).drop_duplicates("standardized")
    replicates = ensemble.predictor.predict(
        ensemble.scaler.transform(featurize(unique["standardized"].tolist(), _blocks(ensemble)))
    )[:, :, 1]
    calibrated = ensemble.calibrations["active"].probability(replicates)
    inside = (calibrated >= unique["active:low"].to_numpy()) & (
        calibrated <= unique["active:high"].to_numpy()
    )
    np.testing.assert_allclose(inside.mean(axis=0), 0.9, atol=0.051)
    assert found["active"].between(0.1, 0.9).to_numpy().all()  # the ends of the curve
    np.testing.assert_allclose(
        unique["active"], ensemble.calibrations["active"].probability(replicates.astype(float).mean(axis=0))
    )


def test_the_spread_of_a_class_is_on_the_scale_of_its_probability(ensemble: Ensemble) -> None:
    found = ensemble.predict(SMILES[:7], cores=1)
    raw = featurize(found["standardized"].tolist(), _blocks(ensemble))
    replicates = ensemble.predictor.predict(ensemble.scaler.transform(raw))[:, :, 1].astype(float)
    calibrated = ensemble.calibrations["active"].probability(replicates)
    np.testing.assert_allclose(found["active:spread"], calibrated.std(axis=0, ddof=1), rtol=1e-5)


def _blocks(ensemble: Ensemble) -> Any:
    """The model's featurizers."""
    return parse_params(ensemble.about["params"]).featurize.blocks


def test_one_smiles_is_one_molecule(ensemble: Ensemble) -> None:
    assert ensemble.predict("CCO", cores=1)["standardized"].tolist() == ["CCO"]


def test_a_missing_value_is_a_rejected_row(ensemble: Ensemble) -> None:
    found = ensemble.predict(pd.Series(["CCO", np.nan, None, pd.NA]), cores=1)
    assert found["rejected"].tolist() == ["", *["empty: the cell is empty"] * 3]


@pytest.mark.parametrize("form", ["list", "generator", "array", "frame", "RDKit"])
def test_molecules_may_come_in_any_form(ensemble: Ensemble, form: str) -> None:
    texts = ["CCO", "CCN"]
    given = {
        "list": texts,
        "generator": iter(texts),
        "array": np.array(texts),
        "frame": pd.DataFrame({"y": [1, 2], "SMILES": texts}),
        "RDKit": [Chem.MolFromSmiles(text) for text in texts],
    }
    assert ensemble.predict(given[form], cores=1)["standardized"].tolist() == texts


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "3 is no molecule"),
        ([3], "row 1: 3 is neither a SMILES nor an RDKit molecule"),
        (pd.DataFrame({"a": ["CCO"]}), "the frame has no column"),
    ],
    ids=["a number", "a number in a list", "a frame without SMILES"],
)
def test_what_is_no_molecule_is_refused(ensemble: Ensemble, given: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ensemble.predict(given, cores=1)


def test_it_shows_itself_in_five_lines(ensemble: Ensemble) -> None:
    trained = dataclasses.replace(ensemble, about=ensemble.about | {"data": {"path": "a.csv", "rows": 9}})
    assert len(repr(trained).splitlines()) == 5
    assert f"replicates {REPLICATES}" in repr(trained)
    assert trained._repr_html_().startswith("<table>")
