"""Where a configuration's curated table and features lie: the workspace itself, or a folder aside."""

import hashlib

from manywalks.tasks import files, pipeline
from manywalks.tasks.params import Params
from manywalks.tasks.params_text import render
from manywalks.tasks.workspace import Workspace

MADE_BY = ("data", "curate", "featurize")


def ground_of(workspace: Workspace, params: Params) -> Workspace:
    """A workspace with the curated table and features of `params`, or where they are to be made.

    The given workspace itself where its own are those and up to date; else a folder in its state, so that
    comparing never touches what the pipeline made.
    """
    if workspace.params_file.is_file() and _same(workspace.params, params) and _stands(workspace):
        return workspace
    table = (workspace.root / params.data.path).resolve()
    moved = params.model_copy(update={"data": params.data.model_copy(update={"path": str(table)})})
    text = render(moved, "Made for a comparison; no need to edit.")
    name = hashlib.sha256(moved.model_dump_json(include=set(MADE_BY)).encode()).hexdigest()[:16]
    folder = workspace.state / "compare" / f"ground-{name}"
    if not (folder / "params.yaml").is_file():
        files.write_text(folder / "params.yaml", text)
    return Workspace.open(folder)


def _same(one: Params, other: Params) -> bool:
    """Whether both make the same table and features."""
    return all(getattr(one, section) == getattr(other, section) for section in MADE_BY)


def _stands(workspace: Workspace) -> bool:
    """Whether the workspace's own curated table and features are up to date."""
    stages = pipeline.load_stages(workspace)
    return all(pipeline.is_current(stages[name], workspace) for name in ("curate", "featurize"))
