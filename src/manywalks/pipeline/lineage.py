"""What of a run is an asset: which data version the data set, the features and the model came from."""

from typing import NamedTuple

from manywalks.pipeline.definition import Stage, content_hash
from manywalks.pipeline.git import commit_of
from manywalks.workspace import Workspace

# The output of a stage that is worth a line of its own, and what to call it.
ASSETS = {
    "curate": ("data/curated.parquet", "data set"),
    "featurize": ("data/features.npz", "features"),
    "ensemble": ("models/ensemble", "model"),
}
# What a key may not hold; longer ones are refused too.
_RESTRICTED = str.maketrans(dict.fromkeys("\n\r\t\0 #?&%\"'<>[]{}|\\^`", "_"))
_LONGEST = 512


class Shown(NamedTuple):
    """What Prefect shows as an asset: its key, what it is, and the path in the workspace."""

    key: str
    name: str
    path: str


class Lineage(NamedTuple):
    """An asset, what it is made from, and the version of the raw table behind all of it."""

    asset: Shown
    made_from: tuple[Shown, ...]
    version: str


def lineage_of(stage: Stage, workspace: Workspace) -> Lineage | None:
    """The asset that a stage makes, None where it makes none.

    Whatever it is made from besides, each names the version of the raw table itself: the way from data
    version to model is one step.
    """
    if stage.name not in ASSETS:
        return None
    table = workspace.params.data.path
    version = version_of(workspace)
    sources = [Shown(_key(workspace, f"{table}@{version}"), "raw table", table)]
    sources += [_shown(workspace, *asset) for asset in ASSETS.values() if asset[0] in stage.deps]
    return Lineage(_shown(workspace, *ASSETS[stage.name]), tuple(sources), version)


def _shown(workspace: Workspace, path: str, name: str) -> Shown:
    """An output as an asset."""
    return Shown(_key(workspace, path), name, path)


def version_of(workspace: Workspace) -> str:
    """The raw table's version: the git commit that data.rev names, or else the md5 of the file."""
    rev = workspace.params.data.rev
    if rev is not None:
        return commit_of(workspace, rev)
    return content_hash(workspace.table) or "missing"


def _key(workspace: Workspace, path: str) -> str:
    """A URI of a file of the workspace; what a key may not hold is written as `_`."""
    return f"file://{workspace.root / path}".translate(_RESTRICTED)[:_LONGEST]
