"""The kept replicates: where they lie, which to train next, when they are enough.

A replicate's file lies in a folder named after everything that made it (features, split, targets,
network, training, code), so what stands there can always be used, and is named after its own
content, so damage shows when it is read. It also says inside which folder it was made for, so one that was
copied from another data set's folder is no replicate of this one.
"""

import io
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from manywalks import files
from manywalks.params.load import Params
from manywalks.replicates.code_key import content_key
from manywalks.train.problem import Replicate
from manywalks.workspace import Workspace

# another number where files of a former version cannot be read: their replicates are trained again
FORMAT = 2
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
    """A replicate as it was read back.

    Predictions (n_oos, t) are in endpoint units, and probabilities for classes. They are float32, or float64
    where there are classes: near 0 and 1 a float32 no longer tells the logit.
    """

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
        "format": FORMAT,
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


def save_replicate(
    store: Store, replicate: Replicate, predictions: np.ndarray, engine: str, *, classes: Sequence[int] = ()
) -> Path:
    """Keep one replicate; returns its file.

    Args:
        store: where to.
        replicate: its weights, and how it was trained.
        predictions: (n_oos, t) in endpoint units, logits in the columns `classes`.
        engine: what trained it.
        classes: columns of the endpoints that are classes.
    """
    meta = {
        "index": replicate.index,
        "epochs": replicate.epochs,
        "best_epoch": replicate.best_epoch,
        "diverged": replicate.diverged,
        "engine": engine,
        "store": store.key,
        "classes": list(classes),
    }
    arrays = {f"weight_{i:03d}": weight for i, weight in enumerate(replicate.weights)}
    arrays |= {"predictions": predictions.astype(np.float32), "meta": np.array(json.dumps(meta))}
    content = files.npz_bytes(arrays)
    path = store.folder / f"{replicate.index:05d}-{files.sha256_bytes(content)[:16]}.npz"
    files.write_bytes(path, content)
    return path


class _Faulty(ValueError):
    """A replicate's file is damaged or of other inputs; what is wrong with it."""


def _read(path: Path, *, weights: bool) -> Kept:
    """One replicate, its file read once."""
    match, content = NAME.fullmatch(path.name), path.read_bytes()
    if match is None or files.sha256_bytes(content)[:16] != match[2]:
        raise _Faulty("is damaged (its content is not what its name says)")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        meta: dict[str, Any] = json.loads(str(arrays["meta"]))
        made_for, classes = meta.pop("store", None), meta.pop("classes", [])
        if made_for != path.parent.name:
            raise _Faulty(f"is a replicate of other inputs (made for {made_for}, not for {path.parent.name})")
        names = sorted(name for name in arrays.files if name.startswith("weight_")) if weights else []
        return Kept(
            weights=[arrays[name] for name in names],
            predictions=_in_endpoint_units(arrays["predictions"], classes),
            **meta,
        )


def _in_endpoint_units(predictions: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Kept predictions (n, t), with the logits of classes as probabilities."""
    if not classes:
        return predictions
    found = predictions.astype(np.float64)
    found[:, list(classes)] = special.expit(found[:, list(classes)])
    return found


def read_replicate(path: Path, *, weights: bool = True) -> Kept:
    """One replicate; a ValueError names a file that is damaged or foreign (it is trained again by a run)."""
    try:
        return _read(path, weights=weights)
    except _Faulty as error:
        raise ValueError(f"{path}: {error}; run `manywalks train`") from None


class Outcomes:
    """What the replicates of a store predict, each file read once however often they are looked at."""

    def __init__(self, store: Store) -> None:
        """Files that are damaged or of other inputs are removed: their replicates are trained again."""
        self._store = store
        self._known: dict[Path, Kept] = {}
        self.removed: list[int] = []
        for index, path in saved_replicates(store).items():
            try:
                self._known[path] = _read(path, weights=False)
            except _Faulty:
                path.unlink()
                self.removed.append(index)

    def look(self) -> list[Kept]:
        """The replicates that there are now, without their weights."""
        paths = saved_replicates(self._store).values()
        self._known |= {
            path: read_replicate(path, weights=False) for path in paths if path not in self._known
        }
        return [self._known[path] for path in paths]


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
