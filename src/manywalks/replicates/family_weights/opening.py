"""The store of the networks of the folds, and any store of a workspace by its name."""

from typing import NamedTuple

from manywalks.replicates.family_weights.drawing import draw_folds
from manywalks.replicates.family_weights.folds import Folds
from manywalks.replicates.family_weights.kept import are_fitted
from manywalks.replicates.opening import open_draws, open_in, open_store
from manywalks.replicates.statistics.mixing import EVENLY
from manywalks.replicates.store import Store
from manywalks.train.prepare import read_groups, read_tables
from manywalks.workspace import Workspace

# below the folder of the replicates
FOLDER = "folds"


class FoldStore(NamedTuple):
    """The store of the networks that were trained without one fold of the training molecules."""

    store: Store
    folds: Folds


def open_folds(workspace: Workspace) -> FoldStore:
    """The store of the present inputs."""
    curated, subsets = read_tables(workspace)
    groups = read_groups(workspace).groups
    folds = draw_folds(curated, subsets, groups, workspace.params)
    made_from = {"folds": folds.digest, "each": folds.each}
    families = open_in(workspace, workspace.replicates / FOLDER, made_from)
    return FoldStore(Store(families, EVENLY, folds=folds), folds)


def open_called(workspace: Workspace, key: str) -> Store:
    """The store of this key; a ValueError where the workspace's inputs are others by now."""
    for opened in (open_store, open_draws):
        store = opened(workspace)
        if store.key == key:
            return store
    if are_fitted(workspace.params) and (store := open_folds(workspace).store).key == key:
        return store
    raise ValueError(
        f"{workspace.root}: data, params or code changed while the replicates trained; run again"
    )
