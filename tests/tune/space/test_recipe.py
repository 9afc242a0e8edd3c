"""What begins a search, what goes on with one, and what is said where neither can be."""

from pathlib import Path

import pytest

from manywalks.params.load import Params
from manywalks.tune.space.recipe import keep, open_search
from manywalks.workspace import Workspace
from tests.conftest import SMALL

AGAIN = "run without --continue to begin a new search"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace without a search."""
    (tmp_path / "params.yaml").write_text(SMALL, encoding="utf-8")
    return Workspace.open(tmp_path)


def test_a_space_that_is_no_file_says_how_to_make_one(workspace: Workspace) -> None:
    said = (
        "--space no there.yaml: no such file; make one with `manywalks tune --show-space > 'no there.yaml'`"
    )
    with pytest.raises(ValueError, match=f"^{said}$"):
        open_search(workspace, Path("no there.yaml"), resume=False)


def test_there_must_be_a_search_to_go_on_with(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match=r"run without --continue to begin one$"):
        open_search(workspace, None, resume=True)


def test_a_search_does_not_go_on_with_other_settings(workspace: Workspace, present: Params) -> None:
    table = workspace.root / "table.csv"
    table.write_text("a", encoding="utf-8")
    keep(open_search(workspace, None, resume=False), present, table)
    other = SMALL.replace("dropout: 0.1", "dropout: 0.2")
    workspace.params_file.write_text(other, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"network in params.yaml has changed since .*; {AGAIN}$"):
        open_search(Workspace.open(workspace.root), None, resume=True)


def test_a_search_does_not_go_on_with_other_molecules(workspace: Workspace, present: Params) -> None:
    table = workspace.root / "table.csv"
    table.write_text("a", encoding="utf-8")
    keep(open_search(workspace, None, resume=False), present, table)
    table.write_text("b", encoding="utf-8")
    with pytest.raises(ValueError, match=f"the table has changed since the last search; {AGAIN}$"):
        keep(open_search(workspace, None, resume=True), present, table)
