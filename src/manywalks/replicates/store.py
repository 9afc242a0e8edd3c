"""The kept replicates: where they lie, which to train next, when they are enough.

A replicate is one training of each family. Each training has a file of its own, in a folder named after
everything that made it (the family's features, split, targets, network, training, code), so what is there
can always be used, and named after its own content, so damage shows when it is read. Changing one family
leaves the files of the others as they are. A file also says inside which folder it was made for, so one
that was copied from another data set's folder is no replicate of this one.
"""

import hashlib
import io
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
from manywalks.params.sections.families import Family
from manywalks.replicates.draws import Draws
from manywalks.replicates.family_weights.folds import Folds
from manywalks.replicates.statistics.mixing import Mixing, in_endpoint_units, mix
from manywalks.train.problem import Replicate

NAME = re.compile(r"(\d{5})-([0-9a-f]{16})\.npz")


@dataclass(frozen=True)
class FamilyStore:
    """Folder of one family's trainings: of the same features, split, targets, network, training and code."""

    folder: Path
    family: Family

    @property
    def key(self) -> str:
        """Name of everything that made these trainings."""
        return self.folder.name


@dataclass(frozen=True)
class Store:
    """Where the replicates of the present inputs are, family by family, and how families are averaged.

    Attributes:
        families: one store for each.
        mixing: how they are averaged; None as long as their weights are still to be fitted.
        draws: how the training molecules were drawn for each replicate; None where all train.
        folds: of the training molecules, where each replicate leaves one out.
    """

    families: tuple[FamilyStore, ...]
    mixing: Mixing | None
    draws: Draws | None = None
    folds: Folds | None = None

    @property
    def folder(self) -> Path:
        """What the folders of the families lie in."""
        return self.families[0].folder.parent

    @property
    def key(self) -> str:
        """Name of everything that made these replicates."""
        if len(self.families) == 1:
            return self.families[0].key
        return hashlib.sha256(" ".join(one.key for one in self.families).encode()).hexdigest()[:16]

    @property
    def predictions_alone(self) -> bool:
        """Whether its replicates are part of no model, so that their networks are not kept."""
        return self.folds is not None or (self.draws is not None and self.draws.each > 0)

    def together(self, read: "Sequence[Training]") -> "Kept":
        """The replicate that one training of each family makes."""
        if self.mixing is None:
            raise ValueError(
                f"{self.folder}: the weights of the families are not fitted yet; run `manywalks train`"
            )
        parts = tuple(one.part for one in read)
        predictions = mix([part.predictions for part in parts], read[0].classes, self.mixing)
        left_out = [part.out_of_bag for part in parts if part.out_of_bag is not None]
        out_of_bag = mix(left_out, read[0].classes, self.mixing) if left_out else None
        return Kept(read[0].index, parts, predictions, out_of_bag)


class Part(NamedTuple):
    """One family's training; predictions (n_oos, t) in endpoint units, logits of classes.

    Where each replicate draws its molecules, `out_of_bag` (n_train, t) are those of the training molecules
    that it did not draw; NaN at the others.
    """

    weights: list[np.ndarray]
    predictions: np.ndarray
    epochs: int
    best_epoch: int
    diverged: bool
    engine: str
    out_of_bag: np.ndarray | None = None


class Kept(NamedTuple):
    """A replicate: one training of each family.

    Predictions (n_oos, t) are the families' average, in endpoint units, and probabilities for classes.
    They are float32, or float64 where there are classes or families: near 0 and 1 a float32 no longer tells
    the logit. `out_of_bag` (n_train, t): the same at the training molecules that the replicate did not draw,
    NaN at the others; None where all replicates train on all molecules.
    """

    index: int
    parts: tuple[Part, ...]
    predictions: np.ndarray
    out_of_bag: np.ndarray | None = None

    @property
    def diverged(self) -> bool:
        """Whether one of its trainings did."""
        return any(part.diverged for part in self.parts)


def entropy_of(store: FamilyStore, params: Params) -> int:
    """The entropy that a family's streams are spawned from: asked for, recorded, or drawn now and recorded.

    Trainings of another entropy are removed when one is asked for, since they are other ones.
    """
    path = store.folder / "entropy.json"
    asked = params.replicates.seed
    recorded = int(files.read_json(path)["entropy"]) if path.is_file() else None
    if recorded is not None and asked in (None, recorded):
        return recorded
    for file in saved_trainings(store).values():
        file.unlink()
    entropy = secrets.randbits(128) if asked is None else asked
    # a string: JSON numbers of 128 bits are rounded by many readers
    files.write_json(path, {"entropy": str(entropy)})
    return entropy


def saved_trainings(store: FamilyStore) -> dict[int, Path]:
    """Files of a family by replicate index; half-written and foreign names are not among them."""
    found = {}
    for path in sorted(store.folder.glob("*.npz")):
        if match := NAME.fullmatch(path.name):
            found[int(match[1])] = path
    return found


def saved_replicates(store: Store) -> dict[int, tuple[Path, ...]]:
    """Files of the replicates that every family has been trained for, by index."""
    found = [saved_trainings(one) for one in store.families]
    complete = sorted(set.intersection(*(set(one) for one in found)))
    return {index: tuple(one[index] for one in found) for index in complete}


