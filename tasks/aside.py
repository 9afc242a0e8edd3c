"""Other parameters than the workspace's own: a folder for them, so that dvc.lock is never touched."""

import hashlib
from pathlib import Path

from manywalks.tasks import files
from manywalks.tasks.params import load_params
from manywalks.tasks.params_text import render
from manywalks.tasks.workspace import Workspace


def run_aside(workspace: Workspace, params_file: Path) -> Workspace:
    """The workspace `runs/NAME` in the given one, its params.yaml made from `params_file`.

    The same file leads to the same folder, so a second run finds what the first one made. The data
    path is taken from the given workspace.
    """
    params = load_params(params_file)
    table = (workspace.root / params.data.path).resolve()
    params = params.model_copy(update={"data": params.data.model_copy(update={"path": str(table)})})
    text = render(params, f"Made from {params_file.name}; edit that, not this.")
    name = f"{params_file.stem}-{hashlib.sha256(str(params_file.resolve()).encode()).hexdigest()[:6]}"
    folder = workspace.root / "runs" / name
    target = folder / "params.yaml"
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        files.write_text(target, text)
    return Workspace.open(folder)
