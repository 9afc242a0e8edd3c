"""Change values in the text of params.yaml where they are written, so that every other character stays."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

import yaml
from pydantic import BaseModel

from manywalks.params.render import flow
from manywalks.params.sections.families import FamilyParams
from manywalks.params.sections.model import FeatureBlock
from manywalks.tune.space.space import called

# a comment behind a value keeps its column
_COMMENT = re.compile(r" +(?=#)")


class Edit(NamedTuple):
    """Text from `start` to `end` (character positions) becomes `new`."""

    start: int
    end: int
    new: str


def edited(text: str, before: dict[str, Any], after: dict[str, Any]) -> str | None:
    """The text with the values of `after` where they differ from `before`; None where edits overlap."""
    root: Any = yaml.compose(text, yaml.SafeLoader)
    out, done = list[str](), 0
    for edit in sorted(_mapping(text, root, before, after), key=lambda one: one[:2]):
        if edit.start < done:
            return None  # such as a value that an anchor shares
        out += [text[done : edit.start], edit.new]
        done = edit.end
    return "".join(out) + text[done:]


def _mapping(text: str, node: Any, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Edit]:
    """Edits of a mapping: values that differ, and keys that it has not yet."""
    known = {key.value: (key, value) for key, value in node.value}
    added = dict[str, Any]()
    for name, value in after.items():
        old = before.get(name)
        if value == old:
            continue
        if name in known:
            yield from _value(text, known[name], old, value)
        elif isinstance(value, dict) and isinstance(old, dict):
            added[name] = {key: one for key, one in value.items() if one != old.get(key)}
        else:
            added[name] = value
    if added:
        yield _add_keys(text, node, added)


def _value(text: str, entry: tuple[Any, Any], before: Any, after: Any) -> Iterator[Edit]:
    """Edits of one value: inside it where it has keys or named items, else all of it."""
    key, node = entry
    if isinstance(node, yaml.SequenceNode) and _share_names(before, after):
        yield from _items(text, node, before, after)
        return
    if isinstance(node, yaml.MappingNode) and isinstance(after, dict) and set(before) <= set(after):
        yield from _mapping(text, node, before, after)
        return
    if _has_items(after):
        after = [_short(item) for item in after]
    yield _replace(text, key, node, flow(after))


def _has_items(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    """Whether a value is a list of blocks or of families."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _share_names(before: Any, after: Any) -> bool:
    """Whether two values are lists of items, of which some are in both."""
    both = [
        {called(item) for item in value} if _has_items(value) else set[str]() for value in (before, after)
    ]
    return bool(both[0] & both[1])


def _items(text: str, node: Any, before: list[Any], after: list[Any]) -> Iterator[Edit]:
    """Edits of a list of named items: some go, some change, some are new."""
    wanted = {called(item): item for item in after}
    kept = [n for n, item in enumerate(before) if called(item) in wanted]
    for n, item in enumerate(before):
        if n in kept:
            yield from _mapping(text, node.value[n], item, wanted[called(item)])
        elif node.flow_style:
            yield _drop_in_line(node, n, is_last=n > kept[-1])
        else:
            first = text.rfind("\n", 0, node.value[n].start_mark.index) + 1
            yield Edit(first, min(_line_end(text, _end(node.value[n])) + 1, len(text)), "")
    old = {called(item) for item in before}
    new = [_short(item) for name, item in wanted.items() if name not in old]
    if new:
        end = _end(node.value[kept[-1]])
        if node.flow_style:
            yield Edit(end, end, "".join(f", {flow(item)}" for item in new))
        else:
            space, end = " " * node.start_mark.column, _line_end(text, end)
            yield Edit(end, end, "".join(f"\n{space}- {flow(item)}" for item in new))


def _drop_in_line(node: Any, n: int, *, is_last: bool) -> Edit:
    """Take an item out of [a, b, c], with the comma behind it; of the last ones, that before it."""
    own = node.value[n]
    if is_last:
        return Edit(_end(node.value[n - 1]), _end(own), "")
    return Edit(own.start_mark.index, node.value[n + 1].start_mark.index, "")


def _add_keys(text: str, node: Any, added: dict[str, Any]) -> Edit:
    """Keys behind the last one of a mapping."""
    end, lines = _end(node), [f"{name}: {flow(value)}" for name, value in added.items()]
    if node.flow_style:
        return Edit(end - 1, end - 1, (", " if node.value else "") + ", ".join(lines))
    end, space = _line_end(text, end), " " * node.start_mark.column
    return Edit(end, end, "".join(f"\n{space}{line}" for line in lines))


def _replace(text: str, key: Any, node: Any, new: str) -> Edit:
    """Another value; a comment behind it stays in its column."""
    start, end = node.start_mark.index, _end(node)
    if start == end or (isinstance(node, yaml.CollectionNode) and not node.flow_style):
        start, new = (
            text.index(":", key.end_mark.index) + 1,
            f" {new}",
        )  # it is empty, or has lines of its own
    comment = _COMMENT.match(text, end)
    if comment:
        last = text.rfind("\n", 0, end) + 1
        width = comment.end() - max(start, last)
        return Edit(start, comment.end(), new.ljust(width - 2) + "  ")
    return Edit(start, end, new)


def _end(node: Any) -> int:
    """Where a value ends; a mark behind a block is at what comes next, so that of its last value is taken."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return node.end_mark.index
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _line_end(text: str, place: int) -> int:
    """The end of a line, before its line break."""
    found = text.find("\n", place)
    return len(text) if found < 0 else found


def _short(item: dict[str, Any]) -> dict[str, Any]:
    """A block or a family without what is at its default."""
    model: type[BaseModel] = FeatureBlock if "kind" in item else FamilyParams
    return model.model_validate(item).model_dump(mode="json", exclude_defaults=True)
