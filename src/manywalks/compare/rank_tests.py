"""Comparisons by rank, for scores that are not normally distributed."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from manywalks.compare.report.score_table import ScoreTable
from manywalks.evaluate.scores import average_ranks


def rank_p_values(
    table: ScoreTable, pairs: Sequence[tuple[int, int]], widening: Sequence[float]
) -> list[float]:
    """Conover's comparison after Friedman, Holm-adjusted; Wilcoxon's signed ranks for two configurations.

    Args:
        table: scores of c configurations.
        pairs: column numbers.
        widening: what each pair's statistic is divided by, since its splits share molecules.
    """
    whole = table.complete
    if whole.shape[1] == 2:
        if not np.any(whole[:, 0] != whole[:, 1]):
            return [1.0]
        from scipy import stats  # half a second to import

        ranked: Any = stats.wilcoxon(whole[:, 0] - whole[:, 1])
        return [float(2 * special.ndtr(special.ndtri(ranked.pvalue / 2) / widening[0]))]
    t, freedom = conover(whole)
    raw = [
        float(2 * special.stdtr(freedom, -t[pair] / factor))
        for pair, factor in zip(pairs, widening, strict=True)
    ]
    return holm(raw)


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted by Holm: the smallest times their number, the next times one less, never falling."""
    p = np.asarray(p_values)
    order = np.argsort(p)
    raised = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(raised, 1)
    return adjusted.tolist()


def conover(scores: np.ndarray) -> tuple[np.ndarray, int]:
    """Conover and Iman's t statistics (c, c) after Friedman's test of (s, c) scores, and their freedom."""
    s, c = scores.shape
    ranks = np.stack([average_ranks(row) for row in scores])
    sums = ranks.sum(axis=0)
    spread = (np.sum(ranks**2) - c * s * (c + 1) ** 2 / 4) / (c - 1)
    freedom = s * c - c - s + 1
    if spread == 0:
        return np.zeros((c, c)), freedom
    friedman = np.sum((sums - s * (c + 1) / 2) ** 2) / spread
    # ranks that agree in every split leave no variance; half a rank's worth keeps the statistic finite
    left = max(1 - friedman / (s * (c - 1)), 1 / (2 * s))
    scale = spread * 2 * s * (c - 1) / freedom * left
    return np.abs(sums[:, None] - sums) / math.sqrt(scale), freedom


def friedman_p(table: ScoreTable) -> float | None:
    """Friedman's test that all of 3 or more configurations are alike."""
    whole = table.complete
    if whole.shape[1] < 3 or len(whole) < 2:
        return None
    if not np.ptp(whole, axis=1).any():
        return 1.0
    from scipy import stats  # half a second to import

    return float(stats.friedmanchisquare(*whole.T).pvalue)
