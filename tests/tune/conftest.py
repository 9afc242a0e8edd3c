"""A prepared workspace of 160 molecules, and searches in this process."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from manywalks.params.load import Params, parse_params
from manywalks.tasks import compare as train_splits
from manywalks.tasks import curate, featurize
from manywalks.tune.design import Design
from manywalks.tune.history import History
from manywalks.tune.material import Material
from manywalks.tune.search import Search
from manywalks.tune.space.reading import space_of
from manywalks.workspace import Workspace
from tests.conftest import SMALL

SPACE: dict[str, Any] = {
    "network": {"dropout": {"low": 0.0, "high": 0.5}},
    "train": {"learning_rate": {"low": 1e-3, "high": 1e-2, "log": True}},
}
Begin = Callable[..., Search]


@pytest.fixture
def present() -> Params:
    """The parameters of the small workspace."""
    return parse_params(yaml.safe_load(SMALL))


@pytest.fixture(scope="session")
def featurized(tmp_path_factory: pytest.TempPathFactory, demo_table: pd.DataFrame) -> Path:
    """Curated and featurized: copy it."""
    folder = tmp_path_factory.mktemp("featurized")
    demo_table.iloc[::8].to_csv(folder / "table.csv", index=False)
    (folder / "params.yaml").write_text(SMALL, encoding="utf-8")
    with contextlib.chdir(folder):
        curate.run(Workspace.open(folder))
        featurize.run(Workspace.open(folder))
    return folder


@pytest.fixture
def begin(featurized: Path, tmp_path: Path) -> Begin:
    """Begin a search in a workspace, or go on with it: `begin(trials=3)`."""
    folder = tmp_path / "workspace"
    shutil.copytree(featurized, folder)

    def started(sections: dict[str, Any] = SPACE, **design: Any) -> Search:
        workspace = Workspace.open(folder)
        material = Material(workspace, workspace, Design(**{"trials": 3, "replicates": 2, **design}))
        history = History(folder / ".manywalks/tune/search-1", 7, design.get("cost"))
        return Search(material, space_of(sections, workspace.params, "space.yaml"), history)

    return started


@pytest.fixture
def train(tmp_path: Path) -> Callable[[Any], None]:
    """Train a share in this process."""

    def run(share: Any) -> None:
        train_splits.run(Workspace.open(tmp_path / "workspace"), *share.arguments[1:])

    return run
