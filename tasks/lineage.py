"""What of a run is an asset: which data version the data set, the features and the model came from."""

from typing import NamedTuple

from manywalks.tasks.pipeline import Stage, content_hash
from manywalks.tasks.workspace import Workspace

# The output of a stage that is worth a line of its own, and what to call it.
ASSETS = {
    "curate": ("data/curated.parquet", "data set"),
    "featurize": ("data/features.npz", "features"),
    "ensemble": ("models/ensemble", "model"),
}
# What a key may not hold; longer ones are refused too.
_RESTRICTED = str.maketrans(dict.fromkeys("\n\r\t\0 #?&%\"'<>[]{}|\\^`", "_"))
_LONGEST = 512


class Lineage(NamedTuple):
    """An asset: its key, where it lies, what it is, and the keys of what it is made from."""

    key: str
    out: str
    name: str
    made_from: tuple[str, ...]
    version: str


def lineage_of(stage: Stage, workspace: Workspace) -> Lineage | None:
    """The asset that a stage makes, None where it makes none.

    Whatever it is made from besides, each names the version of the raw table itself: the way from data
    version to model is one step.
    """
    if stage.name not in ASSETS:
        return None
    out, name = ASSETS[stage.name]
    before = [_key(workspace, other) for other, _ in ASSETS.values() if other in stage.deps]
    version = version_of(workspace)
    table = f"{_key(workspace, workspace.params.data.path)}@{version}"
    return Lineage(_key(workspace, out), out, name, (table, *before), version)


def version_of(workspace: Workspace) -> str:
    """The raw table's version: the git revision that data.rev names, or else the md5 of the file."""
    return workspace.params.data.rev or content_hash(workspace.table) or "missing"


def _key(workspace: Workspace, path: str) -> str:
    """A URI of a file of the workspace; what a key may not hold is written as `_`."""
    return f"file://{workspace.root / path}".translate(_RESTRICTED)[:_LONGEST]
