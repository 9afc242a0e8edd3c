"""A comparison from start to end: what to train next, which configuration is out, what was found."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.compare.configurations import Configuration, changes, same_model
from manywalks.compare.design import Design, Share, beaten, looks_of
from manywalks.compare.folds import (
    load_fold_predictions,
    open_fold_store,
    read_recipe,
    split_name,
    write_splits,
)
from manywalks.compare.report.score_table import ScoreTable
from manywalks.compare.scores import Scores, check_splits, criteria_of, judge
from manywalks.params.load import Params
from manywalks.replicates.plan import tolerances_of
from manywalks.split.distance import folds_distance
from manywalks.split.left_out import left_out, without
from manywalks.split.split import folds
from manywalks.workspace import Workspace


class Study:
    """Splits, configurations and replicates of one comparison; `shares` says what to train next."""

    def __init__(
        self,
        workspace: Workspace,
        configurations: Sequence[Configuration],
        data_workspaces: Sequence[Workspace],
        design: Design,
        entropy: int | None = None,
    ) -> None:
        """Curated tables and features are in `data_workspaces`, one for each configuration."""
        self.design = design
        self.names = [one.name for one in configurations]
        self._configurations = list(configurations)
        self._present = workspace.params
        self._data_workspaces = list(data_workspaces)
        params = configurations[0].params
        self.params = params
        self.curated = _one_table(data_workspaces)
        out = np.any([left_out(self.curated, one.not_featurized) for one in data_workspaces], axis=0)
        drawn = folds(self.curated, params.split, design.repeats, design.folds)
        # a molecule that one configuration cannot featurize is in no other's subsets either
        self.splits = [without(subsets, out) for subsets in drawn]
        check_splits(self.curated, self.splits, params, design.metric)
        self._without_features = int(np.count_nonzero(out & _in_any(drawn)))
        folder = workspace.state / "compare"
        self._splits_file = folder / f"splits-{_digest(self.splits)}.npz"
        write_splits(self._splits_file, self.splits)
        self._fold_stores = [
            open_fold_store(
                folder, data_workspace, one, one.params.replicates.seed if entropy is None else entropy
            )
            for one, data_workspace in zip(configurations, data_workspaces, strict=True)
        ]
        everywhere = np.full(len(self.curated), "train")
        card = files.read_json(data_workspaces[0].reports / "data.json")
        tolerances = tolerances_of(self.curated, everywhere, card, params)
        self.scores = [
            Scores.of(
                criteria_of(
                    name,
                    endpoint,
                    params,
                    tolerance=tolerance,
                    metric=design.metric,
                    threshold=design.threshold,
                ),
                self.curated,
            )
            for (name, endpoint), tolerance in zip(params.data.endpoints.items(), tolerances, strict=True)
        ]
        self.stopped: dict[int, dict[str, Any]] = {}
        self._looks = looks_of(design.repeats, design.folds, params.replicates.confidence, stop=design.stop)
        self._round = 0
        self._last = [len(self.splits)] * len(self.names)  # where each configuration stops

    @property
    def ratio(self) -> float:
        """Test molecules over training molecules."""
        return self._mean_size("test") / self._mean_size("train")

    def _mean_size(self, subset: str) -> float:
        """Molecules of a part, mean over the splits."""
        return float(np.mean([(subsets == subset).sum() for subsets in self.splits]))

    @property
    def expected(self) -> int:
        """Replicates of the whole study, as far as one can tell now."""
        return sum(self._last) * self.design.replicates

    @property
    def trained(self) -> int:
        """Replicates that stand."""
        return len(self.scores[0].found) * self.design.replicates

    def kept(self) -> int:
        """Replicates on disk now, those that no look has scored yet among them."""
        names = [split_name(subsets) for subsets in self.splits]
        stored = [store.of_split(name) is not None for store in self._fold_stores for name in names]
        return sum(stored) * self.design.replicates

    def shares(self, processes: int) -> list[Share]:
        """What is to be trained before the next look, in pieces for so many processes; none at the end."""
        while self._round < len(self._looks.splits):
            self._read()
            missing = {c: self._missing(c) for c in self._running()}
            missing = {c: splits for c, splits in missing.items() if splits}
            if missing:
                # one per core, and no process so long that a failure costs more than a few splits
                pieces = math.ceil(max(processes, self.expected / 200) / len(missing))
                return [
                    self._share(c, numbers)
                    for c, splits in missing.items()
                    for numbers in _dealt(splits, pieces)
                ]
            self._look()
        return []

    def _share(self, configuration: int, numbers: list[int]) -> Share:
        """One configuration's replicates on the splits of those numbers."""
        store, data = self._fold_stores[configuration], self._data_workspaces[configuration]
        return Share(store.folder, data.root, self._splits_file, numbers, self._count)

    @property
    def _count(self) -> int:
        return self.design.replicates

    def _running(self) -> list[int]:
        """Configurations that have not been stopped."""
        return [c for c in range(len(self.names)) if c not in self.stopped]

    def _missing(self, configuration: int) -> list[int]:
        """Splits of this look on which replicates are missing."""
        return [
            s
            for s in range(self._looks.splits[self._round])
            if (s, configuration) not in self.scores[0].found
        ]

    def _read(self) -> None:
        """Score what has been trained since the last time."""
        for c in self._running():
            for s in self._missing(c):
                replicates = load_fold_predictions(self._fold_stores[c], split_name(self.splits[s]))
                if len(replicates.predictions) < self._count:
                    continue
                test = np.flatnonzero(self.splits[s] == "test")
                for column, scores in enumerate(self.scores):
                    scores.add(s, c, test, replicates.predictions[: self._count, :, column])

    def _look(self) -> None:
        """Stop configurations that are worse beyond doubt at every endpoint; go on to the next round."""
        done, early = self._looks.splits[self._round], self._looks.early
        self._round += 1
        if self._round == len(self._looks.splits):
            return
        running = self._running()
        found = [beaten(self._table(one), one.terms.threshold, early, running) for one in self.scores]
        for c in running:
            if all(c in of_endpoint for of_endpoint in found):
                by = self.names[found[0][c]]
                self.stopped[c] = {"splits": done, "by": by, "confidence": early}
                self._last[c] = done
        if len(self._running()) == 1:
            self._last[self._running()[0]] = done
            self._round = len(self._looks.splits)

    def _table(self, scores: Scores) -> ScoreTable:
        """An endpoint's scores as far as they are there."""
        return scores.table(len(self.splits), len(self.names), self.ratio, self.design.folds)

    @property
    def _design(self) -> dict[str, Any]:
        return {"replicates": self._count, "folds": self.design.folds}

    @property
    def _used(self) -> int:
        """Molecules that the splits train or test on; a fixed test subset takes no part."""
        return int(np.count_nonzero(_in_any(self.splits)))

    def described(self) -> dict[str, Any]:
        """How the comparison was made."""
        return {
            "repeats": self.design.repeats,
            "folds": self.design.folds,
            "splits": len(self.splits),
            "replicates": self._count,
            "trained": self.trained,
            "molecules": self._used,
            "left_out": len(self.curated) - self._used,
            "without_features": self._without_features,
            "test": round(self._mean_size("test")),
            "train": round(self._mean_size("train")),
            "method": self.params.split.method,
            "looks": len(self._looks.splits),
            "similarity": folds_distance(self.curated["smiles"].tolist(), self.splits),
        }

    def result(self) -> dict[str, Any]:
        """What reports/compare.json holds."""
        replicates = [
            load_fold_predictions(fold_store, split_name(self.splits[0])) for fold_store in self._fold_stores
        ]
        return {
            "design": self.described(),
            "configurations": [
                {
                    "name": name,
                    "differs": changed,
                    "present": same_model(self._present, self._configurations[c].params),
                    "parameters": found.parameters,
                    # of one replicate, on one core; None where a former version kept neither
                    "seconds": found.seconds / len(found.indices) if found.seconds else None,
                    "memory": found.memory or None,
                    "stopped": self.stopped.get(c),
                    "key": fold_store.folder.name,
                    "entropy": str(read_recipe(fold_store).entropy),
                }
                for c, (name, changed, found, fold_store) in enumerate(
                    zip(self.names, changes(self._configurations), replicates, self._fold_stores, strict=True)
                )
            ],
            "endpoints": {
                scores.terms.name: judge(
                    scores, self.names, splits=len(self.splits), ratio=self.ratio,
                    confidence=self._looks.last, design=self._design,
                )
                for scores in self.scores
            },
        }  # fmt: skip


