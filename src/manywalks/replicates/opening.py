"""The stores of a workspace: its replicates, and those on other draws of its training molecules.

A family's folder is named after everything that made its trainings: the family's features, split, targets,
network, training, code, and how the training molecules were drawn.
"""

import dataclasses
import secrets
from pathlib import Path
from typing import Any

from manywalks import files
from manywalks.features import read_block_digests
from manywalks.params.sections.families import families_of
from manywalks.replicates.code_key import content_key
from manywalks.replicates.draws import SCHEME, Draws
from manywalks.replicates.statistics.mixing import Mixing
from manywalks.replicates.store import FamilyStore, Store
from manywalks.workspace import Workspace

# another number where files of a former version cannot be read: their replicates are trained again
FORMAT = 2
# replicates on each half of a pair, for the analysis of variance
EACH = 2


def open_store(workspace: Workspace) -> Store:
    """The store of the replicates for the workspace's present inputs."""
    bagged = workspace.params.replicates.rows == "bootstrap"
    folder = workspace.replicates
    return _open(workspace, folder, Draws(_entropy(workspace, folder), bootstrap=True) if bagged else None)


def open_draws(workspace: Workspace) -> Store:
    """The store of the replicates on other draws of the training molecules."""
    folder, bagged = workspace.draws, workspace.params.replicates.rows == "bootstrap"
    return _open(workspace, folder, Draws(_entropy(workspace, folder), EACH, bagged))


def open_called(workspace: Workspace, key: str) -> Store:
    """The store of this key; a ValueError where the workspace's inputs are others by now."""
    for opened in (open_store, open_draws):
        store = opened(workspace)
        if store.key == key:
            return store
    raise ValueError(
        f"{workspace.root}: data, params or code changed while the replicates trained; run again"
    )


def draws_file(folder: Path) -> Path:
    """Where the entropy that a store's draws are spawned from is recorded: `folder` is `Store.folder`."""
    return folder / "entropy.json"


def _entropy(workspace: Workspace, folder: Path) -> int:
    """The entropy of the draws: asked for, recorded, or drawn now and recorded.

    One for all families: the networks of a replicate are trained on the same draw.
    """
    path, asked = draws_file(folder), workspace.params.replicates.seed
    recorded = int(files.read_json(path)["entropy"]) if path.is_file() else None
    if recorded is not None and asked in (None, recorded):
        return recorded
    entropy = secrets.randbits(128) if asked is None else asked
    files.write_json(path, {"entropy": str(entropy)})
    return entropy


def _open(workspace: Workspace, folder: Path, draws: Draws | None) -> Store:
    """The store of the present inputs in a folder."""
    params = workspace.params
    shared: dict[str, Any] = {
        "files": {p.name: files.md5_file(p) for p in (workspace.curated, workspace.split)},
        "kinds": {name: endpoint.kind for name, endpoint in params.data.endpoints.items()},
        "format": FORMAT,
    }
    if draws is not None:
        drawn = dataclasses.asdict(draws) | {"entropy": str(draws.entropy)}
        # files of a former version lack what replicates say of molecules that they did not draw
        shared["draws"] = {**drawn, "scheme": SCHEME} | ({"out_of_bag": True} if draws.leave_out else {})
    digests = read_block_digests(workspace.features)
    families = []
    for family in families_of(params):
        prefixes = {block.prefix for block in family.params.featurize.blocks}
        made_from = {
            **shared,
            "family": family.name,
            "features": {block: digest for block, digest in digests.items() if block in prefixes},
            "params": family.params.model_dump(mode="json", include={"transform", "network", "train"}),
        }
        families.append(FamilyStore(folder / content_key(made_from), family))
    return Store(tuple(families), Mixing.of(params), draws)
