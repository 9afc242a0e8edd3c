"""Write params.yaml for people: every key, its value, and what it means."""

import json
import types
from decimal import Decimal
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from manywalks.params.base import model_in, written_fields
from manywalks.params.load import Params

WIDTH = 44


def render(params: Params, head: str = "") -> str:
    """The text of params.yaml: all sections and keys, each with a comment."""
    lines = [f"# {line}" for line in head.splitlines()]
    for name in Params.model_fields:
        section = getattr(params, name)
        if not isinstance(section, BaseModel):  # families: a list, and no section
            lines += ["", *_entry(name, section, Params.model_fields[name], indent=0)]
            continue
        # behind the key: DVC's `exp run -S` drops a comment that stands between a list and the next section
        lines += ["", f"{name}:  # {_summary(section)}"]
        for key, field in written_fields(type(section)).items():
            lines += _entry(key, getattr(section, key), field, indent=2)
    return "\n".join(lines).lstrip("\n") + "\n"


def _summary(section: BaseModel) -> str:
    """What a section is for: its docstring's first line."""
    return (type(section).__doc__ or "").strip().splitlines()[0]


def _entry(key: str, value: Any, field: FieldInfo, indent: int) -> list[str]:
    """One key: block style for mappings of models, flow style for everything else."""
    space = " " * indent
    if isinstance(value, dict) and value and isinstance(next(iter(value.values())), BaseModel):
        lines = [f"{space}{key}:  # {field.description}"]
        for name, model in value.items():
            lines.append(f"{space}  {_scalar(name)}:")
            lines += _given(model, indent + 4)
        return lines
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        lines = [f"{space}{key}:  # {field.description}"]
        return lines + [line for model in value for line in _item(_set_fields(model), space)]
    return [f"{space}{key}: {flow(value)}".ljust(WIDTH) + f"  # {field.description}"]


def _item(fields: dict[str, Any], space: str) -> list[str]:
    """One mapping of a list, in block style: `dvc exp run -S` loses the comment behind a flow style."""
    marks = ["- ", *["  "] * (len(fields) - 1)]
    return [f"{space}  {m}{key}: {flow(v)}" for m, (key, v) in zip(marks, fields.items(), strict=True)]


def _given(model: BaseModel, indent: int) -> list[str]:
    """The fields of a model that are not at their default, a line each (at least the first field)."""
    fields = type(model).model_fields
    shown = _set_fields(model) or {next(iter(fields)): getattr(model, next(iter(fields)))}
    return [
        f"{' ' * indent}{key}: {flow(value)}".ljust(WIDTH) + f"  # {fields[key].description}"
        for key, value in shown.items()
    ]


def _set_fields(model: BaseModel) -> dict[str, Any]:
    """Fields that differ from their default, the required ones, and those that say what an endpoint is."""
    plain = model.model_dump(mode="json")
    # a unit that nobody gave is a line to fill in
    asked = {"kind", "unit"} if plain.get("kind") == "regression" else {"kind"}
    return {
        key: plain[key]
        for key, field in type(model).model_fields.items()
        if field.is_required() or getattr(model, key) != field.default or key in asked
    }


def flow(value: Any) -> str:
    """A value in YAML's flow style, which is JSON with plainer strings."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A scalar as YAML 1.1 and 1.2 both read it back."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        plain = value.replace("_", "").replace("/", "").isalnum() and not value[0].isdigit()
        reserved = value.lower() in {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "none"}
        return (
            value if plain and not (reserved and value != "none") else json.dumps(value, ensure_ascii=False)
        )
    if isinstance(value, float):
        # 1e-05 is a string to YAML 1.1 readers: write the decimals out
        return format(Decimal(repr(value)), "f")
    return str(value)


def describe() -> list[tuple[str, str, str, str]]:
    """Every key of params.yaml: (key, type, default, meaning), for docs/params.md."""
    return list(_keys_of("", Params))


def _keys_of(prefix: str, model: type[BaseModel]) -> Any:
    """Keys of a model, nested ones below it."""
    for key, field in written_fields(model).items():
        path = f"{prefix}{key}"
        inner = model_in(field.annotation)
        if inner is not None and field.description is None:
            yield from _keys_of(f"{path}.", inner)
            continue
        default = "required" if field.is_required() else _default_text(field)
        yield path, _type_text(field.annotation), default, field.description or ""
        if inner is not None:
            inside = ".NAME." if get_origin(field.annotation) is dict else "[]."
            yield from _keys_of(path + inside, inner)


def _default_text(field: FieldInfo) -> str:
    """A default as params.yaml would give it."""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        value = [_set_fields(item) for item in value]
    return flow(value)


def _type_text(annotation: Any) -> str:
    """An annotation in a user's words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_text(part) for part in parts)
    if origin is tuple or origin is list:
        return f"list of {_type_text(parts[0])}"
    if origin is dict:
        return "mapping"
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _type_text(parts[0])
    if origin is not None:
        return ", ".join(str(part) for part in parts)
    names = {type(None): "null", str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names.get(annotation, "mapping")
