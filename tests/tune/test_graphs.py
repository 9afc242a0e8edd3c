"""Searches where a family is a network on graphs."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from manywalks.params.load import Params, parse_params
from manywalks.params.render import render
from manywalks.tasks import compare as train_splits
from manywalks.tasks import curate, featurize
from manywalks.tune.design import Design
from manywalks.tune.history import History
from manywalks.tune.material import Material
from manywalks.tune.running import run_here
from manywalks.tune.search import Search
from manywalks.tune.space.default_space import default_sections, default_space
from manywalks.tune.space.reading import space_of
from manywalks.workspace import Workspace
from tests.conftest import SMALL

GRAPH = {
    "featurize": {"blocks": [{"kind": "physchem"}, {"kind": "graph", "max_atoms": 24}]},
    "families": [
        {
            "name": "graph",
            "blocks": ["graph"],
            "network": {"builder": "relational", "units": 8, "layers": 1, "widths": [8]},
        },
        {"name": "plain", "blocks": ["physchem"]},
    ],
    "train": {"epochs": 2, "batch_size": 32},
}


@pytest.fixture
def present() -> Params:
    """A network on graphs first, and one for the molecules that are too large for it."""
    return parse_params({**yaml.safe_load(SMALL), **GRAPH})


def test_every_draw_of_the_default_space_is_accepted(present: Params) -> None:
    space = default_space(present)
    assert not any("graph" in key.name and key.name.endswith("use") for key in space.keys)
    assert "families.plain.use" not in [key.name for key in space.keys]
    for place in (0, -1):
        space.params({key.name: key.ends[place] for key in space.keys})


def test_the_default_space_leaves_a_graph_in_its_family(present: Params) -> None:
    blocks = default_sections(present)["featurize"]["blocks"]
    assert all("use" not in block for block in blocks if block["kind"] == "graph")


def test_other_blocks_beside_a_graph_are_refused_with_a_remedy(present: Params) -> None:
    sections = {"featurize": {"blocks": [{"kind": "physchem"}, {"kind": "graph", "max_atoms": [24, 30]}]}}
    with pytest.raises(ValueError, match=r"s\.yaml: featurize\.blocks\.graph\.max_atoms: settings of blocks"):
        space_of(sections, present, "s.yaml")


def test_values_that_are_not_accepted_together_are_a_failed_trial(
    begin: Callable[..., Search], monkeypatch: pytest.MonkeyPatch, train: Callable[[Any], None]
) -> None:
    search = begin(trials=2)
    for share in search.present_shares():
        train(share)
    search.begin()
    params = search.space.params

    def refusing(values: Any) -> Params:
        if len(search.trials) == 1:
            raise ValueError("families: no family is left; add one")
        return params(values)

    monkeypatch.setattr(type(search.space), "params", lambda _, values: refusing(values))
    number = search.ask()
    first = min(search.trials)
    assert number is not None and number != first
    assert (search.trials[first].state, search.trials[first].reason[:22]) == (
        "failed",
        "families: no family is",
    )
    again = begin(trials=2)
    again.begin()
    assert again.trials[first].state == "failed"


@pytest.mark.long
def test_a_search_with_a_network_on_graphs_runs(
    present: Params, demo_table: pd.DataFrame, tmp_path: Path
) -> None:
    demo_table.iloc[::8].to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "params.yaml").write_text(render(present), encoding="utf-8")
    workspace = Workspace.open(tmp_path)
    with contextlib.chdir(tmp_path):
        curate.run(workspace)
        featurize.run(workspace)
        search = Search(
            Material(workspace, workspace, Design(trials=1, replicates=2)),
            default_space(workspace.params),
            History(tmp_path / ".manywalks/tune/search-1", 3),
        )
        run_here(search, lambda share: train_splits.run(workspace, *share.arguments[1:]))
    assert {trial.state for trial in search.trials.values()} <= {"done", "beaten"}
    assert len(search.gains()) == 1
