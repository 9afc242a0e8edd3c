"""params.tuned.yaml: the winner's values, and all else as the user wrote it."""

import difflib
from pathlib import Path

import pytest
import yaml

from manywalks.params.load import Params, load_params, parse_params
from manywalks.params.presets import with_preset
from manywalks.params.render import render
from manywalks.tune.space.default_space import default_space
from manywalks.tune.space.edits import edited
from manywalks.tune.space.written import HEAD, earlier, train_command, tuned_text, write_tuned
from tests.conftest import SMALL

OWN = SMALL.replace("network: {", "# how wide?\nnetwork: {").replace("cores: 2}", "cores: 2}  # leave some")


def test_comments_stay_and_values_are_the_tuned_ones(present: Params) -> None:
    tuned = default_space(present).params({"network.dropout": 0.25, "train.learning_rate": 0.003})
    text = tuned_text(OWN, tuned, HEAD)
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
    assert parse_params(yaml.safe_load(tuned_text(SMALL, tuned, HEAD))) == tuned


def test_families_keep_their_comments(present: Params) -> None:
    mixed = with_preset(present)
    text = render(mixed).replace("  - name: paths", "  - name: paths  # mine")
    tuned = default_space(mixed).params({"families.paths.weight": 2.5, "featurize.blocks.erg.use": False})
    found = tuned_text(text, tuned, HEAD)
    assert "# mine" in found
    assert parse_params(yaml.safe_load(found)) == tuned
    out = default_space(mixed).params({"families.paths.use": False})
    assert parse_params(yaml.safe_load(tuned_text(text, out, HEAD))) == out


def test_the_file_is_read_as_params(tmp_path: Path, present: Params) -> None:
    (tmp_path / "params.yaml").write_text(OWN, encoding="utf-8")
    tuned = default_space(present).params({"train.weight_decay": 0.002})
    write_tuned(tmp_path / "params.yaml", tuned, tmp_path / "params.tuned.yaml", HEAD)
    assert load_params(tmp_path / "params.tuned.yaml") == tuned


def changed(before: str, after: str) -> list[str]:
    """Lines that differ, the first one (who wrote it) left out."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines()[1:])
    return [line for line in lines if line[0] in "+-"]


def test_nothing_but_the_tuned_values_is_changed(present: Params) -> None:
    """Lines that say null, blank lines, columns of comments, and blocks that are no graph."""
    mixed = with_preset(present)
    text = render(mixed)
    tuned = default_space(mixed).params({"featurize.blocks.erg.use": False, "train.learning_rate": 0.0025})
    found = changed(text, tuned_text(text, tuned, HEAD))
    family = next(one for one in mixed.families if "erg" in one.blocks)
    blocks = ", ".join(family.blocks)
    assert [line for line in found if "learning_rate" not in line] == [
        "-     - kind: erg",
        f"-     blocks: [{blocks}]",
        f"+     blocks: [{blocks.replace('erg, ', '')}]",
    ]
    was, now = (line[1:] for line in found if "learning_rate" in line)
    assert now == was.replace("0.001 ", "0.0025")


def test_a_key_that_a_family_lacks_is_added_below_its_last_one(present: Params) -> None:
    mixed = with_preset(present)
    text = render(mixed)
    tuned = default_space(mixed).params({"families.paths.weight": 2.7})
    assert changed(text, tuned_text(text, tuned, HEAD)) == ["+     weight: 2.7"]
    assert "    weight: 2.7\n\nweights:" in tuned_text(text, tuned, HEAD)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("train: {epochs: 4, batch_size: 32}", "train: {epochs: 4, batch_size: 32, weight_decay: 0.5}"),
        (
            "train:\n  epochs: 4\n  batch_size: 32",
            "train:\n  epochs: 4\n  batch_size: 32\n  weight_decay: 0.5",
        ),
        ("train: {}", "train: {weight_decay: 0.5}"),
        ("train:\n  weight_decay: 1e-3\n", "train:\n  weight_decay: 0.5\n"),
        ("train:\n  weight_decay:  0.1  # mine", "train:\n  weight_decay:  0.5  # mine"),
        ("# no section", "# no section"),
    ],
)
def test_a_value_is_set_in_whatever_style_it_is_written(before: str, after: str) -> None:
    text = SMALL.replace("train: {epochs: 4, batch_size: 32}", before)
    present = parse_params(yaml.safe_load(text.replace("1e-3", "0.001")))
    tuned = present.model_copy(update={"train": present.train.model_copy(update={"weight_decay": 0.5})})
    found = tuned_text(text, tuned, HEAD)
    assert after in found
    assert parse_params(yaml.safe_load(found)) == tuned


@pytest.mark.parametrize(
    ("kept", "expected"),
    [([0], "[{kind: a}]"), ([1], "[{kind: b}]"), ([2], "[{kind: c}]"), ([0, 2], "[{kind: a}, {kind: c}]")],
)
def test_items_of_a_list_in_one_line_go_with_their_commas(kept: list[int], expected: str) -> None:
    items = [{"kind": name} for name in "abc"]
    text = "blocks: [{kind: a}, {kind: b}, {kind: c}]  # three"
    after = {"blocks": [items[n] for n in kept]}
    assert edited(text, {"blocks": items}, after) == f"blocks: {expected}  # three"


def test_a_value_that_an_anchor_shares_is_written_anew(present: Params) -> None:
    text = SMALL.replace("[16, 8]", "&w [16, 8]").replace("report: {}", "report: {title: &t mine, owner: *t}")
    tuned = default_space(present).params({"network.widths": [64, 32]})
    report = parse_params(yaml.safe_load(text)).report
    tuned = tuned.model_copy(update={"report": report})
    assert parse_params(yaml.safe_load(tuned_text(text, tuned, HEAD))) == tuned


@pytest.mark.parametrize(
    ("root", "command"),
    [
        ("/a", "manywalks train --params params.tuned.yaml"),
        ("/a/my assay", "manywalks train --workspace 'my assay' --params 'my assay/params.tuned.yaml'"),
        ("/a/b/c", "manywalks train --workspace b/c --params b/c/params.tuned.yaml"),
        ("/d", "manywalks train --workspace /d --params /d/params.tuned.yaml"),
    ],
)
def test_the_next_command_fits_the_folder_that_the_user_is_in(root: str, command: str) -> None:
    assert train_command(Path(root), Path("/a")) == command


def test_an_earlier_file_says_of_which_search_it_is(tmp_path: Path) -> None:
    target = tmp_path / "params.tuned.yaml"
    assert earlier(target) is None
    target.write_text(f"# {HEAD} (search 3, trial 5, gain +0.1). Next: manywalks train\ndata: {{}}\n")
    assert earlier(target) == "search 3, trial 5, gain +0.1"
    target.write_text("data: {}\n")
    assert earlier(target) == ""