def check_folds(curated: pd.DataFrame, params: Params, design: Design) -> None:
    """A ValueError if the molecules are too few for so many folds: said before anything is featurized."""
    check_splits(curated, folds(curated, params.split, design.repeats, design.folds), params, design.metric)


def _one_table(data_workspaces: Sequence[Workspace]) -> pd.DataFrame:
    """The curated table, which must be the same in all data_workspaces."""
    first = data_workspaces[0]
    for other in data_workspaces[1:]:
        if other.root != first.root and files.md5_file(other.curated) != files.md5_file(first.curated):
            raise ValueError(f"{other.curated} and {first.curated} differ; delete {other.root} and run again")
    return pd.read_parquet(first.curated)


def _in_any(splits: list[np.ndarray]) -> np.ndarray:
    """Which molecules are in a subset of any of these splits (n,): bool (n,)."""
    return np.any([subsets != "" for subsets in splits], axis=0)


def _dealt(splits: list[int], pieces: int) -> list[list[int]]:
    """The splits in so many pieces of about equal size, none empty."""
    return [splits[start::pieces] for start in range(min(pieces, len(splits)))]


def _digest(splits: list[np.ndarray]) -> str:
    """One name for all splits."""
    return files.sha256_bytes("".join(map(split_name, splits)).encode())[:16]
