"""What `predict` says of a list besides its statement."""

from pathlib import Path
from typing import Any

import pytest

from manywalks import files
from manywalks.ensemble.companions import companions_of
from manywalks.ensemble.reports_beside import metrics_beside, workspace_of
from manywalks.predict.list_summary import not_to_trust

FEW = {"kind": "classification", "n_test": 40, "n_valid": 9}


def test_what_train_said_of_a_calibration_is_said_again_once_for_its_endpoints() -> None:
    many = FEW | {"n_valid": 200}
    assert not_to_trust({"a": FEW, "b": many, "c": FEW}) == [
        "a, c: Only 9 valid molecules: do not trust the probabilities, which are calibrated on them."
    ]
    former: dict[str, Any] = {"kind": "regression", "n_test": 3}
    assert not_to_trust({"a": former}) == []


def about(replicates: int = 8) -> dict[str, Any]:
    return {"replicates": replicates, "params": {"data": {"endpoints": {"a": {}}}}}


def test_scores_are_those_of_the_model(tmp_path: Path) -> None:
    """Of its workspace, where the reports are of that model; else beside it, as an archive has them."""
    model = tmp_path / "models/ensemble"
    model.mkdir(parents=True)
    files.write_json(tmp_path / "reports/metrics.json", {"a": FEW})
    files.write_json(tmp_path / "reports/statement.json", {"a": {"replicates": 8}})
    assert metrics_beside(model, about()) == {}
    (tmp_path / "params.yaml").touch()
    assert metrics_beside(model, about()) == {"a": FEW}
    assert metrics_beside(model, about(12)) == {}
    files.write_json(tmp_path / "model.zip-unpacked/metrics.json", {"a": FEW})
    (tmp_path / "model.zip-unpacked/model").mkdir()
    assert metrics_beside(tmp_path / "model.zip-unpacked/model", about(12)) == {"a": FEW}


@pytest.mark.parametrize("content", ['{"accuracy": 0.9}', '{"a": 0.9}', "[1, 2]", "null", "{"])
def test_a_file_of_another_program_beside_a_model_tells_nothing_of_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "model").mkdir()
    for name in ("metrics.json", "statement.json"):
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert metrics_beside(tmp_path / "model", about()) == {}
    known = companions_of(tmp_path / "model", about())
    assert (known.metrics, known.statement) == ({}, {})


def test_a_model_may_lie_at_the_root() -> None:
    """As in a container: docker run -v "$PWD/models/ensemble:/model"."""
    assert workspace_of(Path("/model")) is None
    assert metrics_beside(Path("/model"), about()) == {}
