"""What `predict` says of a list besides its statement."""

from pathlib import Path
from typing import Any

from manywalks import files
from manywalks.ensemble.reports_beside import metrics_beside
from manywalks.predict.list_summary import not_to_trust

FEW = {"kind": "classification", "n_test": 40, "n_valid": 9}


def test_what_train_said_of_a_calibration_is_said_again_once_for_its_endpoints() -> None:
    many = FEW | {"n_valid": 200}
    assert not_to_trust({"a": FEW, "b": many, "c": FEW}) == [
        "a, c: Only 9 valid molecules: do not trust the probabilities, which are calibrated on them."
    ]
    former: dict[str, Any] = {"kind": "regression", "n_test": 3}
    assert not_to_trust({"a": former}) == []


def test_scores_are_those_of_the_model(tmp_path: Path) -> None:
    """Of its workspace, where the reports are of that model; else beside it, as an archive has them."""
    model = tmp_path / "models/ensemble"
    model.mkdir(parents=True)
    files.write_json(tmp_path / "reports/metrics.json", {"a": FEW})
    files.write_json(tmp_path / "reports/statement.json", {"a": {"replicates": 8}})
    assert metrics_beside(model, {"replicates": 8}) == {}
    (tmp_path / "params.yaml").touch()
    assert metrics_beside(model, {"replicates": 8}) == {"a": FEW}
    assert metrics_beside(model, {"replicates": 12}) == {}
    files.write_json(tmp_path / "model.zip-unpacked/metrics.json", {"a": FEW})
    (tmp_path / "model.zip-unpacked/model").mkdir()
    assert metrics_beside(tmp_path / "model.zip-unpacked/model", {"replicates": 12}) == {"a": FEW}
