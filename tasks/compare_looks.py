"""Successive elimination: looks at a comparison while it runs, and what they may cost.

After every repeat of the k-fold, a configuration that another one is surely better than is out. Each look
could be wrong, so the looks share a part of the allowed false verdicts and the last intervals have the rest:
over all looks together no more than was allowed (Bonferroni).
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from manywalks.tasks import paired, verdicts

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
    table: paired.Table, threshold: float, confidence: float, running: Collection[int]
) -> dict[int, int]:
    """Which of the `running` configurations another running one is better than, and by which.

    Args:
        table: scores of the splits done so far, more is better.
        threshold: practical, in the metric's unit.
        confidence: of the intervals, all pairs at once.
        running: column numbers.
    """
    method = paired.check_assumptions(table).method
    found = {}
    for pair in paired.pairs_of(table, confidence, method):
        if pair.one not in running or pair.other not in running:
            continue
        word = verdicts.verdict(pair, threshold, by_ranks=method == "ranks", confidence=confidence)
        if word in ("better", "worse"):
            worse, better = (pair.other, pair.one) if word == "better" else (pair.one, pair.other)
            found[worse] = better
    return found


def eliminated(table: paired.Table, threshold: float, looks: Looks) -> tuple[paired.Table, dict[int, int]]:
    """A whole comparison of one endpoint, looked at as if it had just been running.

    Returns:
        The table without the scores that would not have been trained, and the look (splits done) at which
        each stopped configuration was stopped.
    """
    scores, stopped = table.scores.copy(), dict[int, int]()
    for done in looks.splits[:-1]:
        running = [c for c in range(scores.shape[1]) if c not in stopped]
        seen = paired.Table(scores[:done], table.noise[:done], table.ratio, table.folds)
        for c in beaten(seen, threshold, looks.early, running):
            stopped[c] = done
            scores[done:, c] = np.nan
        if len(stopped) == scores.shape[1] - 1:
            scores[done:] = np.nan
            break
    left = np.isfinite(scores).any(axis=1)
    return paired.Table(scores[left], table.noise[left], table.ratio, table.folds), stopped
