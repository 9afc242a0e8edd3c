"""Workspaces and searches in this process, for the scripts of this folder."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from manywalks.params.load import Params
from manywalks.params.render import render
from manywalks.tasks import compare as train_splits
from manywalks.tasks import curate, featurize
from manywalks.tune.design import Design
from manywalks.tune.history import History
from manywalks.tune.material import Material
from manywalks.tune.result import result
from manywalks.tune.running import run_here
from manywalks.tune.search import Search
from manywalks.tune.space.default_space import default_space
from manywalks.tune.space.reading import space_of
from manywalks.tune.verdict import Contest
from manywalks.workspace import Workspace


def prepared(folder: Path, params: Params, rows: pd.DataFrame) -> Workspace:
    """A workspace with these molecules, curated and featurized."""
    rows.to_csv(folder / params.data.path, index=False)
    (folder / "params.yaml").write_text(render(params), encoding="utf-8")
    workspace = Workspace.open(folder)
    with quiet(folder):
        curate.run(workspace)
        featurize.run(workspace)
    return workspace


@contextlib.contextmanager
def quiet(folder: Path) -> Iterator[None]:
    """Work in a folder without progress on the screen."""
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(None),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        yield


def searched(workspace: Workspace, space: dict[str, Any] | None, design: Design) -> dict[str, Any]:
    """A search in this process, with its verdict: as tune.json has it. A former one of it goes on."""
    params, train = workspace.params, lambda share: train_splits.run(workspace, *share.arguments[1:])
    asked = default_space(params) if space is None else space_of(space, params, "space")
    history = History(workspace.state / "tune/search-1", params.replicates.seed)
    with quiet(workspace.root):
        made = Search(Material(workspace, workspace, design), asked, history)
        run_here(made, train)
        contest = Contest.of(made)
        for one in [] if contest is None else contest.shares(1):
            train(one)
        return result(made, None if contest is None else contest.result())
