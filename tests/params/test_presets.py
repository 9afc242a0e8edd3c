"""Presets of `manywalks init`, and what of graphs params.yaml may ask for."""

from typing import Any

import pytest
import yaml

from manywalks.params.load import Params, parse_params
from manywalks.params.presets import PRESETS, Preset, with_preset
from manywalks.params.render import render
from manywalks.params.sections.families import families_of

GRAPH = {"kind": "graph"}
RELATIONAL = {"builder": "relational"}


def params(kind: str = "regression", **sections: Any) -> Params:
    return parse_params({"data": {"path": "t.csv", "endpoints": {"y": {"kind": kind}}}, **sections})


def blocks(*given: Any) -> dict[str, Any]:
    return {"blocks": [{"kind": one} if isinstance(one, str) else one for one in given]}


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_preset_writes_is_read_back(preset: Preset) -> None:
    written = with_preset(params(), preset, max_atoms=36)
    assert parse_params(yaml.safe_load(render(written))) == written


def test_presets_grow_by_a_family_each() -> None:
    names = [[f.name for f in families_of(with_preset(params(), preset))] for preset in PRESETS]
    assert names == [[""], ["circular", "paths"], ["circular", "paths", "graph"]]


def test_the_fast_preset_is_the_first_family_alone() -> None:
    fast, default = (families_of(with_preset(params(), preset))[0].params for preset in ("fast", "default"))
    assert {b.kind for b in fast.featurize.blocks} == {b.kind for b in default.featurize.blocks}
    assert fast.network == default.network


def test_a_graph_learns_classes_for_fewer_epochs() -> None:
    epochs = [
        families_of(with_preset(params(kind), "best"))[-1].params.train.epochs
        for kind in ("regression", "classification")
    ]
    assert epochs == [40, 20]


def test_the_network_on_graphs_sees_nothing_else_and_its_rate_rises_first() -> None:
    *dense, graph = (family.params for family in families_of(with_preset(params(), "best")))
    assert [block.kind for block in graph.featurize.blocks] == ["graph"]
    assert graph.train.warmup == 0.1
    assert [one.train.warmup for one in dense] == [0, 0]


def test_weights_are_fitted_where_a_network_on_graphs_takes_part() -> None:
    found = {preset: with_preset(params(), preset).weights for preset in PRESETS}
    assert found == {"fast": "given", "default": "given", "best": "out_of_fold"}
    assert with_preset(with_preset(params(), "best"), "default").weights == "given"


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"network": {"builder": "relation"}}, "'relation' is not known; write relational or dmpnn"),
        ({"network": {**RELATIONAL, "normalization": "batch"}}, "not for relational; write layer or none"),
        ({"network": RELATIONAL}, "'relational' needs one block of kind graph"),
        ({"featurize": blocks({**GRAPH, "larger": "reject"})}, "hold a graph; write relational or dmpnn"),
        ({"featurize": blocks(GRAPH), "network": RELATIONAL}, "write larger: reject"),
        (
            {
                "featurize": blocks(GRAPH, "erg"),
                "families": [{"name": "g", "blocks": ["graph", "erg"], "network": RELATIONAL}],
            },
            "no other family for molecules of over 60 atoms",
        ),
        (
            {
                "featurize": blocks(GRAPH, "erg"),
                "families": [
                    {"name": "g", "blocks": ["graph"], "network": RELATIONAL},
                    {"name": "d", "blocks": ["erg"], "network": {"builder": "dmpnn"}},
                ],
            },
            "families.1.network.builder: 'dmpnn' needs one block of kind graph",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(sections: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        params(**sections)
    assert said in str(refused.value)


def test_a_graph_alone_rejects_larger_molecules() -> None:
    (alone,) = families_of(params(featurize=blocks({**GRAPH, "larger": "reject"}), network=RELATIONAL))
    assert alone.params.network.on_graph
