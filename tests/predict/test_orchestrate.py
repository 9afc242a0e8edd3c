"""Where a model predicts is said by the manywalks workspace that it lies in, and by no other tool."""

from pathlib import Path

import pytest

from manywalks.params.sections.run import OrchestrateParams
from manywalks.predict.runner import orchestrate_of

OURS = "data: {path: t.csv, endpoints: {y: {}}}\norchestrate: {cores: 1}\n"


@pytest.mark.parametrize("content", ["train:\n  lr: 0.1\n", "data:\n  path: images\n", "- 1\n", ":\n\t- ["])
def test_another_tools_params_say_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "params.yaml").write_text(content, encoding="utf-8")
    assert orchestrate_of(tmp_path / "models/ensemble") == OrchestrateParams()


def test_the_workspace_above_says_it(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(OURS, encoding="utf-8")
    assert orchestrate_of(tmp_path / "models/ensemble").cores == 1
