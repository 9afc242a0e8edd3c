"""The kept replicates: where they lie, which to train next, when they are enough.

A replicate's file lies in a folder named after everything that made it (features, split, targets,
network, training, code), so what stands there can always be used, and is named after its own
content, so damage shows when it is read. It also says inside which folder it was made for, so one that was
copied from another data set's folder is no replicate of this one.
"""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from manywalks import files
from manywalks.params.load import Params
from manywalks.replicates.code_key import content_key
from manywalks.train.problem import Replicate
from manywalks.workspace import Workspace

NAME = re.compile(r"(\d{5})-([0-9a-f]{16})\.npz")


@dataclass(frozen=True)
class Store:
    """Folder of the replicates that share features, split, targets, network, training and code."""

    folder: Path

    @property
    def key(self) -> str:
        """Name of everything that made these replicates."""
        return self.folder.name


class Kept(NamedTuple):
    """A replicate as it was read back; predictions (n_oos, t) in endpoint units."""

    index: int
    weights: list[np.ndarray]
    predictions: np.ndarray
    epochs: int
    best_epoch: int
    diverged: bool
    engine: str


def open_store(workspace: Workspace) -> Store:
    """The store for the workspace's present inputs."""
    params = workspace.params
    made_from = {
        "files": {
            p.name: files.md5_file(p) for p in (workspace.curated, workspace.features, workspace.split)
        },
        "params": params.model_dump(mode="json", include={"transform", "network", "train"}),
        "kinds": {name: endpoint.kind for name, endpoint in params.data.endpoints.items()},
    }
    return Store(workspace.replicates / content_key(made_from))


def entropy_of(store: Store, params: Params) -> int:
    """The entropy that all streams are spawned from: asked for, recorded, or drawn now and recorded.

    Replicates of another entropy are removed when one is asked for, since they are other replicates.
    """
    path = store.folder / "entropy.json"
    asked = params.replicates.seed
    recorded = int(files.read_json(path)["entropy"]) if path.is_file() else None
    if recorded is not None and asked in (None, recorded):
        return recorded
    for file in saved_replicates(store).values():
        file.unlink()
    entropy = secrets.randbits(128) if asked is None else asked
    # a string: JSON numbers of 128 bits are rounded by many readers
    files.write_json(path, {"entropy": str(entropy)})
    return entropy


def saved_replicates(store: Store) -> dict[int, Path]:
    """Files of the store by replicate index; half-written and foreign names are not among them."""
    found = {}
    for path in sorted(store.folder.glob("*.npz")):
        if match := NAME.fullmatch(path.name):
            found[int(match[1])] = path
    return found


def save_replicate(store: Store, replicate: Replicate, predictions: np.ndarray, engine: str) -> Path:
    """Keep one replicate, its `predictions` (n_oos, t) in endpoint units; returns its file."""
    meta = {
        "index": replicate.index,
        "epochs": replicate.epochs,
        "best_epoch": replicate.best_epoch,
        "diverged": replicate.diverged,
        "engine": engine,
        "store": store.key,
    }
    arrays = {f"weight_{i:03d}": weight for i, weight in enumerate(replicate.weights)}
    arrays |= {"predictions": predictions.astype(np.float32), "meta": np.array(json.dumps(meta))}
    content = files.npz_bytes(arrays)
    path = store.folder / f"{replicate.index:05d}-{files.sha256_bytes(content)[:16]}.npz"
    files.write_bytes(path, content)
    return path


def check(path: Path) -> str | None:
    """What is wrong with a replicate's file; None where nothing is."""
    match = NAME.fullmatch(path.name)
    if match is None or files.sha256_bytes(path.read_bytes())[:16] != match[2]:
        return "is damaged (its content is not what its name says)"
    made_for = json.loads(str(files.read_npz(path)["meta"])).get("store")
    if made_for != path.parent.name:
        return f"is a replicate of other inputs (made for {made_for}, not for {path.parent.name})"
    return None


def read_replicate(path: Path) -> Kept:
    """One replicate; a ValueError names a file that is damaged or foreign (training again mends it)."""
    if wrong := check(path):
        raise ValueError(f"{path}: {wrong}; run `manywalks train`")
    arrays = files.read_npz(path)
    meta: dict[str, Any] = json.loads(str(arrays["meta"]))
    del meta["store"]
    weights = [arrays[name] for name in sorted(arrays) if name.startswith("weight_")]
    return Kept(weights=weights, predictions=arrays["predictions"], **meta)


def drop_damaged(store: Store) -> list[int]:
    """Remove files that are damaged or of other inputs; returns their indices."""
    damaged = {index: path for index, path in saved_replicates(store).items() if check(path)}
    for path in damaged.values():
        path.unlink()
    return sorted(damaged)


def prune(store: Store, used: Sequence[int]) -> None:
    """Leave the used replicates and those that diverged before them; nothing of former keys."""
    last = max(used, default=-1)
    for index, path in saved_replicates(store).items():
        if index > last:
            path.unlink()
    keep = set(saved_replicates(store).values()) | {store.folder / "entropy.json"}
    for path in sorted(store.folder.parent.rglob("*"), reverse=True):
        if path.is_file() and path not in keep:
            path.unlink()
        elif path.is_dir() and path != store.folder and not any(path.iterdir()):
            path.rmdir()


def read_used_replicates(store: Store) -> tuple[list[Kept], int]:
    """The replicates that make the ensemble, by index, and how many diverged on the way."""
    everything = [read_replicate(path) for _, path in sorted(saved_replicates(store).items())]
    kept = [replicate for replicate in everything if not replicate.diverged]
    if len(kept) < 2:
        raise ValueError(
            f"{store.folder}: holds {len(kept)} replicates of the present inputs; run `manywalks train`"
        )
    return kept, len(everything) - len(kept)
