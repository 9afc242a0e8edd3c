"""Configurations: grids, capacity, equal ones, and what is refused."""

from pathlib import Path

import pytest
import yaml

from manywalks.compare import configurations
from tests.conftest import SMALL


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_settings_make_every_combination(base: Path) -> None:
    found = configurations.read_configurations(
        [base], ["network.dropout=0.1,0.3", "train.learning_rate=1e-3,3e-4"], sweep=False
    )
    assert [one.name for one in found] == [
        "dropout=0.1 learning_rate=0.001", "dropout=0.1 learning_rate=0.0003",
        "dropout=0.3 learning_rate=0.001", "dropout=0.3 learning_rate=0.0003",
    ]  # fmt: skip
    assert [one.params.train.learning_rate for one in found] == [1e-3, 3e-4, 1e-3, 3e-4]
    assert configurations.changes(found)[3] == {"network.dropout": 0.3, "train.learning_rate": 3e-4}


def test_lists_are_values_too(base: Path) -> None:
    found = configurations.read_configurations([base], ["network.widths=[8],[16, 8]"], sweep=False)
    assert [one.params.network.widths for one in found] == [(8,), (16, 8)]


def test_capacity_sweeps_width_and_depth(base: Path) -> None:
    found = configurations.read_configurations([base], [], sweep=True)
    widths = {one.params.network.widths for one in found}
    assert widths == {(w,) * depth for w in configurations.WIDTHS for depth in configurations.DEPTHS}


def test_equal_configurations_get_replicates_of_their_own(base: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.yaml"
    twin.write_text(SMALL, encoding="utf-8")
    found = configurations.read_configurations([base, twin], [], sweep=False)
    assert [(one.name, one.copy) for one in found] == [("base", 0), ("twin", 1)]


def test_configurations_that_differ_in_their_families_are_no_twins(base: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    families = "families: [{name: a, blocks: [morgan_count]}, {name: b, blocks: [physchem]}]\n"
    other.write_text(SMALL + families, encoding="utf-8")
    found = configurations.read_configurations([base, other], [], sweep=False)
    assert [one.copy for one in found] == [0, 0]
    assert not configurations.same_model(found[0].params, found[1].params)
    assert [len(row["families"]) for row in configurations.changes(found)] == [0, 2]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("test: 0.25", "test: 0.3", "split.test"),
        ("unit: log10 mol/L", "unit: mg/L", "data.endpoints.logS.unit"),
        ("path: table.csv", "path: other.csv", "data.path"),
        ("curate: {}", "curate: {stereo: drop}", "curate.stereo"),
    ],
)
def test_other_data_split_or_endpoint_is_refused(
    base: Path, tmp_path: Path, old: str, new: str, key: str
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SMALL.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=f"base and other differ in {key}"):
        configurations.read_configurations([base, other], [], sweep=False)


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("network.dropout", "is not a setting"),
        ("dropout=1", "is not a setting"),
        ("split.test=0.1,0.2", "cannot be compared"),
        ("network.dropuot=0.1,0.2", "unknown key"),
        ("network.dropout=0.1,7", "network.dropout"),
    ],
)
def test_bad_settings_are_refused(base: Path, setting: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        configurations.read_configurations([base], [setting], sweep=False)


def test_one_configuration_is_no_comparison(base: Path) -> None:
    with pytest.raises(ValueError, match="add another file or --set"):
        configurations.read_configurations([base], [], sweep=False)


@pytest.mark.parametrize(("own", "drops_out"), [({}, False), ({"dropout": 0.2}, True)])
def test_dropout_is_a_source_where_a_family_alone_has_it(
    base: Path, own: dict[str, float], drops_out: bool
) -> None:
    raw = yaml.safe_load(SMALL)
    raw["network"]["dropout"] = 0.0
    raw["families"] = [
        {"name": "a", "blocks": ["morgan_count"]},
        {"name": "b", "blocks": ["physchem"], "network": own},
    ]
    base.write_text(yaml.safe_dump(raw), encoding="utf-8")
    studies = configurations.asked_for([base], [], "variance")
    assert any("dropout" in study.vary for study in studies) == drops_out


def test_bagging_is_a_configuration_of_its_own(base: Path) -> None:
    found = configurations.read_configurations(
        [base], ["replicates.rows=all,bootstrap,bootstrap"], sweep=False
    )
    assert [one.name for one in found] == ["rows=all", "rows=bootstrap", "rows=bootstrap #2"]
    assert [one.copy for one in found] == [0, 0, 1]
    assert configurations.changes(found) == [
        {"replicates.rows": rows} for rows in ("all", "bootstrap", "bootstrap")
    ]
    with pytest.raises(ValueError, match=r"replicates\.count cannot be compared"):
        configurations.read_configurations([base], ["replicates.count=4,8"], sweep=False)


def test_sources_of_bagged_replicates_are_refused(base: Path) -> None:
    raw = yaml.safe_load(SMALL)
    raw["replicates"]["rows"] = "bootstrap"
    base.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ValueError, match=r"base\.yaml: replicates\.rows: 'bootstrap' gives each replicate"):
        configurations.asked_for([base], [], "variance")
