"""The manifest of a model: what is said where there is none."""

from pathlib import Path
from typing import Any

import pytest

from manywalks.ensemble import manifest
from manywalks.params.load import parse_params
from manywalks.predict.runner import early_workers


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="gone: no such folder; `manywalks train` makes a model"):
        manifest.read(tmp_path / "gone")


def test_a_workspace_is_told_from_its_model(tmp_path: Path) -> None:
    manifest.write(tmp_path / "models/ensemble", {})
    with pytest.raises(ValueError, match=f"name the folder {tmp_path / 'models/ensemble'}$"):
        manifest.read(tmp_path)


def test_a_zip_where_a_folder_is_needed_is_told_from_one(tmp_path: Path) -> None:
    (tmp_path / "model.zip").write_bytes(b"PK")
    with pytest.raises(
        ValueError, match=r"model\.zip: is a file.* unpack it, and name the folder model in it"
    ):
        manifest.read(tmp_path / "model.zip")


def params_of_a_model() -> dict[str, Any]:
    """The parameters that a manifest holds."""
    return parse_params({"data": {"path": "t.csv", "endpoints": {"logS": {}}}}).model_dump(mode="json")


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("curate", "ions", "keep", "params.curate.ions: unknown key"),
        ("ensemble", "average", "mode", "params.ensemble.average: 'mode' is unknown"),
    ],
)
def test_a_setting_of_a_newer_version_is_named_with_both_versions(
    tmp_path: Path, section: str, key: str, value: str, said: str
) -> None:
    params = params_of_a_model()
    params[section][key] = value
    versions = manifest.versions() | {"manywalks": "99.0"}
    made = {"params": params, "feature_names": [], "calibration": {}, "versions": versions}
    manifest.write(tmp_path, made)
    here = manifest.versions()["manywalks"]
    with pytest.raises(ValueError) as refused:
        manifest.read(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / 'manifest.json'}: {said}; the model was made by manywalks 99.0, this is {here}: "
        "install manywalks 99.0 or train again"
    )
    # the command starts workers before it reads the model: they shall not stand in the way of that line
    with early_workers(tmp_path, tmp_path) as workers:
        assert (workers is None) == (section == "curate")


def test_a_model_of_this_version_is_read(tmp_path: Path) -> None:
    made = {"feature_names": [], "calibration": {}, "versions": manifest.versions()}
    manifest.write(tmp_path, made | {"params": params_of_a_model()})
    assert manifest.read(tmp_path)["params"] == params_of_a_model()
