"""Intervals of paired differences, and the tests by rank, beside other implementations of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.anova import AnovaRM
from statsmodels.stats.multitest import multipletests

from manywalks.compare import paired, verdicts
from manywalks.compare.rank_tests import conover, holm
from manywalks.compare.report.score_table import ScoreTable, check_assumptions, mauchly


def test_holm_is_statsmodels() -> None:
    p = np.random.default_rng(0).uniform(size=20) ** 4
    np.testing.assert_allclose(holm(p.tolist()), np.asarray(multipletests(p, method="holm")[1]))


def score_table(c: int, seed: int = 0, s: int = 25, noise: float = 0.0) -> ScoreTable:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(s, 1)) + 0.3 * rng.normal(size=(s, c))
    return ScoreTable(scores, np.full((s, c), noise), ratio=0.25, folds=5)


def test_two_configurations_give_the_paired_t_interval() -> None:
    table = score_table(2)
    pair = paired.pairs_of(table, 0.95, "tukey")[0]
    expected = stats.ttest_rel(table.scores[:, 0], table.scores[:, 1]).confidence_interval(0.95)
    np.testing.assert_allclose([pair.plain_low, pair.plain_high], expected)
    assert pair.low < pair.plain_low < pair.plain_high < pair.high


def test_an_interval_of_few_splits_tells_how_much_wider_it_is() -> None:
    few = paired.pairs_of(score_table(2, s=3), 0.95, "tukey")[0]
    assert few.freedom == 2
    assert few.wider == pytest.approx(stats.t.ppf(0.975, 2) / stats.norm.ppf(0.975), rel=1e-3)
    several = paired.pairs_of(score_table(4, s=3), 0.95, "tukey")[0]
    assert several.freedom == 6  # of all four together
    expected = stats.studentized_range.ppf(0.95, 4, 6) / stats.studentized_range.ppf(0.95, 4, np.inf)
    assert several.wider == pytest.approx(expected, rel=1e-3)


def test_replicates_noise_alone_is_not_widened() -> None:
    table = score_table(2, noise=10.0)
    pair = paired.pairs_of(table, 0.95, "tukey")[0]
    np.testing.assert_allclose([pair.low, pair.high], [pair.plain_low, pair.plain_high])


def test_tukey_intervals_are_those_of_the_residual_mean_square() -> None:
    table = score_table(4)
    frame = pd.DataFrame(table.scores).stack().reset_index()
    frame.columns = ["split", "configuration", "score"]
    anova: pd.DataFrame = AnovaRM(frame, "score", "split", ["configuration"]).fit().anova_table
    freedom = int(anova["Den DF"].iloc[0])
    mean_square = (
        25 * np.var(table.scores.mean(axis=0), ddof=1) / anova["F Value"].iloc[0]
    )  # F is the ratio of the two
    half = stats.studentized_range.ppf(0.95, 4, freedom) * np.sqrt(mean_square / 25)
    for pair in paired.pairs_of(table, 0.95, "tukey"):
        np.testing.assert_allclose(pair.plain_high - pair.difference, half, rtol=1e-6)


def test_conover_is_that_of_a_published_example() -> None:
    # scikit-posthocs's own example, p-values as its posthoc_conover_friedman gives them
    x = np.array([[31, 27, 24], [31, 28, 31], [45, 29, 46], [21, 18, 48], [42, 36, 46], [32, 17, 40]])
    t, freedom = conover(x.astype(float))
    p = 2 * stats.t.sf(t, freedom)
    np.testing.assert_allclose(
        [p[0, 1], p[0, 2], p[1, 2]],
        [0.02325152459385478, 0.4294869588639433, 0.0057323002572543065],
        rtol=1e-6,
    )


def test_mauchly_doubts_unequal_differences_and_no_others() -> None:
    rng = np.random.default_rng(2)
    p_values = [mauchly(rng.normal(size=(25, 4))) for _ in range(200)]
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.1
    unequal = rng.normal(size=(25, 4)) * [0.1, 0.1, 3, 3]
    assert (mauchly(unequal) or 0) < 1e-4


def test_heavy_tails_go_to_ranks() -> None:
    rng = np.random.default_rng(3)
    table = replace(score_table(3), scores=rng.standard_cauchy((25, 3)))
    assert check_assumptions(table).method == "ranks"
    assert all(0 <= pair.p <= 1 for pair in paired.pairs_of(table, 0.95, "ranks"))


def test_constant_differences_are_sure() -> None:
    scores = np.tile([0.0, 1.0], (10, 1)) + np.arange(10.0)[:, None]
    pair = paired.pairs_of(ScoreTable(scores, np.zeros((10, 2)), 0.25, 5), 0.95, "tukey")[0]
    assert (pair.low, pair.high) == (-1, -1)
    assert verdicts.verdict(pair, 0.1) == "worse"
