"""The manifest of a model: what is said where there is none."""

from pathlib import Path

import pytest

from manywalks.ensemble import manifest


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
