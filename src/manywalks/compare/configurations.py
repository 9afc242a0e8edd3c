"""Configurations to compare: from files of parameters, `--set` values, sweeps of width and depth."""

import difflib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError

from manywalks.params.load import Params, load_params, parse_params
from manywalks.params.sections.families import families_of
from manywalks.train.streams import SOURCES

# what all configurations share; a comparison of two data sets or two ways to score says nothing
SHARED = ("data", "curate", "split", "ensemble", "evaluate")
SETTABLE = ("featurize", "transform", "network", "train")
VARIED = (*SETTABLE, "families", "weights")
# of another section, this key makes other replicates too
ROWS = "replicates.rows"
WIDTHS = (32, 128, 512)
DEPTHS = (1, 2, 3)


@dataclass(frozen=True)
class Configuration:
    """One row of a comparison.

    Attributes:
        name: as it is shown.
        params: all parameters; `VARIED` sections may differ.
        vary: what differs between its replicates; fewer than all of it only to study where replicates part.
        copy: 0, or how many equal configurations came before it (they get replicates of their own).
    """

    name: str
    params: Params
    vary: tuple[str, ...] = SOURCES
    copy: int = 0


def asked_for(paths: Sequence[Path], settings: Sequence[str], kind: str) -> list[Configuration]:
    """The configurations of a comparison; `kind` is "compare", "capacity" or "variance"."""
    if kind == "variance":
        return source_studies(read_one(paths))
    return read_configurations(paths, settings, sweep=kind == "capacity")


def read_configurations(paths: Sequence[Path], settings: Sequence[str], sweep: bool) -> list[Configuration]:
    """The configurations asked for, in order; a ValueError where they cannot be compared.

    Args:
        paths: files of parameters, one or more.
        settings: "network.dropout=0.1,0.3" each; every combination is made of every file.
        sweep: also every width and depth of `WIDTHS` and `DEPTHS`.
    """
    named = zip(_stems(paths), (load_params(path) for path in paths), strict=True)
    values = [_values(setting) for setting in settings]
    if sweep:
        values.append(("network.widths", [[w] * depth for depth in DEPTHS for w in WIDTHS]))
    found = [one for name, params in named for one in _combinations(name, params, values, len(paths) > 1)]
    if len(found) < 2:
        raise ValueError(
            f"compare: only one configuration ({found[0].name if len(paths) > 1 else paths[0]}); add another "
            "file or --set network.dropout=0.1,0.3"
        )
    check_shared(found)
    return _numbered(found)


def read_one(paths: Sequence[Path]) -> Configuration:
    """The one configuration whose sources of variance are studied."""
    if len(paths) > 1:
        raise ValueError(f"compare --variance: takes one file of parameters, not {len(paths)}; name one")
    params = load_params(paths[0])
    if params.replicates.rows != "all":
        raise ValueError(
            f"{paths[0]}: {ROWS}: {params.replicates.rows!r} gives each replicate other molecules, which "
            "compare --variance cannot hold still; set it to all, or use `manywalks reproduce --sources`"
        )
    return Configuration(paths[0].stem, params)


def check_shared(found: Sequence[Configuration]) -> None:
    """All must have the data, split, endpoints and scoring of the first; a ValueError names the keys."""
    first = found[0]
    for other in found[1:]:
        keys = [key for key in differing(first.params, other.params) if key.split(".")[0] in SHARED]
        if keys:
            raise ValueError(
                f"compare: {first.name} and {other.name} differ in {', '.join(keys)}; "
                "compare configurations of the same data, split, endpoints and scoring"
            )


def differing(one: Params, other: Params) -> dict[str, Any]:
    """Dotted keys whose values differ, with the value of `other`."""
    flat = dict(_flat(one.model_dump(mode="json"))), dict(_flat(other.model_dump(mode="json")))
    return {key: flat[1].get(key) for key in {**flat[0], **flat[1]} if flat[0].get(key) != flat[1].get(key)}


def same_model(one: Params, other: Params) -> bool:
    """Whether two sets of parameters describe the same model."""
    return not any(_varied(key) for key in differing(one, other))


