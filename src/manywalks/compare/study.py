"""A comparison from start to end: which walks to train next, when a configuration is out, what was found."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.compare import configurations as grid
from manywalks.compare import folds as out_of_fold
from manywalks.compare import paired
from manywalks.compare.configurations import Configuration
from manywalks.compare.design import Design, Share, beaten, looks_of
from manywalks.compare.scores import Scores, judge, terms_of
from manywalks.replicates.plan import tolerances_of
from manywalks.split.distance import folds_distance
from manywalks.split.split import folds
from manywalks.workspace import Workspace


class Study:
    """Splits, configurations and walks of one comparison; `shares` says what to train next."""

    def __init__(
        self,
        workspace: Workspace,
        configurations: Sequence[Configuration],
        grounds: Sequence[Workspace],
        design: Design,
        entropy: int | None = None,
    ) -> None:
        """Curated tables and features stand in `grounds`, one a configuration."""
        self.design = design
        self.names = [one.name for one in configurations]
        self._configurations = list(configurations)
        self._grounds = list(grounds)
        params = configurations[0].params
        self.params = params
        self.curated = _one_table(grounds)
        self.splits = folds(self.curated, params.split, design.repeats, design.folds)
        folder = workspace.state / "compare"
        self._splits_file = folder / f"splits-{_digest(self.splits)}.npz"
        out_of_fold.write_splits(self._splits_file, self.splits)
        self._shelves = [
            out_of_fold.open_shelf(
                folder, ground, one, one.params.replicates.entropy if entropy is None else entropy
            )
            for one, ground in zip(configurations, grounds, strict=True)
        ]
        everywhere = np.full(len(self.curated), "train")
        card = files.read_json(grounds[0].reports / "data.json")
        tolerances = tolerances_of(self.curated, everywhere, card, params)
        self.scores = [
            Scores.of(
                terms_of(
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

    def _mean_size(self, part: str) -> float:
        """Molecules of a part, mean over the splits."""
        return float(np.mean([(parts == part).sum() for parts in self.splits]))

    @property
    def expected(self) -> int:
        """Walks of the whole study, as far as one can tell now."""
        return sum(self._last) * self.design.replicates

    @property
    def trained(self) -> int:
        """Walks that stand."""
        return len(self.scores[0].found) * self.design.replicates

    def shares(self, processes: int) -> list[Share]:
        """What is to be trained before the next look, in pieces for so many processes; none at the end."""
        while self._round < len(self._looks.splits):
            self._read()
            missing = {c: self._missing(c) for c in self._running()}
            missing = {c: splits for c, splits in missing.items() if splits}
            if missing:
                # one a core, and no process so long that a failure costs more than a few splits
                pieces = math.ceil(max(processes, self.expected / 200) / len(missing))
                return [
                    self._share(c, numbers)
                    for c, splits in missing.items()
                    for numbers in _dealt(splits, pieces)
                ]
            self._look()
        return []

    def _share(self, configuration: int, numbers: list[int]) -> Share:
        """One configuration's walks on the splits of those numbers."""
        shelf, ground = self._shelves[configuration].folder, self._grounds[configuration].root
        return Share(shelf, ground, self._splits_file, numbers, self._count)

    @property
    def _count(self) -> int:
        return self.design.replicates

    def _running(self) -> list[int]:
        """Configurations that have not been stopped."""
        return [c for c in range(len(self.names)) if c not in self.stopped]

    def _missing(self, configuration: int) -> list[int]:
        """Splits of this look on which walks are missing."""
        return [
            s
            for s in range(self._looks.splits[self._round])
            if (s, configuration) not in self.scores[0].found
        ]

    def _read(self) -> None:
        """Score what has been trained since the last time."""
        for c in self._running():
            for s in self._missing(c):
                walks = out_of_fold.load(self._shelves[c], out_of_fold.split_name(self.splits[s]))
                if len(walks.predictions) < self._count:
                    continue
                test = np.flatnonzero(self.splits[s] == "test")
                for column, scores in enumerate(self.scores):
                    scores.add(s, c, test, walks.predictions[: self._count, :, column])

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

    def _table(self, scores: Scores) -> paired.Table:
        """An endpoint's scores as far as they are there."""
        return scores.table(len(self.splits), len(self.names), self.ratio, self.design.folds)

    @property
    def _design(self) -> dict[str, Any]:
        return {"replicates": self._count, "folds": self.design.folds}

    def described(self) -> dict[str, Any]:
        """How the comparison was made."""
        return {
            "repeats": self.design.repeats,
            "folds": self.design.folds,
            "splits": len(self.splits),
            "replicates": self._count,
            "walks": self.trained,
            "molecules": len(self.curated),
            "test": round(self._mean_size("test")),
            "train": round(self._mean_size("train")),
            "method": self.params.split.method,
            "looks": len(self._looks.splits),
            "similarity": folds_distance(self.curated["smiles"].tolist(), self.splits),
        }

    def result(self) -> dict[str, Any]:
        """What reports/compare.json holds."""
        walks = [out_of_fold.load(shelf, out_of_fold.split_name(self.splits[0])) for shelf in self._shelves]
        return {
            "design": self.described(),
            "configurations": [
                {
                    "name": name,
                    "differs": changed,
                    "parameters": found.parameters,
                    "stopped": self.stopped.get(c),
                    "key": shelf.folder.name,
                    "entropy": str(out_of_fold.read_recipe(shelf).entropy),
                }
                for c, (name, changed, found, shelf) in enumerate(
                    zip(self.names, grid.changes(self._configurations), walks, self._shelves, strict=True)
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


def _one_table(grounds: Sequence[Workspace]) -> pd.DataFrame:
    """The curated table, which must be the same in all grounds."""
    first = grounds[0]
    for other in grounds[1:]:
        if other.root != first.root and files.md5_file(other.curated) != files.md5_file(first.curated):
            raise ValueError(f"{other.curated} and {first.curated} differ; delete {other.root} and run again")
    return pd.read_parquet(first.curated)


def _dealt(splits: list[int], pieces: int) -> list[list[int]]:
    """The splits in so many pieces of about equal size, none empty."""
    return [splits[start::pieces] for start in range(min(pieces, len(splits)))]


def _digest(splits: list[np.ndarray]) -> str:
    """One name for all splits."""
    return files.sha256_bytes("".join(map(out_of_fold.split_name, splits)).encode())[:16]
