"""params.tuned.yaml: the present params.yaml with the winner's values in it, comments and all."""

import re
import shlex
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError

from manywalks import files
from manywalks.params.load import Params, parse_params
from manywalks.params.render import render
from manywalks.tune.space.edits import edited

NAME = "params.tuned.yaml"
HEAD = "Found by `manywalks tune`"
_FOUND = re.compile(rf"# {HEAD} \((.+?)\)\.")


def write_tuned(params_file: Path, tuned: Params, target: Path, head: str) -> None:
    """Write the tuned parameters beside the present ones, below a line `head`."""
    files.write_text(target, tuned_text(params_file.read_text(encoding="utf-8"), tuned, head))


def earlier(target: Path) -> str | None:
    """Of which search a params.tuned.yaml is; "" where it does not say so, None where there is none."""
    if not target.is_file():
        return None
    found = _FOUND.match(target.read_text(encoding="utf-8"))
    return found[1] if found else ""


def train_command(root: Path, here: Path) -> str:
    """The command that trains with the tuned settings of a workspace, as one types it in a folder `here`."""
    if root == here:
        return f"manywalks train --params {NAME}"
    folder = root.relative_to(here) if root.is_relative_to(here) else root
    quoted = [shlex.quote(str(path)) for path in (folder, folder / NAME)]
    return f"manywalks train --workspace {quoted[0]} --params {quoted[1]}"


def tuned_text(text: str, tuned: Params, head: str) -> str:
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
