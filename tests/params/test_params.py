"""params.yaml: what is refused, and how it is said."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from manywalks.params.load import Params, load_params, parse_params
from manywalks.params.render import describe, render
from manywalks.params.sections.cut import parse_cut
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.pipeline.definition import read_yaml

LEAST = {"data": {"path": "table.csv", "endpoints": {"logS": {}}}}


def params_with(**sections: object) -> dict[str, object]:
    """The least params.yaml with some sections more."""
    return {**LEAST, **sections}


def endpoint_with(name: str, **keys: object) -> dict[str, object]:
    """A params.yaml of one endpoint."""
    return {"data": {"path": "table.csv", "endpoints": {name: keys}}}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({}, "data: missing"),
        (params_with(netwrk={}), "netwrk: unknown key; did you mean network?"),
        (params_with(zzz={}), "zzz: unknown key; known are data, curate,"),
        (params_with(network={"width": 3}), "network.width: unknown key; did you mean widths?"),
        (params_with(train={"dropout": 0.1}), "train.dropout: unknown key; did you mean network.dropout?"),
        (endpoint_with("y", unti="uM"), "data.endpoints.y.unti: unknown key; did you mean unit?"),
        (endpoint_with("kind", unti="uM"), "data.endpoints.kind.unti: unknown key; did you mean unit?"),
        (
            params_with(featurize={"blocks": [{"kind": "ecfp"}]}),
            "featurize.blocks.0.kind: 'ecfp' is not accepted; give 'morgan_count', ",
        ),
        (
            params_with(network={"dropout": 1.5}),
            "network.dropout: 1.5 is not accepted; give a number of 0 or more and below 1",
        ),
        (
            params_with(train={"warmup": 10}),
            "train.warmup: 10 is not accepted; give a number of 0 or more and below 1",
        ),
        (params_with(train={"epochs": "many"}), "train.epochs: 'many' is not accepted; give a whole number"),
        (params_with(replicates={"tolerance": -1}), "replicates.tolerance: -1 is not accepted; give text or"),
        (
            params_with(replicates={"confidence": 0.9999999}),
            "replicates.confidence: 0.9999999 is not accepted; give a number above 0.5 and at most 0.99999",
        ),
        (
            params_with(
                featurize={"blocks": [{"kind": "graph"}]},
                families=[{"name": "a", "blocks": ["graph"], "network": {"builder": "x"}}],
            ),
            "families.0.network.builder: 'x' is not known; write relational or dmpnn",
        ),
        (
            params_with(evaluate={"data_draws": 0}),
            "evaluate.data_draws: 0 is not accepted; give 'auto' or 'off' or give 3 or more",
        ),
        (params_with(network=[]), "network: [] is not accepted; give its keys"),
        (params_with(replicates={"min": 9, "max": 8}), "replicates.min: 9 is over replicates.max 8"),
        (params_with(split={"method": "column"}), "split.column"),
        ({"data": {"path": "t.csv", "endpoints": {}}}, "data.endpoints"),
        ([], "has no sections"),
        (
            {"data": {**LEAST["data"], "checks": {"y": {"pattern": "["}}}},
            "data.checks.y.pattern: '[' is not a regular expression",
        ),
        (
            params_with(split={"method": "stratified", "endpoint": "zz"}),
            "split.endpoint: 'zz' is not among",
        ),
        (endpoint_with("y", transform="p"), "data.endpoints.y.transform: p needs"),
        (endpoint_with("id"), "data.endpoints: 'id' is the name of another column"),
        (endpoint_with("file"), "data.endpoints: 'file' is the name of another column"),
        (endpoint_with("records"), "data.endpoints: 'records' is the name of another column"),
        (endpoint_with("a:weight"), "data.endpoints: 'a:weight' contains a colon"),
    ],
)
def test_a_bad_value_is_one_line_that_names_file_key_and_value(raw: object, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_params(raw, source="my/params.yaml")
    line = str(caught.value)
    assert line.startswith("my/params.yaml: ")
    assert said in line
    assert "\n" not in line


def test_a_date_may_be_written_as_yaml_reads_it() -> None:
    text = "data: {path: t.csv, where: {when: 2020-04-03}, endpoints: {y: {}}}"
    params = parse_params(
        yaml.safe_load(text + "\nsplit: {method: time, column: when, test_since: 2020-04-03}")
    )
    assert params.split.test_since == "2020-04-03"


def test_params_are_frozen() -> None:
    params = parse_params(LEAST)
    with pytest.raises(ValidationError):
        params.train.epochs = 3  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("broken", [b"data: [", b"data: 2020-13-45", b"data: \xff"])
def test_broken_yaml_names_the_file(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(broken)
    with pytest.raises(ValueError, match=r"params\.yaml: is not YAML"):
        load_params(path)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("data:\n  path: t.csv\n  endpoints:\n    y: {}\n    y: {unit: uM}\n", encoding="utf-8")
    with pytest.raises(ValueError) as refusal:
        load_params(path)
    assert str(refusal.value) == (
        f"{path}: the key 'y' is given twice (line 5, column 5); remove one of the two"
    )


def test_a_merged_mapping_may_be_overridden_and_used_again(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(
        "data:\n  path: t.csv\n  endpoints:\n    y: &base {unit: uM, tolerance: 1}\n"
        "    z: &more {<<: *base, unit: nM}\n    w: {<<: *more, tolerance: 2}\n    v: *more\n",
        encoding="utf-8",
    )
    found = load_params(path).data.endpoints
    assert {name: (one.unit, one.tolerance) for name, one in found.items()} == {
        "y": ("uM", 1), "z": ("nM", 1), "w": ("nM", 2), "v": ("nM", 1),
    }  # fmt: skip


def test_a_merged_mapping_may_be_used_again_further_out(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(
        "data:\n  path: t.csv\n  endpoints:\n    y: &base {unit: uM}\n    z: &more {<<: *base, unit: nM}\n"
        "  where: {<<: *more, kind: IC50}\n",
        encoding="utf-8",
    )
    data = load_params(path).data
    assert (data.endpoints["z"].unit, data.where) == ("nM", {"unit": ("nM",), "kind": ("IC50",)})


def test_a_number_and_its_text_are_two_keys(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("1: a\n'1': b\n", encoding="utf-8")
    with pytest.raises(ValueError, match="data: missing"):
        load_params(path)


def test_a_cell_alone_is_a_list_of_one_and_no_is_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(
        "data:\n  path: t.csv\n  where: {ok: yes}\n  checks: {n: {allowed: 2, empty: no}}\n"
        "  endpoints:\n    y: {kind: classification, positive: yes, negative: no}\n",
        encoding="utf-8",
    )
    data = load_params(path).data
    assert (data.endpoints["y"].positive, data.endpoints["y"].negative) == ("yes", ("no",))
    assert (data.where, data.checks["n"].allowed, data.checks["n"].empty) == ({"ok": ("yes",)}, ("2",), False)


def test_rendered_params_read_back_the_same_by_both_yaml_versions(tmp_path: Path) -> None:
    raw = params_with(train={"learning_rate": 3e-5, "weight_decay": 1e-7}, report={"title": "on: 7 [x] # y"})
    params = parse_params(raw)
    text = render(params)
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    assert parse_params(yaml.safe_load(text)) == params
    assert parse_params(read_yaml(path)) == params


def test_a_unit_that_is_not_given_is_a_line_to_fill_in() -> None:
    raw = params_with(data={"path": "t.csv", "endpoints": {"y": {}, "c": {"kind": "classification"}}})
    lines = [line.split("#")[0].split() for line in render(parse_params(raw)).splitlines()]
    assert lines.count(["unit:", '""']) == 1


def test_every_key_is_described() -> None:
    rows = describe()
    assert {row[0].split(".")[0].removesuffix("[]") for row in rows} == set(Params.model_fields)
    assert all(meaning for _, _, _, meaning in rows)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [(">= -4", -4, np.inf), ("<2.5", -np.inf, 2.5), ("-4 to -2", -4, -2), (">= 1e-3", 1e-3, np.inf)],
)
def test_a_cut_off_is_read(text: str, low: float, high: float) -> None:
    cut = parse_cut(text)
    assert (cut.low, cut.high) == (low, high)
    assert parse_cut(cut.text) == cut


@pytest.mark.parametrize("text", ["4", "= 4", ">= x", "-2 to -4", ""])
def test_what_is_no_cut_off_is_refused(text: str) -> None:
    raw = params_with(evaluate={"decide": {"y": text}})
    with pytest.raises(ValueError, match=r"evaluate\.decide\.y: .* is no cut-off; write '>= -4'"):
        parse_params(raw)


def test_a_cut_off_of_an_unknown_endpoint_or_a_class_is_refused() -> None:
    endpoints = {"y": {}, "c": {"kind": "classification"}}
    for name, remedy in {"z": "choose one of 'y', 'c'", "c": r"set evaluate\.threshold"}.items():
        raw = params_with(data={"path": "t.csv", "endpoints": endpoints}, evaluate={"decide": {name: ">= 1"}})
        with pytest.raises(ValueError, match=remedy):
            parse_params(raw)


@pytest.mark.parametrize("given", [{"want": "range"}, {"range": [1, 2]}, {"want": "range", "range": [2, 1]}])
def test_a_range_belongs_to_want_range(given: dict) -> None:
    with pytest.raises(ValueError, match="range:"):
        parse_params(params_with(data={"path": "t.csv", "endpoints": {"y": given}}))


def test_more_is_better_after_turning_by_what_is_wanted() -> None:
    values = np.array([0.0, 1.5, 4.0])
    turned = {
        want: EndpointParams(want=want, range=(1, 2) if want == "range" else None).desirability(values)
        for want in ("high", "low", "range")
    }
    assert turned["high"].tolist() == [0, 1.5, 4]
    assert turned["low"].tolist() == [0, -1.5, -4]
    assert turned["range"].tolist() == [-1, 0.5, -2]
