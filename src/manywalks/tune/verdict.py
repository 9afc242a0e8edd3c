"""The verdict: the winner of a search against the present settings, on molecules that no trial has seen.

Each of these molecules is tested once. What the models of all folds predict of them is scored together, so a
rank metric is one of some hundred molecules and not the mean over small folds (`compare.pooled`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from manywalks.compare.design import Share
from manywalks.compare.pooled import Difference, Tested, add_tested, difference_of
from manywalks.compare.scores import Scores, described, score_row
from manywalks.compare.verdicts import verdict
from manywalks.params.load import Params
from manywalks.tune.front import is_cheaper
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
        """Verdict, interval, and each endpoint with the scores of both."""
        tested, scores = self._tested(), self.material.scores(self.thresholds)
        add_tested(scores, tested)
        confidence = self.material.present.replicates.confidence
        endpoints = {
            # each endpoint is looked at too: together they are as sure as the verdict
            one.terms.name: _endpoint(one, tested, place, 1 - (1 - confidence) / len(scores))
            for place, one in enumerate(scores)
        }
        gain = difference_of(scores, tested, range(len(scores)), scales=self.scales, confidence=confidence)
        worse = [name for name, found in endpoints.items() if found["pairs"][0]["verdict"] == "worse"]
        costs = self._costs()
        fresh = self.material.splits.fresh
        return {
            "word": self._word(gain, bool(worse), costs),
            "costs": costs,
            "worse_at": worse,
            "gain": gain.difference,
            "low": gain.low,
            "high": gain.high,
            "p": gain.p,
            # of the squared error
            "parts": gain.parts._asdict(),
            "confidence": confidence,
            "threshold": self._joint_threshold(),
            "folds": len(fresh),
            "replicates": self.material.design.replicates,
            "test": round(float(np.mean([(subsets == "test").sum() for subsets in fresh]))),
            "molecules": len(tested.rows),
            "train": round(tested.train),
            "endpoints": endpoints,
        }

    def _word(self, gain: Difference, worse: bool, costs: dict[str, float] | None) -> str:
        """The verdict; `worse` says whether an endpoint alone is surely worse."""
        threshold = self._joint_threshold()
        word = verdict(gain, threshold)
        if word == "better" and worse:
            word = "undecided"
        # surely no worse than by what does not matter, and cheaper
        as_good = word in ("equivalent", "undecided") and gain.low >= -threshold and not worse
        if as_good and costs and is_cheaper(costs["tuned"], costs["present"]):
            word = "cheaper"
        return word

    def _costs(self) -> dict[str, float] | None:
        """What a replicate of both costs on the fresh folds; None where the score alone decides."""
        asked, fresh = self.material.design.cost, self.material.splits.fresh
        if asked is None:
            return None
        own = {"tuned": self.winner, "present": self.material.present}
        return {
            name: self.material.cost(params, fresh, list(range(len(fresh))), asked)
            for name, params in own.items()
        }

    def _tested(self) -> Tested:
        """What both predict of the fresh molecules."""
        return self.material.tested(
            (self.winner, self.material.present), self.material.splits.fresh, self.material.design.replicates
        )

    def _joint_threshold(self) -> float:
        """The smallest joint gain that matters."""
        shares = [threshold / scale for threshold, scale in zip(self.thresholds, self.scales, strict=True)]
        return float(np.mean(shares))


def _endpoint(scores: Scores, tested: Tested, column: int, confidence: float) -> dict[str, Any]:
    """One endpoint: scores of both over all fresh molecules, their difference and its verdict."""
    found = difference_of([scores], tested, [column], scales=[1.0], confidence=confidence)
    return {
        **described(scores.terms, confidence),
        "scores": [score_row(scores, place, name) for place, name in enumerate(NAMES)],
        "pairs": [
            {
                "one": NAMES[0],
                "other": NAMES[1],
                "difference": found.difference,
                "low": found.low,
                "high": found.high,
                "p": found.p,
                "verdict": verdict(found, scores.terms.threshold),
            }
        ],
    }
