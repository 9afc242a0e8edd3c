"""What space.yaml may say, what it makes, and what it is told where it is wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from manywalks.params.load import Params
from manywalks.params.presets import with_preset
from manywalks.tune.space.default_space import default_sections, default_space, space_text
from manywalks.tune.space.keys import Key
from manywalks.tune.space.reading import load_space, space_of
from manywalks.tune.space.space import Space


@pytest.fixture
def mixed(present: Params) -> Params:
    """Parameters with two families."""
    return with_preset(present)


@pytest.fixture
def graphs(present: Params) -> Params:
    """Parameters with a family on graphs too."""
    return with_preset(present, "best")


def drawn(space: Space, seed: int) -> dict[str, Any]:
    """Values drawn evenly."""
    rng = np.random.default_rng(seed)

    def suggest(key: Key) -> Any:
        return key.drawn(key.ends[rng.integers(len(key.ends))])

    return space.draw(suggest)


def test_lists_are_choices_and_ends_are_ranges(present: Params) -> None:
    space = space_of(
        {"network": {"dropout": {"low": 0.1, "high": 0.5}}, "train": {"batch_size": [16, 64], "epochs": 9}},
        present,
        "space.yaml",
    )
    assert [(key.name, key.ends) for key in space.keys] == [
        ("network.dropout", (0.1, 0.5)),
        ("train.batch_size", (16, 64)),
    ]
    made = space.params({"network.dropout": 0.3, "train.batch_size": 16})
    assert (made.network.dropout, made.train.batch_size, made.train.epochs) == (0.3, 16, 9)


def test_a_list_of_numbers_is_a_value_where_the_key_is_a_list(present: Params) -> None:
    sections = {"network": {"widths": [32, 16], "dropout": [0.1, 0.2]}}
    assert [key.name for key in space_of(sections, present, "s").keys] == ["network.dropout"]
    assert space_of(sections, present, "s").params({}).network.widths == (32, 16)
    choices = space_of({"network": {"widths": [[8], [32, 16]]}}, present, "s").keys[0].ends
    assert choices == ([8], [32, 16])


def test_whole_numbers_stay_whole(present: Params) -> None:
    (key,) = space_of({"train": {"epochs": {"low": 2, "high": 20}}}, present, "s").keys
    assert key.whole
    (key,) = space_of({"network": {"dropout": {"low": 0, "high": 0.5}}}, present, "s").keys
    assert not key.whole


def test_numbers_written_with_an_exponent_are_numbers(tmp_path: Path, present: Params) -> None:
    path = tmp_path / "space.yaml"
    path.write_text("train: {learning_rate: [1e-3, 3e-3], weight_decay: {low: 1e-6, high: 1e-2, log: true}}")
    rate, decay = load_space(path, present).keys
    assert rate.ends == (0.001, 0.003)
    assert decay.ends == (1e-6, 1e-2)


def test_weights_of_families_are_a_word_that_every_trial_follows(tmp_path: Path, mixed: Params) -> None:
    path = tmp_path / "space.yaml"
    path.write_text("weights: out_of_fold\nnetwork: {dropout: {low: 0.1, high: 0.5}}\n", encoding="utf-8")
    assert load_space(path, mixed).params({"network.dropout": 0.2}).weights == "out_of_fold"
    path.write_text("weights: {choices: [given, out_of_fold]}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="weights: cannot be searched"):
        load_space(path, mixed)


def test_a_condition_decides_whether_a_key_is_drawn(present: Params) -> None:
    decay = {"low": 1e-5, "high": 1e-2, "log": True, "when": {"train.optimizer": "adamw"}}
    sections = {"train": {"weight_decay": decay, "optimizer": ["adam", "adamw"]}}
    space = space_of(sections, present, "s")
    seen = [drawn(space, seed) for seed in range(20)]
    assert {one["train.optimizer"] for one in seen} == {"adam", "adamw"}
    assert all(("train.weight_decay" in one) == (one["train.optimizer"] == "adamw") for one in seen)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"network": {"dropuot": [0.1, 0.2]}}, r"network.dropuot: unknown key; did you mean dropout\?"),
        ({"netwrok": {"dropout": [0.1, 0.2]}}, r"netwrok: unknown section; did you mean network\?"),
        ({"network": {"dropout": [0.1, 7]}}, "network.dropout: 7 is not accepted; give a number"),
        (
            {"network": {"dropout": {"low": 0.5, "high": 0.1}}},
            "network.dropout: low 0.5 is not below high 0.1",
        ),
        ({"network": {"dropout": {"low": 0, "high": 0.1, "log": True}}}, "low 0 has no logarithm"),
        ({"network": {"dropout": {"low": 0.1, "hihg": 0.3}}}, r"unknown key hihg; did you mean high\?"),
        ({"network": {"dropout": {"low": 0.1}}}, "network.dropout: high is missing; add it"),
        (
            {"network": {"dropout": {"low": "some", "high": 0.3}}},
            "low: 'some' is not accepted; give a number",
        ),
        ({"network": {"activation": ["relu", "rleu"]}}, "network.activation: 'rleu' is not accepted"),
        ({"split": {"test": {"low": 0.1, "high": 0.2}}}, "split.test: cannot be searched"),
        ({"split": {"test": 0.3}, "network": {"dropout": [0.1, 0.2]}}, "split.* differs from params.yaml"),
        ({"network": {"dropout": 0.2}}, "every key has one value; give ranges"),
        (
            {"network": {"dropout": {"low": 0.1, "high": 0.3, "when": {"train.lose": "mse"}}}},
            "when: train.lose is no key",
        ),
        (
            {"featurize": {"blocks": [{"kind": "erg", "use": [True, False]}]}},
            "all may be out; leave `use` out of one",
        ),
        ({"featurize": {"blocks": [{"kind": "egr"}, {"kind": "erg", "use": [True, False]}]}}, "'egr'"),
    ],
)
def test_a_bad_space_is_told_its_key_and_what_would_do(
    present: Params, sections: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        space_of(sections, present, "space.yaml")
    assert str(refused.value).startswith("space.yaml: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["present", "mixed", "graphs"])
def test_whatever_the_default_space_draws_is_accepted(name: str, request: pytest.FixtureRequest) -> None:
    params = request.getfixturevalue(name)
    space = default_space(params)
    for seed in range(60):
        made = space.params(drawn(space, seed))
        assert {block.prefix for block in made.featurize.blocks} <= {
            block.prefix for block in space.features(params.featurize).blocks
        }


@pytest.mark.parametrize("name", ["present", "mixed", "graphs"])
def test_the_default_space_holds_the_present_settings(name: str, request: pytest.FixtureRequest) -> None:
    params = request.getfixturevalue(name)
    assert default_space(params).present_values(params) is not None


def test_a_block_that_is_out_is_in_no_family(mixed: Params) -> None:
    space = default_space(mixed)
    made = space.params({"featurize.blocks.rdkit2d.use": False})
    assert "rdkit2d" not in {block.kind for block in made.featurize.blocks}
    assert all("rdkit2d" not in family.blocks for family in made.families)


def test_a_family_that_is_out_takes_its_own_blocks_along(mixed: Params) -> None:
    made = default_space(mixed).params({"families.paths.use": False})
    assert [family.name for family in made.families] == ["circular"]
    assert {block.kind for block in made.featurize.blocks} == set(made.families[0].blocks)


def test_the_space_that_is_shown_is_the_one_that_is_searched(tmp_path: Path, mixed: Params) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(space_text(mixed), encoding="utf-8")
    assert load_space(path, mixed).keys == default_space(mixed).keys
    assert (
        yaml.safe_load(path.read_text())["families"][1]["use"]
        == default_sections(mixed)["families"][1]["use"]
    )


def test_features_are_those_of_every_block_that_may_be_drawn(present: Params) -> None:
    blocks = [{"kind": "morgan_count", "n_bits": [64, 256]}, {"kind": "erg", "use": [True, False]}]
    space = space_of({"featurize": {"blocks": blocks}}, present, "s")
    found = {block.prefix for block in space.features(present.featurize).blocks}
    assert found == {"morgan2_64_count", "morgan2_256_count", "erg", "physchem"}
    made = space.params({"featurize.blocks.morgan_count.n_bits": 64, "featurize.blocks.erg.use": False})
    assert [block.prefix for block in made.featurize.blocks] == ["morgan2_64_count"]
