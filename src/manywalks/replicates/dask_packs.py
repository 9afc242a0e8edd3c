"""Packs on the workers of a Dask cluster, which share no disk with the driver.

Every worker gets once what replicates are made of. A pack is then a few numbers, and comes back as files
named after their content.
"""

from pathlib import Path

from distributed import get_worker

from manywalks import files
from manywalks.replicates.family_weights.opening import open_called
from manywalks.replicates.opening import draws_file
from manywalks.replicates.packs import run_pack
from manywalks.replicates.store import NAME, Store, saved_replicates, saved_trainings
from manywalks.runtime import object_store
from manywalks.runtime.dask_cluster import bundle, delivered
from manywalks.runtime.steps.step_process import StepFailed
from manywalks.workspace import Workspace

# A killed worker costs the packs it had in hand, and a pack's process takes some seconds to start.
PACK = 8


def training_bundle(workspace: Workspace, store: Store) -> bytes:
    """What a worker needs to train replicates of the store: files of a workspace."""
    entropies = [family.folder / "entropy.json" for family in store.families]
    if store.draws is not None:
        entropies.append(draws_file(store.folder))
    paths = [workspace.params_file, workspace.curated, workspace.features, workspace.split, *entropies]
    return bundle(paths, workspace.root)


def _files(store: Store) -> dict[str, Path]:
    """The store's files by where they lie in it: family/name."""
    return {
        f"{family.key}/{path.name}": path
        for family in store.families
        for path in saved_trainings(family).values()
    }


def run_far_pack(key: str, indices: list[int], root: str | None = None) -> dict[str, bytes | None]:
    """On a worker: train the replicates `indices`; their files by family/name (None: in the storage root).

    The root comes with the pack, since a worker keeps the bundle that a former driver brought it, which may
    have had another root or none.

    Raises:
        ValueError: the worker's code is not the driver's, so its replicates would be others.
        StepFailed: the worker has not got the bundle yet, or the pack failed in a way that can pass.
    """
    workspace = Workspace.open(delivered(key))
    try:
        store = open_called(workspace, key)
    except ValueError:
        raise ValueError(
            f"{get_worker().address}: runs other code of manywalks than the driver; install the same version"
        ) from None
    run_pack(workspace, key, indices)
    own = {path for index, paths in saved_replicates(store).items() if index in indices for path in paths}
    made = {name: path.read_bytes() for name, path in _files(store).items() if path in own}
    if root is None:
        return dict(made)
    for name, content in made.items():
        object_store.put(root, f"{key}/replicates/{name}", content)
    return dict.fromkeys(made)


def keep(store: Store, made: dict[str, bytes | None], root: str | None) -> int:
    """On the driver: keep what a pack made, each file checked against its name; how many."""
    for name, content in made.items():
        if content is None:
            content = object_store.get(str(root), f"{store.key}/replicates/{name}")
        family, _, file = name.partition("/")
        match = NAME.fullmatch(file)
        known = family in {one.key for one in store.families}
        if match is None or not known or files.sha256_bytes(content)[:16] != match[2]:
            raise StepFailed(f"replicate {name} came damaged from its worker")
        files.write_bytes(store.folder / name, content)
    return len(made)


def collect(store: Store, root: str) -> int:
    """Keep what workers had left in the storage root when a former driver ended; how many."""
    here, there = _files(store), []
    for family in store.families:
        names = object_store.names(root, f"{store.key}/replicates/{family.key}")
        there += [f"{family.key}/{name}" for name in names]
    return keep(store, {name: None for name in there if name not in here}, root)


def smaller(packs: list[list[int]]) -> list[list[int]]:
    """Packs of at most PACK replicates."""
    return [pack[start : start + PACK] for pack in packs for start in range(0, len(pack), PACK)]
