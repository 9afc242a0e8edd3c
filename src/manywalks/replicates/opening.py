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
from manywalks.params.sections.block_sources import builder_content
from manywalks.params.sections.families import families_of
from manywalks.replicates.code_key import content_key
from manywalks.replicates.draws import SCHEME, Draws
from manywalks.replicates.family_weights.kept import are_fitted, read, read_mixing
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
    drawn = None
    if draws is not None:
        drawn = dataclasses.asdict(draws) | {"entropy": str(draws.entropy), "scheme": SCHEME}
        # files of a former version lack what replicates say of molecules that they did not draw
        drawn |= {"out_of_bag": True} if draws.leave_out else {}
    families = open_in(workspace, folder, {} if drawn is None else {"draws": drawn})
    return Store(families, _mixing(workspace), draws)


def _mixing(workspace: Workspace) -> Mixing | None:
    """How the families are averaged; None where their weights are still to be fitted."""
    params = workspace.params
    if not are_fitted(params):
        return Mixing.of(params)
    return read_mixing(workspace.replicates, inputs_key(workspace), params)


def fitted_weights(workspace: Workspace) -> dict[str, Any] | None:
    """By endpoint, what was fitted of the families' weights; None where they are the given ones."""
    params = workspace.params
    if not are_fitted(params):
        return None
    return read(workspace.replicates, inputs_key(workspace), params)


def inputs_key(workspace: Workspace) -> str:
    """Name of what the families' weights are fitted for: the present inputs, whatever is drawn from them."""
    return Store(open_in(workspace, workspace.replicates, {}), None).key


def open_in(workspace: Workspace, folder: Path, made_from: dict[str, Any]) -> tuple[FamilyStore, ...]:
    """The families' folders of the present inputs below `folder`.

    Args:
        workspace: whose.
        folder: of the stores.
        made_from: what else made the trainings, besides the workspace's inputs.
    """
    params = workspace.params
    shared: dict[str, Any] = {
        "files": {p.name: files.md5_file(p) for p in (workspace.curated, workspace.split)},
        "kinds": {name: endpoint.kind for name, endpoint in params.data.endpoints.items()},
        "format": FORMAT,
        **made_from,
    }
    digests = read_block_digests(workspace.features)
    families = []
    for family in families_of(params):
        prefixes = {block.prefix for block in family.params.featurize.blocks}
        content = {
            **shared,
            "family": family.name,
            "features": {block: digest for block, digest in digests.items() if block in prefixes},
            "params": family.params.model_dump(mode="json", include={"transform", "network", "train"}),
        }
        if (builder := builder_content(family.params.network.builder, workspace.root)) is not None:
            content["builder"] = builder
        families.append(FamilyStore(folder / content_key(content), family))
    return tuple(families)
