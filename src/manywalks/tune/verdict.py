"""The verdict: the winner of a search against the present settings, on molecules that no trial has seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from manywalks.compare import paired, verdicts
from manywalks.compare.design import Share
from manywalks.compare.report.score_table import ScoreTable, check_assumptions
from manywalks.compare.scores import Scores, judge
from manywalks.params.load import Params
from manywalks.tune.front import is_cheaper
from manywalks.tune.gains import joint_scores
from manywalks.tune.material import Material
from manywalks.tune.search import Search

# a gain that matters, as a share of the present score
THRESHOLD = 0.01
NAMES = ["tuned settings", "present settings"]


@dataclass(frozen=True)
class Contest:
    """The winner and the present settings on the fresh folds.

    Attributes:
        material: molecules and splits.
        winner: its parameters.
        scales: by which endpoints' scores are made comparable.
        thresholds: the smallest difference that matters, one an endpoint, in the metric's unit.
    """

    material: Material
    winner: Params
    scales: list[float]
    thresholds: list[float]

    @classmethod
    def of(cls, search: Search) -> "Contest | None":
        """After a search; None where no trial was better than the present settings."""
        best = search.best()
        if best is None:
            return None
        asked, several = search.material.design.threshold, len(search.scores) > 1
        present = [abs(score) for score in search.present_scores()]
        share = asked if several and asked is not None else THRESHOLD
        thresholds = [max(share * score, 1e-9) for score in present]
        if asked is not None and not several:
            thresholds = [asked]
        return cls(search.material, search.trials[best[0]].params, search.scales, thresholds)

    @property
    def expected(self) -> int:
        """Replicates of both."""
        return 2 * len(self.material.splits.fresh) * self.material.design.replicates

    def shares(self, processes: int) -> list[Share]:
        """What is to be trained, for so many processes."""
        fresh, count = self.material.splits.fresh, self.material.design.replicates
        numbers = list(range(len(fresh)))
        own = max(1, -(-processes // 2))  # of each of the two
        each = [
            self.material.shares(params, fresh, numbers, count, own)
            for params in (self.winner, self.material.present)
        ]
        return [share for shares in each for share in shares]

    def result(self) -> dict[str, Any]:
        """Verdict, interval, and each endpoint as reports/compare.json has it."""
        scores = self._scores()
        fresh, params = self.material.splits.fresh, self.material.present
        confidence, ratio = params.replicates.confidence, self.material.splits.ratio(fresh)
        # each endpoint is looked at too: together they are as sure as the verdict
        own = 1 - (1 - confidence) / len(scores)
        design = {"replicates": self.material.design.replicates, "folds": len(fresh)}
        endpoints = {
            one.terms.name: judge(one, NAMES, splits=len(fresh), ratio=ratio, confidence=own, design=design)
            for one in scores
        }
        pair, word = self._joint(scores, confidence, ratio)
        worse = [name for name, found in endpoints.items() if found["pairs"][0]["verdict"] == "worse"]
        if word == "better" and worse:
            word = "undecided"
        costs = self._costs()
        # surely no worse than by what does not matter, and cheaper
        as_good = word in ("equivalent", "undecided") and pair.low >= -self._joint_threshold() and not worse
        if as_good and costs and is_cheaper(costs["tuned"], costs["present"]):
            word = "cheaper"
        return {
            "word": word,
            "costs": costs,
            "worse_at": worse,
            "gain": pair.difference,
            "low": pair.low,
            "high": pair.high,
            "p": pair.p,
            "confidence": confidence,
            "threshold": self._joint_threshold(),
            "folds": len(fresh),
            "replicates": self.material.design.replicates,
            "test": round(float(np.mean([(subsets == "test").sum() for subsets in fresh]))),
            "molecules": int(np.any([subsets == "test" for subsets in fresh], axis=0).sum()),
            "train": round(float(np.mean([(subsets == "train").sum() for subsets in fresh]))),
            "endpoints": endpoints,
        }

    def _costs(self) -> dict[str, float] | None:
        """What a replicate of both costs on the fresh folds; None where the score alone decides."""
        if self.material.design.cost is None:
            return None
        fresh = self.material.splits.fresh
        own = {"tuned": self.winner, "present": self.material.present}
        return {
            name: self.material.cost(params, fresh, list(range(len(fresh)))) for name, params in own.items()
        }

    def _scores(self) -> list[Scores]:
        """Both, on every fresh fold: column 0 the winner, column 1 the present settings."""
        scores = self.material.scores(self.thresholds)
        fresh, count = self.material.splits.fresh, self.material.design.replicates
        for column, params in enumerate((self.winner, self.material.present)):
            if not self.material.add(scores, column, params, (fresh, list(range(len(fresh))), count)):
                raise RuntimeError("tune: replicates of the verdict were not kept though they were trained")
        return scores

    def _joint(self, scores: list[Scores], confidence: float, ratio: float) -> tuple[paired.Pair, str]:
        """The difference over all endpoints, with `compare`'s interval and verdict."""
        by_configuration = joint_scores(scores, self.scales)
        splits = range(len(self.material.splits.fresh))
        values, noise = (
            np.array([[getattr(by_configuration[c][s], name) for c in (0, 1)] for s in splits])
            for name in ("value", "noise")
        )
        table = ScoreTable(values, noise, ratio, len(splits))
        method = check_assumptions(table).method
        pair = paired.pairs_of(table, confidence, method)[0]
        word = verdicts.verdict(
            pair, self._joint_threshold(), by_ranks=method == "ranks", confidence=confidence
        )
        return pair, word

    def _joint_threshold(self) -> float:
        """The smallest joint gain that matters."""
        shares = [threshold / scale for threshold, scale in zip(self.thresholds, self.scales, strict=True)]
        return float(np.mean(shares))
