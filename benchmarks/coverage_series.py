"""Are verdicts right where molecules come in series? `refresh` and `compare`, on simulated equals.

    python -m benchmarks.coverage_series            about a minute
    python -m benchmarks.coverage_series --quick    a twentieth of the contests, nothing written

refresh: two ensembles are equally good over all series. On the molecules at hand one is ahead by chance,
since errors of a series have a part in common. compare: two configurations see different features, equally
good over all data sets; molecules of a series share most of their features and half of their noise.
"""

from functools import partial

import numpy as np

from benchmarks.compare import outcome, projected
from benchmarks.compare_worlds import FEATURES, FOLDS, REPEATS, N, replicates_of
from benchmarks.experiments import main, on_all_cores, wilson
from benchmarks.results import table
from manywalks.compare.report.score_table import ScoreTable
from manywalks.params.sections.run import RefreshParams
from manywalks.refresh.contest import Ensembled, Rule, contest

CONTESTS, COMPARISONS = 4000, 1000
# molecules, molecules of a series, share of an error's variance that its series has in common, replicates
WORLDS = (
    (200, 1, 0.0, 8),
    (200, 5, 0.5, 8),
    (200, 10, 0.5, 8),
    (200, 10, 0.5, 32),
    (1000, 10, 0.5, 16),
    (200, 10, 0.9, 16),
    (60, 10, 0.5, 16),
)


def side(rng: np.random.Generator, truth: np.ndarray, series: np.ndarray, shared: float, m: int) -> Ensembled:
    """An ensemble whose error has a part of its own in every series."""
    common = rng.standard_normal(series.max() + 1)[series]
    error = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal(truth.size)
    moves = rng.standard_normal((m, 5)) @ rng.standard_normal((5, truth.size)) / np.sqrt(5)
    replicates = truth + 0.5 * error + 0.15 * moves + 0.1 * rng.standard_normal((m, truth.size))
    return Ensembled(replicates.mean(axis=0), replicates)


def contest_row(world: tuple[int, int, float, int], times: int, rng: np.random.Generator) -> list[str]:
    """How often two equals are called better or worse: by whole series, and by molecules."""
    n, size, shared, m = world
    asked = RefreshParams()
    rule = Rule("rmse", asked.margin, asked.confidence, asked.min_molecules)
    series = np.arange(n) // size
    told = [0, 0]
    for _ in range(times):
        truth = rng.standard_normal(n)
        observed = truth + 0.3 * rng.standard_normal(n)
        sides = [side(rng, truth, series, shared, m) for _ in range(2)]
        for place, own in enumerate((series, None)):
            told[place] += contest(sides[0], sides[1], observed, rule, own)["verdict"] in ("better", "worse")
    names = [str(n), str(size), f"{100 * shared:g} %", str(m)]
    return [*names, *(wilson(count, times) for count in told)]


def series_world(rng: np.random.Generator, size: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Features (N, d) of two configurations, and values (N,), of molecules in series of `size`."""
    own = np.arange(N) // size
    common, alone = rng.standard_normal((own.max() + 1, 2, FEATURES)), rng.standard_normal((N, 2, FEATURES))
    x = np.sqrt(0.8) * common[own] + np.sqrt(0.2) * alone if size > 1 else alone
    weights = rng.standard_normal(FEATURES)
    weights /= np.linalg.norm(weights)
    noise = np.sqrt(0.5) * (rng.standard_normal(own.max() + 1)[own] + rng.standard_normal(N))
    return [x[:, 0], x[:, 1]], (x[:, 0] + x[:, 1]) @ weights + noise


def series_folds(rng: np.random.Generator, size: int, whole: bool) -> list[np.ndarray]:
    """Test rows of a repeated k-fold, of single molecules or of whole series."""
    count = N // size if whole else N
    parts = [part for _ in range(REPEATS) for part in np.array_split(rng.permutation(count), FOLDS)]
    return [np.flatnonzero(np.isin(np.arange(N) // size, part)) for part in parts] if whole else parts


def comparison_row(size: int, whole: bool, times: int, rng: np.random.Generator) -> list[str]:
    """How often `compare` calls one of two equals better or worse."""
    told = 0
    for _ in range(times):
        x, y = series_world(rng, size)
        values, noise = np.empty((2, REPEATS * FOLDS, 2))
        for split, test in enumerate(series_folds(rng, size, whole)):
            train = np.setdiff1d(np.arange(N), test)
            for c in range(2):
                replicates = replicates_of(rng, x[c], y, train, test)
                values[split, c], noise[split, c] = projected(replicates, y[test], "rmse")
        told += bool(outcome(ScoreTable(-values, noise**2, 1 / (FOLDS - 1), FOLDS))["verdicts"])
    return [str(size), "whole series" if whole else "molecules", wilson(told, times)]


TEXT = """
## refresh and compare: equals, with molecules in series

`python -m benchmarks.coverage_series`. How many of 100 contests call one of two equally good ensembles better
or worse, over {contests} contests a line, in brackets 95 % intervals; 5 are allowed. refresh counts by whole
series; the last column shows what counting by single molecules would do.

{refresh}

The same for compare, {comparisons} comparisons of two equal configurations a line ({repeats} x {folds}-fold,
{molecules} molecules). With random folds a series lies on both sides of a split; the page of a comparison
warns of it.

{compare}
"""


def sections(share: int) -> dict[str, str]:
    """Both tables."""
    contests, comparisons = CONTESTS // share, COMPARISONS // share
    heads = ["molecules", "of a series", "shared in a series", "replicates", "by series", "by molecules"]
    cases = ((1, False), (5, False), (5, True), (10, False), (10, True))
    text = TEXT.format(
        contests=contests,
        comparisons=comparisons,
        repeats=REPEATS,
        folds=FOLDS,
        molecules=N,
        refresh=table(heads, on_all_cores([partial(contest_row, world, contests) for world in WORLDS])),
        compare=table(
            ["of a series", "folds leave out", "called better or worse"],
            on_all_cores([partial(comparison_row, *case, comparisons) for case in cases]),
        ),
    )
    return {"refresh-series": text}


if __name__ == "__main__":
    main(__doc__, sections)