def save_training(
    store: FamilyStore,
    replicate: Replicate,
    predictions: np.ndarray,
    engine: str,
    *,
    classes: Sequence[int] = (),
    out_of_bag: np.ndarray | None = None,
) -> Path:
    """Keep one training of a family; returns its file.

    Args:
        store: where to.
        replicate: its weights, and how it was trained.
        predictions: (n_oos, t) in endpoint units, logits in the columns `classes`.
        engine: what trained it.
        classes: columns of the endpoints that are classes.
        out_of_bag: (n_train, t) like `predictions`, NaN where the replicate has drawn the molecule.
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
    if out_of_bag is not None:
        arrays["out_of_bag"] = out_of_bag.astype(np.float32)
    content = files.npz_bytes(arrays)
    path = store.folder / f"{replicate.index:05d}-{files.sha256_bytes(content)[:16]}.npz"
    files.write_bytes(path, content)
    return path


class _Faulty(ValueError):
    """A training's file is damaged or of other inputs; what is wrong with it."""


class Training(NamedTuple):
    """A file of the store: of which replicate, and the columns of predictions that hold logits of classes."""

    index: int
    part: Part
    classes: list[int]


def _read(path: Path, *, weights: bool) -> Training:
    """One training, its file read once."""
    match, content = NAME.fullmatch(path.name), path.read_bytes()
    if match is None or files.sha256_bytes(content)[:16] != match[2]:
        raise _Faulty("is damaged (its content is not what its name says)")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        meta: dict[str, Any] = json.loads(str(arrays["meta"]))
        made_for, classes, index = meta.pop("store", None), meta.pop("classes", []), meta.pop("index")
        if made_for != path.parent.name:
            raise _Faulty(f"is a replicate of other inputs (made for {made_for}, not for {path.parent.name})")
        names = sorted(name for name in arrays.files if name.startswith("weight_")) if weights else []
        drawn = arrays["out_of_bag"] if "out_of_bag" in arrays.files else None
        part = Part([arrays[name] for name in names], arrays["predictions"], **meta, out_of_bag=drawn)
        return Training(index, part, classes)


def predictions_by_family(kept: Sequence[Kept], classes: Sequence[int]) -> list[np.ndarray]:
    """Each family's own (m, n_oos, t), in endpoint units; `classes` are the columns of classes."""
    by_family = zip(*(replicate.parts for replicate in kept), strict=True)
    return [
        in_endpoint_units(np.stack([part.predictions for part in parts]).astype(np.float64), classes)
        for parts in by_family
    ]


def read_training(path: Path, *, weights: bool = True) -> Training:
    """One training; a ValueError names a file that is damaged or foreign (it is trained again by a run)."""
    try:
        return _read(path, weights=weights)
    except _Faulty as error:
        raise ValueError(f"{path}: {error}; run `manywalks train`") from None


class Outcomes:
    """What the replicates of a store predict, each file read once however often they are looked at."""

    def __init__(self, store: Store) -> None:
        """Files that are damaged or of other inputs are removed: they are trained again."""
        self._store = store
        self._read: dict[Path, Training] = {}
        self._known: dict[tuple[Path, ...], Kept] = {}
        self.removed: list[int] = []
        for one in store.families:
            for index, path in saved_trainings(one).items():
                try:
                    self._read[path] = _read(path, weights=False)
                except _Faulty:
                    path.unlink()
                    self.removed.append(index)

    def look(self) -> list[Kept]:
        """The replicates that there are now, without their weights."""
        there = saved_replicates(self._store).values()
        for paths in there:
            if paths not in self._known:
                found = [self._read.get(path) or read_training(path, weights=False) for path in paths]
                self._known[paths] = self._store.together(found)
        return [self._known[paths] for paths in there]


def prune(store: Store, used: Sequence[int], also: Sequence[Path] = ()) -> None:
    """Leave the used replicates, those that diverged before them, and `also`; nothing of former keys."""
    last = max(used, default=-1)
    keep = set(also)
    for one in store.families:
        keep |= {path for index, path in saved_trainings(one).items() if index <= last}
        keep.add(one.folder / "entropy.json")
    folders = {one.folder for one in store.families}
    for path in sorted(store.folder.rglob("*"), reverse=True):
        if path.is_file() and path not in keep:
            path.unlink()
        elif path.is_dir() and path not in folders and not any(path.iterdir()):
            path.rmdir()


def read_used_replicates(store: Store, *, weights: bool = True) -> tuple[list[Kept], int]:
    """The replicates that make the ensemble, by index, and how many diverged on the way."""
    everything = [
        store.together([read_training(path, weights=weights) for path in paths])
        for paths in saved_replicates(store).values()
    ]
    kept = [replicate for replicate in everything if not replicate.diverged]
    if len(kept) < 2:
        raise ValueError(
            f"{store.folder}: holds {len(kept)} replicates of the present inputs; run `manywalks train`"
        )
    return kept, len(everything) - len(kept)
