"""Files that params.yaml names are found from the folders that a workspace keeps for other runs."""

import sys
from pathlib import Path

import pytest

from manywalks.params.sections.block_sources import builder_content, homes, located
from manywalks.params.sections.model import FeatureBlock, NetworkParams
from manywalks.train.keras_engine.model import build

NETWORK = """\
import keras


def small(n_features, n_endpoints):
    inputs = keras.Input((n_features,))
    return keras.Model(inputs, keras.layers.Dense(n_endpoints)(inputs))
"""


@pytest.fixture(params=["runs/other-1f", ".manywalks/reproduce/ensemble"])
def beside(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `train --params` or `reproduce` made within a workspace; no module is known yet."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "network_at_home", raising=False)
    folder = tmp_path / "work" / request.param
    folder.mkdir(parents=True)
    for place in (tmp_path, tmp_path / "work", folder):
        (place / "params.yaml").touch()
    return folder


def test_the_workspace_that_a_folder_was_made_for_is_its_home_too(beside: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert homes(beside) == [beside, work]
    assert homes(work) == [work]  # a workspace within another one is no run of it


def test_a_run_beside_takes_networks_functions_and_tables_of_the_workspace(
    beside: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    (work / "network_at_home.py").write_text(NETWORK)
    assert build(NetworkParams(builder="network_at_home:small"), 4, 2, workspace=beside).output_shape == (
        None,
        2,
    )
    (work / "mine.py").touch()
    (work / "v.csv").touch()
    blocks = [
        FeatureBlock.model_validate({"kind": "function", "of": "mine:embed"}),
        FeatureBlock.model_validate({"kind": "table", "path": "v.csv", "key": "smiles"}),
    ]
    function, table = located(blocks, beside)
    assert (function.of, table.path) == (f"{work / 'mine.py'}:embed", str(work / "v.csv"))


def test_a_missing_module_is_asked_for_in_the_workspace(beside: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"put gone.py into {tmp_path / 'work'} or install it"):
        build(NetworkParams(builder="gone:small"), 4, 2, workspace=beside)


def test_a_network_that_changed_is_another_one(beside: Path, tmp_path: Path) -> None:
    module = tmp_path / "work" / "network_at_home.py"
    module.write_text(NETWORK)
    before = builder_content("network_at_home:small", beside)
    module.write_text(NETWORK.replace("n_endpoints)(inputs)", "n_endpoints, use_bias=False)(inputs)"))
    assert None not in (before, after := builder_content("network_at_home:small", beside))
    assert before != after
    assert builder_content("relational", beside) is builder_content(None, beside) is None
