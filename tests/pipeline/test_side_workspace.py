"""Parameters other than the workspace's own."""

from pathlib import Path

import pytest

from manywalks.params.load import parse_params
from manywalks.pipeline.side_workspace import other_table
from manywalks.workspace import Workspace


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ("a.csv", ""),
        ("sub/../a.csv", ""),
        ("b.csv", "note: this file's table is b.csv; the workspace's params.yaml has a.csv"),
        ("sub/a.csv", "note: this file's table is {0}/sub/a.csv; the workspace's params.yaml has {0}/a.csv"),
    ],
)
def test_another_table_is_said(tmp_path: Path, given: str, note: str) -> None:
    (tmp_path / "params.yaml").write_text("data: {path: a.csv, endpoints: {y: {}}}", encoding="utf-8")
    params = parse_params({"data": {"path": given, "endpoints": {"y": {}}}})
    workspace = Workspace.open(tmp_path)
    assert other_table(workspace, params) == note.format(workspace.root)
