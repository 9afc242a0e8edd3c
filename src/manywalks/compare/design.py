"""How a comparison is made: splits, replicates, what decides; and the pieces that processes train."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from manywalks.compare import paired, verdicts
from manywalks.compare.report.score_table import ScoreTable, check_assumptions


@dataclass(frozen=True)
class Design:
    """How a comparison is made.

    Attributes:
        repeats, folds: of the k-fold.
        replicates: replicates of every configuration on every split.
        metric: the score that decides; None for rmse or auroc.
        threshold: practical threshold in the metric's unit; None for the tolerance.
        stop: whether configurations that are worse beyond doubt get no more replicates.
    """

    repeats: int = 5
    folds: int = 5
    replicates: int = 8
    metric: str | None = None
    threshold: float | None = None
    stop: bool = True

    def __post_init__(self) -> None:
        """Refuse what nothing could be said from."""
        if self.replicates < 2:
            raise ValueError(
                f"--replicates {self.replicates}: is too few to see how much they differ; give 2 or more"
            )
        if self.repeats < 1:
            raise ValueError(f"--repeats {self.repeats}: is too few; give 1 or more")
        if self.folds < 3:
            # two halves share no training molecule and tell little of each other: 8 to 11 % false verdicts
            raise ValueError(f"--folds {self.folds}: is too few for a sure verdict; give 3 or more")
        if self.threshold is not None and not self.threshold > 0:
            raise ValueError(
                f"--threshold {self.threshold:g}: must be above 0; leave it out to use the tolerance"
            )


class Share(NamedTuple):
    """What one process trains: one configuration's replicates on some of the splits."""

    fold_store: Path
    data_workspace: Path
    splits: Path
    numbers: list[int]
    count: int

    @property
    def arguments(self) -> list[str]:
        """The step's arguments."""
        numbers = ",".join(map(str, self.numbers))
        return [
            "compare",
            str(self.fold_store),
            str(self.data_workspace),
            str(self.splits),
            numbers,
            str(self.count),
        ]


# of the allowed false verdicts, so many are spent on looks before the last one
LOOKS_SHARE = 0.2


@dataclass(frozen=True)
class Looks:
    """When a comparison is looked at, and how sure the looks are.

    Attributes:
        splits: done at each look; the last is all of them.
        early: confidence of the intervals at each look before the last one.
        last: confidence of the last intervals.
    """

    splits: tuple[int, ...]
    early: float
    last: float


def looks_of(repeats: int, folds: int, confidence: float, *, stop: bool) -> Looks:
    """A look after every repeat, or one at the end alone."""
    if not stop or repeats == 1:
        return Looks((repeats * folds,), confidence, confidence)
    allowed = 1 - confidence
    splits = tuple(repeat * folds for repeat in range(1, repeats + 1))
    return Looks(splits, 1 - allowed * LOOKS_SHARE / (repeats - 1), 1 - allowed * (1 - LOOKS_SHARE))


def beaten(
    table: ScoreTable, threshold: float, confidence: float, running: Collection[int]
) -> dict[int, int]:
    """Which of the `running` configurations another running one is better than, and by which.

    Args:
        table: scores of the splits done so far, more is better.
        threshold: practical, in the metric's unit.
        confidence: of the intervals, all pairs at once.
        running: column numbers.
    """
    method = check_assumptions(table).method
    found = {}
    for pair in paired.pairs_of(table, confidence, method):
        if pair.one not in running or pair.other not in running:
            continue
        word = verdicts.verdict(pair, threshold, by_ranks=method == "ranks", confidence=confidence)
        if word in ("better", "worse"):
            worse, better = (pair.other, pair.one) if word == "better" else (pair.one, pair.other)
            found[worse] = better
    return found


def eliminated(table: ScoreTable, threshold: float, looks: Looks) -> tuple[ScoreTable, dict[int, int]]:
    """A whole comparison of one endpoint, looked at as if it had just been running.

    Returns:
        The table without the scores that would not have been trained, and the look (splits done) at which
        each stopped configuration was stopped.
    """
    scores, stopped = table.scores.copy(), dict[int, int]()
    for done in looks.splits[:-1]:
        running = [c for c in range(scores.shape[1]) if c not in stopped]
        seen = ScoreTable(scores[:done], table.noise[:done], table.ratio, table.folds)
        for c in beaten(seen, threshold, looks.early, running):
            stopped[c] = done
            scores[done:, c] = np.nan
        if len(stopped) == scores.shape[1] - 1:
            scores[done:] = np.nan
            break
    left = np.isfinite(scores).any(axis=1)
    return ScoreTable(scores[left], table.noise[left], table.ratio, table.folds), stopped
