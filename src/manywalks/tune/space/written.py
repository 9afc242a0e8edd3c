"""params.tuned.yaml: the present params.yaml with the winner's values in it, comments and all."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError

from manywalks import files
from manywalks.params.load import Params, parse_params
from manywalks.params.render import render
from manywalks.tune.space.edits import edited

NAME = "params.tuned.yaml"
HEAD = "Found by `manywalks tune`: use it with `manywalks train --params params.tuned.yaml`."


def write_tuned(params_file: Path, tuned: Params, target: Path) -> None:
    """Write the tuned parameters beside the present ones."""
    files.write_text(target, tuned_text(params_file.read_text(encoding="utf-8"), tuned))


def tuned_text(text: str, tuned: Params, head: str = HEAD) -> str:
    """The text of params.yaml with the tuned values below a line `head`; all else stays as it is."""
    before = _read(text).model_dump(mode="json")
    found = edited(text, before, tuned.model_dump(mode="json"))
    if found is not None and _is(found, tuned):
        return f"# {head}\n{found}"
    return render(tuned, head)  # such as keys that an anchor shares


def _read(text: str) -> Params:
    """The parameters of a text."""
    content: Any = YAML(typ="safe").load(text)
    return parse_params(content)


def _is(text: str, tuned: Params) -> bool:
    """Whether a text has these parameters; edits of an anchor may leave what is no YAML."""
    try:
        return _read(text) == tuned
    except (YAMLError, ValueError):
        return False
