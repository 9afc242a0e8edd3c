"""params.tuned.yaml: the present params.yaml with the winner's values in it, comments and all."""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from manywalks import files
from manywalks.compare.configurations import differing
from manywalks.params.load import Params, parse_params
from manywalks.params.render import render
from manywalks.tune.space.space import called

NAME = "params.tuned.yaml"
HEAD = "Found by `manywalks tune`: use it with `manywalks train --params params.tuned.yaml`."


def write_tuned(params_file: Path, tuned: Params, target: Path) -> None:
    """Write the tuned parameters beside the present ones."""
    files.write_text(target, tuned_text(params_file.read_text(encoding="utf-8"), tuned))


def tuned_text(text: str, tuned: Params, head: str = HEAD) -> str:
    """The text of params.yaml with the tuned values below a line `head`; its comments and order stay."""
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 4096
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load(text)
    present = parse_params(YAML(typ="safe").load(text))
    raw = tuned.model_dump(mode="json")
    for key in differing(present, tuned):
        _set(content, raw, key)
    out = io.StringIO()
    yaml.dump(content, out)
    found = f"# {head}\n{out.getvalue()}"
    if parse_params(YAML(typ="safe").load(found)) == tuned:
        return found
    return render(tuned, head)  # such as keys that an anchor shares


def _set(content: Any, raw: dict[str, Any], key: str) -> None:
    """Set one key in the round-trip mapping; of a list of items, keep those that are left."""
    *path, last = key.split(".")
    for step in path:
        content, raw = content.setdefault(step, {}), raw[step]
    value = raw[last]
    if last in ("blocks", "families") and isinstance(content.get(last), list):
        _keep_items(content[last], value)
    else:
        content[last] = value


def _keep_items(present: Any, wanted: list[dict[str, Any]]) -> None:
    """Take items out of a list, add others, and set the keys that differ in those that stay."""
    by_name = {called(item): item for item in wanted}
    for place in range(len(present) - 1, -1, -1):
        if called(present[place]) not in by_name:
            del present[place]
    known = {called(item): item for item in present}
    for name, item in by_name.items():
        if name not in known:
            present.append(_short(item))
            continue
        for key, value in item.items():
            if key in known[name] and known[name][key] != value:
                known[name][key] = value
            elif key not in known[name] and value not in (None, {}, []):
                _add(known[name], key, value)


def _add(item: Any, key: str, value: Any) -> None:
    """A key that the item leaves at its default so far."""
    defaults = {"weight": 1.0, "radius": 2, "n_bits": 1024, "key": "smiles", "prefix": None}
    if defaults.get(key) != value:
        item[key] = value


def _short(item: dict[str, Any]) -> dict[str, Any]:
    """An item without what is not set."""
    return {key: value for key, value in item.items() if value not in (None, {}, [])}
