"""Gains over the present settings: split by split, with errors, and which trials are beaten.

A trial's gain on a split is its score at the infinite ensemble less that of the present settings, more is
better. Scores of one split share its difficulty, so gains on 2 splits can be compared with gains on 10.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from manywalks.compare.scores import Scores

# how sure a trial must be worse than the best one before it ends, at each look
SURE = 0.9
CONFIDENCE = 0.95


class Gain(NamedTuple):
    """A gain over some splits.

    Attributes:
        splits: how many.
        mean: over the splits.
        error: standard error: of few splits and of few replicates.
        freedom: degrees of freedom of the error.
    """

    splits: int
    mean: float
    error: float
    freedom: float

    @property
    def half(self) -> float:
        """Half the 95 % interval."""
        return float(special.stdtrit(self.freedom, 0.5 + CONFIDENCE / 2)) * self.error


@dataclass(frozen=True)
class Score:
    """A score on one split, and its squared error from few replicates; more is better."""

    value: float
    noise: float


ByTrial = Mapping[int, Mapping[int, Score]]


def joint_scores(endpoints: list[Scores], scales: list[float]) -> dict[int, dict[int, Score]]:
    """By configuration and split, the mean over endpoints of their scores, each over its scale."""
    found: dict[int, dict[int, Score]] = {}
    share = 1 / len(endpoints)
    for split, configuration in endpoints[0].found:
        own = [one.found[split, configuration] for one in endpoints]
        value = sum(
            share * one.terms.sign * score.infinite / scale
            for one, score, scale in zip(endpoints, own, scales, strict=True)
        )
        noise = sum((share * score.error / scale) ** 2 for score, scale in zip(own, scales, strict=True))
        found.setdefault(configuration, {})[split] = Score(float(value), float(noise))
    return found


class Pooled(NamedTuple):
    """The variance of a difference between splits, without the noise of few replicates, over all trials."""

    variance: float
    freedom: int


def pooled(scores: ByTrial, reference: int) -> Pooled:
    """From the differences of all configurations to the reference; (0, 0) before there are any."""
    squares, noise, freedom = 0.0, 0.0, 0
    for number, own in scores.items():
        shared = sorted(set(own) & set(scores[reference]))
        if number == reference or len(shared) < 2:
            continue
        differences = np.array([own[s].value - scores[reference][s].value for s in shared])
        squares += float(np.sum((differences - differences.mean()) ** 2))
        freedom += len(shared) - 1
        noise += (len(shared) - 1) * float(
            np.mean([own[s].noise + scores[reference][s].noise for s in shared])
        )
    if not freedom:
        return Pooled(0.0, 0)
    return Pooled(max((squares - noise) / freedom, 0.0), freedom)


def gain_over(scores: ByTrial, one: int, other: int, between: Pooled) -> Gain:
    """How much better `one` is than `other` on the splits that both have."""
    shared = sorted(set(scores[one]) & set(scores[other]))
    differences = [scores[one][s].value - scores[other][s].value for s in shared]
    noise = sum(scores[one][s].noise + scores[other][s].noise for s in shared) / len(shared)
    error = math.sqrt((between.variance + noise) / len(shared))
    return Gain(len(shared), float(np.mean(differences)), error, max(between.freedom, 1))


def is_beaten(gain: Gain) -> bool:
    """Whether a gain over the best trial is surely below 0: its interval, not its value, decides."""
    return gain.mean + float(special.stdtrit(gain.freedom, SURE)) * gain.error < 0
