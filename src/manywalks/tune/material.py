"""What a search works on: molecules, splits, and where replicates of a configuration are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.compare.configurations import Configuration
from manywalks.compare.design import Share
from manywalks.compare.folds import (
    FoldPredictions,
    FoldStore,
    load_fold_predictions,
    open_fold_store,
    split_name,
    write_splits,
)
from manywalks.compare.pooled import Tested
from manywalks.compare.scores import Criteria, Scores, criteria_of
from manywalks.params.load import Params
from manywalks.replicates.plan import tolerances_of
from manywalks.split.left_out import left_out
from manywalks.split.split import groups_of
from manywalks.tune.design import Design
from manywalks.tune.splits import Splits, draw_splits
from manywalks.workspace import Workspace


@dataclass(frozen=True)
class Material:
    """Molecules and features of one search.

    Attributes:
        workspace: whose parameters are tuned.
        data: where the curated table lies, and features of every block that a trial may use.
        design: what is asked for.
    """

    workspace: Workspace
    data: Workspace
    design: Design

    @property
    def present(self) -> Params:
        """The present parameters."""
        return self.workspace.params

    @cached_property
    def curated(self) -> pd.DataFrame:
        """The curated table."""
        return pd.read_parquet(self.data.curated)

    @cached_property
    def splits(self) -> Splits:
        """Of the search and of the verdict."""
        endpoints = self.present.data.endpoints
        classes = [name for name, endpoint in endpoints.items() if endpoint.kind == "classification"]
        out = left_out(self.curated, self.data.not_featurized)
        return draw_splits(self.curated, self.present.split, out, classes)

    def store(self, params: Params) -> FoldStore:
        """Where replicates of a configuration are kept: under the key that `compare` gives them."""
        folder, seed = self.workspace.state / "compare", params.replicates.seed
        return open_fold_store(folder, self.data, Configuration("", params), seed)

    def shares(
        self, params: Params, splits: Sequence[np.ndarray], numbers: list[int], count: int, processes: int = 1
    ) -> list[Share]:
        """What is to be trained on the splits of those numbers, for so many processes; none if it is kept."""
        store = self.store(params)
        missing = [n for n in numbers if len(self.kept(store, splits[n]).predictions) < count]
        file = self._splits_file(splits)
        pieces = [missing[start::processes] for start in range(min(processes, len(missing)))]
        return [Share(store.folder, self.data.root, file, piece, count) for piece in pieces]

    def kept(self, store: FoldStore, subsets: np.ndarray) -> FoldPredictions:
        """What is kept of one split."""
        return load_fold_predictions(store, split_name(subsets))

    def scores(self, thresholds: Sequence[float] | None = None) -> list[Scores]:
        """Nothing scored yet, one an endpoint."""
        params, design = self.present, self.design
        card = files.read_json(self.data.reports / "data.json")
        tolerances = tolerances_of(self.curated, np.full(len(self.curated), "train"), card, params)
        asked = thresholds or [None] * len(tolerances)
        terms: list[Criteria] = [
            criteria_of(
                name, endpoint, params, tolerance=tolerance, metric=design.metric, threshold=threshold
            )
            for (name, endpoint), tolerance, threshold in zip(
                params.data.endpoints.items(), tolerances, asked, strict=True
            )
        ]  # fmt: skip
        return [Scores.of(one, self.curated) for one in terms]

    def add(
        self,
        scores: list[Scores],
        configuration: int,
        params: Params,
        of: tuple[Sequence[np.ndarray], list[int], int],
    ) -> bool:
        """Score what is kept of a configuration, `of` (splits, numbers, replicates); whether all is there."""
        splits, numbers, count = of
        store, whole = self.store(params), True
        for n in numbers:
            if (n, configuration) in scores[0].found:
                continue
            predictions = self.kept(store, splits[n]).predictions
            if len(predictions) < count:
                whole = False
                continue
            test = np.flatnonzero(splits[n] == "test")
            for column, one in enumerate(scores):
                one.add(n, configuration, test, predictions[:count, :, column])
        return whole

    def tested(self, both: Sequence[Params], splits: Sequence[np.ndarray], count: int) -> Tested:
        """What two configurations predict of the molecules that the splits test, each in one of them."""
        tests = [np.flatnonzero(subsets == "test") for subsets in splits]
        rows = np.concatenate(tests)
        made = [[self.kept(store, one).predictions for one in splits] for store in map(self.store, both)]
        if any(len(one) < count for own in made for one in own):
            raise RuntimeError("tune: replicates of the verdict were not kept though they were trained")
        return Tested(
            rows,
            np.repeat(np.arange(len(tests)), [len(test) for test in tests]),
            groups_of(self.curated.iloc[rows], self.present.split),
            np.stack([np.concatenate([one[:count] for one in own], axis=1) for own in made]),
            float(np.mean([(subsets == "train").sum() for subsets in splits])),
        )

    def cost(self, params: Params, splits: Sequence[np.ndarray], numbers: list[int], what: str) -> float:
        """What a replicate costs, "seconds" or "parameters"; the median over splits, infinity of none."""
        store = self.store(params)
        kept = [self.kept(store, splits[n]) for n in numbers]
        found = [
            one.parameters if what == "parameters" else one.seconds / len(one.indices)
            for one in kept
            if one.indices
        ]
        return float(np.median(found)) if found else float("inf")

    def left(self, params: Params) -> float:
        """Share of the fresh folds on which a configuration is still to be trained for a verdict."""
        store, fresh = self.store(params), self.splits.fresh
        missing = [len(self.kept(store, one).predictions) < self.design.replicates for one in fresh]
        return float(np.mean(missing))

    def verdict_seconds(self, present: float, winner: float, processes: int) -> float:
        """How long a verdict takes, from seconds of a replicate of both on the splits of the search."""
        fresh, search = self.splits.fresh, self.splits.search
        train = [np.mean([(subsets == "train").sum() for subsets in splits]) for splits in (fresh, search)]
        # training takes as long as it has molecules
        each = [own * train[0] / train[1] * self.design.replicates for own in (present, winner)]
        of_one = -(-processes // 2)
        longest = max(each) * -(-len(fresh) // of_one)
        return float(max(sum(each) * len(fresh) / processes, longest))

    def _splits_file(self, splits: Sequence[np.ndarray]) -> Path:
        """The splits in a file, for processes."""
        name = files.sha256_bytes("".join(map(split_name, splits)).encode())[:16]
        path = self.workspace.state / "compare" / f"splits-{name}.npz"
        if not path.is_file():
            write_splits(path, list(splits))
        return path
