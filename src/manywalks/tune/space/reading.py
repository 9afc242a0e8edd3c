"""Read space.yaml: a copy of params.yaml in which some keys have ranges or choices."""

import copy
import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from manywalks.params.load import Params, read_sections
from manywalks.params.sections.families import OWN, FamilyParams
from manywalks.params.sections.model import FeatureBlock
from manywalks.tune.space.keys import Key, read_key
from manywalks.tune.space.space import SEARCHED, USE, Space, called

ITEMS: dict[str, type[BaseModel]] = {"featurize.blocks": FeatureBlock, "families": FamilyParams}


def load_space(path: Path, present: Params) -> Space:
    """The space of a file; a ValueError names the file, the key and what would do."""
    raw = read_sections(path)
    if not isinstance(raw, dict):
        raise ValueError(f"{path}: has no sections; write ranges as in docs/tune.md")
    return space_of(raw, present, str(path))


def space_of(raw: dict[str, Any], present: Params, source: str) -> Space:
    """The space of a mapping like params.yaml; what it leaves out is as in the present parameters."""
    base = present.model_dump(mode="json")
    found: list[Key] = []
    for section, values in raw.items():
        if section in SEARCHED:
            found += _walk(section, values, base, source)
        elif section not in Params.model_fields:
            near = difflib.get_close_matches(section, SEARCHED, n=1)
            meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(SEARCHED)}"
            raise ValueError(f"{source}: {section}: unknown section; {meant}")
        else:
            _refuse_ranges(section, values, source)
            if section in ("data", "curate", "split", "weights", "ensemble", "evaluate"):
                base[section] = values
    return Space(base, _in_order(found, source), source).checked(present)


def _refuse_ranges(name: str, values: Any, source: str) -> None:
    """Only what makes a model can be searched."""
    if isinstance(values, dict):
        if _is_searched(values):
            raise ValueError(f"{source}: {name}: cannot be searched; search keys of {', '.join(SEARCHED)}")
        for key, value in values.items():
            _refuse_ranges(f"{name}.{key}", value, source)


def _is_searched(value: Any) -> bool:
    """Whether a mapping is a range or choices."""
    return isinstance(value, dict) and bool({"low", "high", "choices"} & set(value))


def _walk(section: str, values: Any, base: dict[str, Any], source: str) -> Iterator[Key]:
    """Keys of one section; its fixed values are set in `base`."""
    if section == "families":
        yield from _list("families", values, base, source)
        return
    if not isinstance(values, dict):
        raise ValueError(f"{source}: {section}: {values!r} is not accepted; give its keys, indented below it")
    model = type(Params.model_fields[section].default)
    for name, value in values.items():
        if section == "featurize" and name == "blocks":
            yield from _list("featurize.blocks", value, base["featurize"], source)
        else:
            yield from _entry(f"{section}.{name}", value, model, base[section], source)


def _entry(
    name: str, value: Any, model: type[BaseModel], place: dict[str, Any], source: str
) -> Iterator[Key]:
    """One key: searched, or set in `place`."""
    last = name.rpartition(".")[2]
    if last not in model.model_fields and last != USE:
        near = difflib.get_close_matches(last, list(model.model_fields), n=1)
        known = f"did you mean {near[0]}?" if near else f"known are {', '.join(model.model_fields)}"
        raise ValueError(f"{source}: {name}: unknown key; {known}")
    annotation = bool if last == USE else model.model_fields[last].annotation
    is_list = _holds(annotation, tuple)
    if _is_searched(value):
        yield read_key(name, value, whole=_holds(annotation, int), source=source)
    elif isinstance(value, list) and (not is_list or (value and all(isinstance(v, list) for v in value))):
        choices = [_as_number(one) if _holds(annotation, float) else one for one in value]
        yield read_key(name, {"choices": choices}, whole=False, source=source)
    elif last != USE or not value:
        place[last] = value


def _as_number(value: Any) -> Any:
    """YAML 1.1 takes 1e-3 for text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _holds(annotation: Any, kind: type) -> bool:
    """Whether an annotation is or holds a type: int | None holds int."""
    if annotation is kind or get_origin(annotation) is kind:
        return True
    return get_origin(annotation) is not tuple and any(_holds(inner, kind) for inner in get_args(annotation))


def _list(name: str, values: Any, base: dict[str, Any], source: str) -> Iterator[Key]:
    """A list of named items: whole lists to choose from, or keys of its items."""
    last = name.rpartition(".")[2]
    if _is_searched(values):
        yield read_key(name, values, whole=False, source=source)
        return
    if not isinstance(values, list):
        raise ValueError(f"{source}: {name}: {values!r} is not accepted; give a list")
    if values and all(isinstance(one, list) for one in values):
        yield read_key(name, {"choices": values}, whole=False, source=source)
        return
    base[last] = [dict(copy.deepcopy(item)) for item in values if isinstance(item, dict)]
    for number, (item, kept) in enumerate(zip(values, base[last], strict=False)):
        if not isinstance(item, dict) or called(item) == "None":
            raise ValueError(
                f"{source}: {name}.{number}: {item!r} is not accepted; give its keys, such as name"
            )
        yield from _item(f"{name}.{called(item)}", item, ITEMS[name], kept, source)
    if values and all(isinstance(item.get(USE), list) for item in values):
        raise ValueError(f"{source}: {name}: all may be out; leave `use` out of one of them")


def _item(
    prefix: str, item: Mapping[str, Any], model: type[BaseModel], kept: dict[str, Any], source: str
) -> Iterator[Key]:
    """Keys of one item of a list."""
    for key, value in item.items():
        if model is FamilyParams and key in OWN and isinstance(value, dict):
            section = type(Params.model_fields[key].default)
            kept[key] = {}
            for own, inner in value.items():
                yield from _entry(f"{prefix}.{key}.{own}", inner, section, kept[key], source)
            continue
        kept.pop(key, None)
        yield from _entry(f"{prefix}.{key}", value, model, kept, source)
        if model is FeatureBlock and key != USE and key not in kept:
            kept[key] = model.model_fields[key].default


def _in_order(keys: list[Key], source: str) -> tuple[Key, ...]:
    """Keys so that each is behind those that its condition names."""
    left, done = list(keys), list[Key]()
    while left:
        waiting = {key.name for key in left}
        ready = [key for key in left if not waiting & set(key.given.when)]
        if not ready:
            raise ValueError(
                f"{source}: {left[0].name}: its condition (when) leads back to itself; remove it"
            )
        done += ready
        left = [key for key in left if key not in ready]
    return tuple(done)
