"""Other parameters than the workspace's own: a folder for them, so that dvc.lock is never touched."""

import hashlib
from pathlib import Path

from manywalks import files
from manywalks.params.load import Params, load_params
from manywalks.params.render import render
from manywalks.pipeline import definition
from manywalks.workspace import Workspace


def run_beside(workspace: Workspace, params_file: Path) -> Workspace:
    """The workspace `runs/NAME` in the given one, its params.yaml made from `params_file`.

    The same file leads to the same folder, so a second run finds what the first one made. The data
    path is taken from the given workspace.
    """
    params = with_table(load_params(params_file), workspace.root)
    name = f"{params_file.stem}-{hashlib.sha256(str(params_file.resolve()).encode()).hexdigest()[:6]}"
    folder = workspace.root / "runs" / name
    return workspace_of(params, folder, f"Made from {params_file.name}; edit that, not this.")


def other_table(workspace: Workspace, params: Params) -> str:
    """A note where these parameters train another table than the workspace's own; "" where they do not."""
    if not workspace.params_file.is_file():
        return ""
    tables = [(workspace.root / path).resolve() for path in (params.data.path, workspace.params.data.path)]
    if tables[0] == tables[1]:
        return ""
    given, own = (path.name for path in tables) if tables[0].name != tables[1].name else tables
    return f"note: this file's table is {given}; the workspace's params.yaml has {own}"


def with_table(params: Params, root: Path) -> Params:
    """The parameters with the path of the raw table made absolute, from a folder that it is relative to."""
    table = str((root / params.data.path).resolve())
    return params.model_copy(update={"data": params.data.model_copy(update={"path": table})})


def workspace_of(params: Params, folder: Path, comment: str) -> Workspace:
    """The workspace at `folder` with these parameters; its params.yaml is written where it says otherwise."""
    target, text = folder / "params.yaml", render(params, comment)
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        files.write_text(target, text)
    return Workspace.open(folder)


MADE_BY = ("data", "curate", "featurize")


def data_workspace(workspace: Workspace, params: Params) -> Workspace:
    """A workspace with the curated table and features of `params`, or where they are to be made.

    The given workspace itself where its own are those and up to date; else a folder in its state, so that
    comparing never touches what the pipeline made.
    """
    if workspace.params_file.is_file() and _same(workspace.params, params) and _is_current(workspace):
        return workspace
    moved = with_table(params, workspace.root)
    name = hashlib.sha256(moved.model_dump_json(include=set(MADE_BY)).encode()).hexdigest()[:16]
    folder = workspace.state / "compare" / f"data-{name}"
    if (folder / "params.yaml").is_file():
        return Workspace.open(folder)
    return workspace_of(moved, folder, "Made for a comparison; no need to edit.")


def _same(one: Params, other: Params) -> bool:
    """Whether both make the same table and features."""
    return all(getattr(one, section) == getattr(other, section) for section in MADE_BY)


def _is_current(workspace: Workspace) -> bool:
    """Whether the workspace's own curated table and features are up to date."""
    stages = definition.load_stages(workspace)
    return all(definition.is_current(stages[name], workspace) for name in ("curate", "featurize"))