def changes(found: Sequence[Configuration]) -> list[dict[str, Any]]:
    """For each configuration, the value of every key in which any of them differ."""
    keys = sorted(
        {key for one in found[1:] for key in differing(found[0].params, one.params) if _varied(key)}
    )
    rows = [dict(_flat(one.params.model_dump(mode="json"))) for one in found]
    return [{key: row.get(key) for key in keys} for row in rows]


def source_studies(base: Configuration) -> list[Configuration]:
    """The base with every set of its sources varied together, and numerics alone."""
    drops_out = any(family.params.network.dropout > 0 for family in families_of(base.params))
    sources = tuple(source for source in SOURCES if source != "dropout" or drops_out)
    sets = [chosen for size in range(1, len(sources) + 1) for chosen in itertools.combinations(sources, size)]
    return [replace(base, name="+".join(vary), vary=vary) for vary in [*sets, ("numerics",)]]


def _values(setting: str) -> tuple[str, list[Any]]:
    """ "a.b=1,2" -> ("a.b", [1, 2]), the values as YAML; lists in brackets."""
    key, equals, text = setting.partition("=")
    try:
        values = YAML(typ="safe").load(f"[{text}]")
    except YAMLError:
        values = None
    if not equals or "." not in key or not values:
        raise ValueError(f"--set {setting}: is not a setting; write it as network.dropout=0.1,0.3")
    if key.split(".")[0] not in SETTABLE and key.strip() != ROWS:
        near = difflib.get_close_matches(key.split(".")[0], SETTABLE, n=1)
        meant = f"did you mean {near[0]}?" if near else f"choose a key of {', '.join(SETTABLE)}"
        raise ValueError(f"--set {setting}: {key} cannot be compared; {meant}")
    return key.strip(), values


def _combinations(
    name: str, params: Params, values: list[tuple[str, list[Any]]], several: bool
) -> Iterable[Configuration]:
    """Every combination of the values set in `params`."""
    for chosen in itertools.product(*(options for _, options in values)):
        keys = [key for key, _ in values]
        words = [f"{_short(key, keys)}={_text(value)}" for key, value in zip(keys, chosen, strict=True)]
        title = " ".join([name] * (several or not words) + words)
        given = dict(zip(keys, chosen, strict=True))
        yield Configuration(title, with_values(params, given, "--set"))


def with_values(params: Params, values: dict[str, Any], source: str) -> Params:
    """The parameters with some keys set, checked again."""
    raw = params.model_dump(mode="json")
    for key, value in values.items():
        section = raw
        *path, last = key.split(".")
        for subset in path:
            section = section.get(subset) if isinstance(section, dict) else None
        if not isinstance(section, dict):
            raise ValueError(f"{source}: {key}: unknown key; look at params.yaml")
        section[last] = value  # a key that is not known is refused with the one that was meant
    return parse_params(raw, source=source)


def _numbered(found: list[Configuration]) -> list[Configuration]:
    """Equal configurations get replicates of their own, equal names a number."""
    seen: list[Configuration] = []
    for one in found:
        alike = [other for other in seen if same_model(one.params, other.params)]
        named = sum(other.name.split(" #")[0] == one.name for other in seen)
        name = f"{one.name} #{named + 1}" if named else one.name
        seen.append(replace(one, name=name, copy=len(alike)))
    return seen


def _varied(key: str) -> bool:
    """Whether a dotted key is of what may differ between configurations."""
    return key.split(".")[0] in VARIED or key == ROWS


def _stems(paths: Sequence[Path]) -> list[str]:
    """File names without their ending, with the folder's where two are the same."""
    stems = [path.stem for path in paths]
    return [
        f"{path.resolve().parent.name}/{stem}" if stems.count(stem) > 1 else stem
        for path, stem in zip(paths, stems, strict=True)
    ]


def _flat(values: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Dotted keys and values of nested mappings."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _short(key: str, keys: list[str]) -> str:
    """The last word of a key, unless two keys share it."""
    last = key.split(".")[-1]
    return last if sum(other.split(".")[-1] == last for other in keys) == 1 else key


def _text(value: Any) -> str:
    """A value as part of a name."""
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)
