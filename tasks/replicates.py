"""The kept replicates: where they lie, which to train next, when they are enough.

A replicate's file lies in a folder named after everything that made it (features, split, targets,
network, training, code), so what stands there can always be used, and is named after its own
content, so damage shows when it is read. It also says inside which folder it was made for, so one that was
copied from another data set's folder is no replicate of this one.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.tasks import files
from manywalks.tasks.bound import next_count, projected_count, resolve_tolerance
from manywalks.tasks.code import FOLDER, training_code
from manywalks.tasks.params import Params
from manywalks.tasks.walk import Replicate
from manywalks.tasks.workspace import Workspace

NAME = re.compile(r"(\d{5})-([0-9a-f]{16})\.npz")
# so many walks may end as not finite before the settings, not the walk, are to blame
DIVERGED_LIMIT = 8


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
        "code": {name: files.md5_file(FOLDER / name) for name in training_code()},
    }
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    return Store(workspace.replicates / digest[:16])


def entropy_of(store: Store, params: Params) -> int:
    """The entropy that all streams are spawned from: asked for, recorded, or drawn now and recorded.

    Replicates of another entropy are removed when one is asked for, since they are other walks.
    """
    path = store.folder / "entropy.json"
    asked = params.replicates.entropy
    recorded = int(files.read_json(path)["entropy"]) if path.is_file() else None
    if recorded is not None and asked in (None, recorded):
        return recorded
    for file in saved(store).values():
        file.unlink()
    entropy = secrets.randbits(128) if asked is None else asked
    # a string: JSON numbers of 128 bits are rounded by many readers
    files.write_json(path, {"entropy": str(entropy)})
    return entropy


def saved(store: Store) -> dict[int, Path]:
    """Files of the store by replicate index; half-written and foreign names are not among them."""
    found = {}
    for path in sorted(store.folder.glob("*.npz")):
        if match := NAME.fullmatch(path.name):
            found[int(match[1])] = path
    return found


def save(store: Store, replicate: Replicate, predictions: np.ndarray, engine: str) -> Path:
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


def read(path: Path) -> Kept:
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
    damaged = {index: path for index, path in saved(store).items() if check(path)}
    for path in damaged.values():
        path.unlink()
    return sorted(damaged)


class Plan(NamedTuple):
    """What a look at the replicates says.

    Attributes:
        missing: indices to train before the next look; empty when there are enough.
        used: indices that make the ensemble as far as they stand.
        expected: how many replicates it will take, as far as one can tell now.
    """

    missing: list[int]
    used: list[int]
    expected: int


def plan(kept: Sequence[Kept], tolerances: Sequence[float], params: Params) -> Plan:
    """Look at the replicates from the first on, as if each look had been taken when it came.

    So a run that was broken off, or that finds more than it needs, ends with the same replicates as
    an undisturbed one.

    Args:
        kept: replicates in any order, with any gaps.
        tolerances: (t,) in endpoint units.
        params: all parameters; `replicates` counts here.
    """
    by_index = {replicate.index: replicate for replicate in kept}
    asked = params.replicates
    unbroken = _unbroken(by_index)
    predictions = np.stack([replicate.predictions for replicate in unbroken]) if unbroken else None
    settings = {"minimum": asked.min, "maximum": asked.max, "count": asked.count}
    wanted = next_count(predictions, tolerances, asked.confidence, **settings)
    attempts = _first(by_index, wanted)
    expected = projected_count(predictions, tolerances, asked.confidence, **settings)
    return Plan(attempts.missing, attempts.good, expected)


def _unbroken(by_index: dict[int, Kept]) -> list[Kept]:
    """Replicates that did not diverge, in order, up to the first one that is not there."""
    found = []
    for index in range(len(by_index)):
        if index not in by_index:
            break
        if not by_index[index].diverged:
            found.append(by_index[index])
    return found


class _Attempts(NamedTuple):
    good: list[int]
    missing: list[int]


def _first(by_index: dict[int, Kept], count: int) -> _Attempts:
    """The first `count` replicates that did not diverge, and the indices still to be trained for it."""
    good: list[int] = []
    missing: list[int] = []
    diverged = index = 0
    while len(good) + len(missing) < count:
        replicate = by_index.get(index)
        if replicate is None:
            missing.append(index)
        elif replicate.diverged:
            diverged += 1
        else:
            good.append(index)
        index += 1
    if diverged > max(DIVERGED_LIMIT, len(good)):
        raise ValueError(
            f"train: {diverged} of {diverged + len(good)} replicates diverged; lower train.learning_rate"
        )
    return _Attempts(good, missing)


def tolerances_of(
    curated: pd.DataFrame, parts: np.ndarray, card: dict[str, Any], params: Params
) -> list[float]:
    """The tolerance of each endpoint, in its unit: (t,). `card` is reports/data.json."""
    found = []
    for name, endpoint in params.data.endpoints.items():
        asked, key = params.replicates.tolerance, "replicates.tolerance"
        if endpoint.tolerance is not None:
            asked, key = endpoint.tolerance, f"data.endpoints.{name}.tolerance"
        sd, noise = observed_sd(curated, parts, name), assay_noise(card, name)
        found.append(resolve_tolerance(asked, sd, noise, key=key))
    return found


def observed_sd(curated: pd.DataFrame, parts: np.ndarray, name: str) -> float:
    """Standard deviation of an endpoint over the train part, in its unit."""
    return float(np.nanstd(curated.loc[parts == "train", name].to_numpy(dtype=np.float64), ddof=1))


def assay_noise(card: dict[str, Any], name: str) -> float | None:
    """Pooled standard deviation of repeated measurements, in the endpoint's unit; None without repeats.

    From the data card (reports/data.json): the curated table lacks the molecules that were rejected because
    their repeats are far apart, and counts bounds among the repeats.
    """
    return card["endpoints"][name]["repeats"]["noise_sd"]


def prune(store: Store, used: Sequence[int]) -> None:
    """Leave the used replicates and those that diverged before them; nothing of former keys."""
    last = max(used, default=-1)
    for index, path in saved(store).items():
        if index > last:
            path.unlink()
    keep = set(saved(store).values()) | {store.folder / "entropy.json"}
    for path in sorted(store.folder.parent.rglob("*"), reverse=True):
        if path.is_file() and path not in keep:
            path.unlink()
        elif path.is_dir() and path != store.folder and not any(path.iterdir()):
            path.rmdir()


def packs(missing: Sequence[int], processes: int) -> list[list[int]]:
    """Deal the missing replicates to so many processes, as evenly as can be."""
    dealt = [list(missing[start::processes]) for start in range(processes)]
    return [pack for pack in dealt if pack]


def read_used(store: Store) -> tuple[list[Kept], int]:
    """The replicates that make the ensemble, by index, and how many diverged on the way."""
    everything = [read(path) for _, path in sorted(saved(store).items())]
    kept = [replicate for replicate in everything if not replicate.diverged]
    if len(kept) < 2:
        raise ValueError(
            f"{store.folder}: holds {len(kept)} replicates of the present inputs; run `manywalks train`"
        )
    return kept, len(everything) - len(kept)
