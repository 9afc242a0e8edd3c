"""params.tuned.yaml: the winner's values, and all else as the user wrote it."""

from pathlib import Path

import pytest
import yaml

from manywalks.params.load import Params, load_params, parse_params
from manywalks.params.presets import with_preset
from manywalks.params.render import render
from manywalks.tune.space.default_space import default_space
from manywalks.tune.space.written import tuned_text, write_tuned
from tests.conftest import SMALL

OWN = SMALL.replace("network: {", "# how wide?\nnetwork: {").replace("cores: 2}", "cores: 2}  # leave some")


def test_comments_stay_and_values_are_the_tuned_ones(present: Params) -> None:
    tuned = default_space(present).params({"network.dropout": 0.25, "train.learning_rate": 0.003})
    text = tuned_text(OWN, tuned)
    assert "# how wide?" in text and "# leave some" in text
    assert parse_params(yaml.safe_load(text)) == tuned


@pytest.mark.parametrize(
    "values",
    [
        {"featurize.blocks.physchem.use": False},
        {"network.widths": [64, 32], "train.epochs": 9, "transform.targets": "standard"},
    ],
)
def test_lists_lose_what_is_out(present: Params, values: dict) -> None:
    tuned = default_space(present).params(values)
    assert parse_params(yaml.safe_load(tuned_text(SMALL, tuned))) == tuned


def test_families_keep_their_comments(present: Params) -> None:
    mixed = with_preset(present)
    text = render(mixed).replace("  - name: paths", "  - name: paths  # mine")
    tuned = default_space(mixed).params({"families.paths.weight": 2.5, "featurize.blocks.erg.use": False})
    found = tuned_text(text, tuned)
    assert "# mine" in found
    assert parse_params(yaml.safe_load(found)) == tuned
    out = default_space(mixed).params({"families.paths.use": False})
    assert parse_params(yaml.safe_load(tuned_text(text, out))) == out


def test_the_file_is_read_as_params(tmp_path: Path, present: Params) -> None:
    (tmp_path / "params.yaml").write_text(OWN, encoding="utf-8")
    tuned = default_space(present).params({"train.weight_decay": 0.002})
    write_tuned(tmp_path / "params.yaml", tuned, tmp_path / "params.tuned.yaml")
    assert load_params(tmp_path / "params.tuned.yaml") == tuned
