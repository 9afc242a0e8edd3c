"""The space that a search without --space takes: around the present parameters."""

import io
from typing import Any

from ruamel.yaml import YAML

from manywalks.params.load import Params
from manywalks.tune.space.reading import space_of
from manywalks.tune.space.space import USE, Space

SOURCE = "default space"
WIDTHS = ([64], [128, 64], [256, 128], [512, 256], [256, 128, 64])


def default_space(present: Params) -> Space:
    """Network, training, scaling, and which blocks and families there are."""
    return space_of(default_sections(present), present, SOURCE)


def default_sections(present: Params) -> dict[str, Any]:
    """The default space as space.yaml would have it."""
    kinds = {endpoint.kind for endpoint in present.data.endpoints.values()}
    found: dict[str, Any] = {
        "transform": _transform(present, kinds),
        "train": _train(present, kinds),
        "featurize": {"blocks": _blocks(present)},
    }
    if present.network.builder is None:
        found["network"] = {
            "widths": _with(list(present.network.widths), WIDTHS),
            "dropout": {"low": 0.0, "high": max(0.6, present.network.dropout)},
        }
    if present.families:
        found["families"] = _families(present)
    return found


def _around(value: float, low: float, high: float) -> dict[str, Any]:
    """A range on a logarithmic scale that holds the present value."""
    return {"low": min(low, value), "high": max(high, value), "log": True}


def _with(present: Any, others: Any) -> list[Any]:
    """Choices, the present one first."""
    return [present, *(one for one in others if one != present)]


def _transform(present: Params, kinds: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"count_scale": _around(present.transform.count_scale, 0.1, 1.0)}
    if "regression" in kinds:
        found["targets"] = _with(present.transform.targets, ("auto", "standard", "normal_scores"))
    return found


def _train(present: Params, kinds: set[str]) -> dict[str, Any]:
    train = present.train
    epochs = train.most_epochs(classes_alone=kinds == {"classification"})
    found: dict[str, Any] = {
        "learning_rate": _around(train.learning_rate, 2e-4, 5e-3),
        "epochs": {"low": max(2, epochs // 2), "high": 2 * epochs, "log": True},
        "batch_size": _with(train.batch_size, (32, 64, 128)),
    }
    if train.optimizer == "adamw" and train.weight_decay > 0:
        found["weight_decay"] = _around(train.weight_decay, 1e-6, 1e-2)
    if "regression" in kinds and train.loss != "cross_entropy":
        found["loss"] = _with(train.loss, ("mse", "huber"))
    return found


def _blocks(present: Params) -> list[dict[str, Any]]:
    """The present blocks, each in or out but for graphs and the first of each family (or of all)."""
    firsts = {family.blocks[0] for family in present.families}
    firsts = firsts or {present.featurize.blocks[0].called}
    return [
        {
            **block.model_dump(mode="json", exclude_defaults=True),
            **({} if block.called in firsts or block.kind == "graph" else {USE: [True, False]}),
        }
        for block in present.featurize.blocks
    ]


def _families(present: Params) -> list[dict[str, Any]]:
    """The present families; all but the first in or out, with a weight relative to it.

    The first that sees no graph stays, too: it may have to predict the molecules that are too large for one.
    """
    graphs = {block.called for block in present.featurize.blocks if block.kind == "graph"}
    plain = [family.name for family in present.families if not graphs & set(family.blocks)]
    found = []
    for number, family in enumerate(present.families):
        own = family.model_dump(mode="json", exclude_defaults=True)
        if number and not (graphs and family.name == plain[0]):
            name = f"families.{family.name}.{USE}"
            own |= {USE: [True, False], "weight": {**_around(family.weight, 0.25, 4.0), "when": {name: True}}}
        found.append(own)
    return found


def space_text(present: Params) -> str:
    """The default space as YAML, to be edited and given with --space."""
    yaml, out = YAML(), io.StringIO()
    yaml.default_flow_style, yaml.width = None, 110
    yaml.dump(default_sections(present), out)
    return (
        "# What `manywalks tune` searches by default: lists are choices, {low, high, log} are ranges.\n"
        + out.getvalue()
    )
