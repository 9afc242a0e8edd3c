"""Should intervals have a width of their own by distance from the training set (Mondrian intervals)?

    python -m benchmarks.mondrian            seconds, once the pools of benchmarks/pools.py are there
    python -m benchmarks.mondrian --quick    a twentieth of the draws, nothing written

Real replicates on real data. Molecules that trained nothing are drawn into valid and test halves, many times.
Plain: one quantile of the scaled scores for all. By class: as in `manywalks`, one for each third of the valid
molecules by similarity to the nearest training molecule.
"""

from functools import partial

import numpy as np

from benchmarks.experiments import main, on_all_cores, percent
from benchmarks.pools import Pool, all_pools, similarity_of
from benchmarks.results import table
from manywalks.ensemble.intervals import calibration
from manywalks.ensemble.intervals.distance_classes import CLASSES, LEAST, fit_classes

DRAWS, COVERAGE, REPLICATES = 400, 0.9, 16


def draw(
    error: np.ndarray, spread: np.ndarray, similarity: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Coverage by class and mean width of one draw: plain and by class, each (2, CLASSES) and (2,)."""
    order = rng.permutation(error.size)
    valid, test = order[: error.size // 2], order[error.size // 2 :]
    fitted = calibration.fit(error[valid], np.zeros(valid.size), spread[valid], "regression")
    edges = np.quantile(similarity[valid], np.linspace(0, 1, CLASSES + 1)[1:-1])
    of_test = np.searchsorted(edges, similarity[test], side="right")
    sd = fitted.predicted_sd(spread)
    scores = np.abs(error) / sd
    plain = np.full(test.size, fitted.quantile(COVERAGE))
    classes = fit_classes(scores[valid], similarity[valid])
    own = classes.quantiles(COVERAGE, similarity[test], fitted.quantile(COVERAGE))
    within = [scores[test] <= quantile for quantile in (plain, own)]
    shares = np.array([[hit[of_test == c].mean() for c in range(CLASSES)] for hit in within])
    return shares, np.array([np.mean(2 * quantile * sd[test]) for quantile in (plain, own)])


def row(real: Pool, near: np.ndarray, draws: int, rng: np.random.Generator) -> list[str]:
    """Coverage of one data set in each third, and what the classes cost in width."""
    keep = np.isfinite(real.observed)
    replicates = real.replicates[:REPLICATES, keep]
    error = real.observed[keep] - replicates.mean(axis=0)
    made = [draw(error, replicates.std(axis=0, ddof=1), near[keep], rng) for _ in range(draws)]
    shares, widths = (np.array([one[part] for one in made]) for part in (0, 1))
    cells = [" / ".join(percent(one) for one in of_way) for of_way in np.moveaxis(shares, 0, -1)]
    ratio = widths[:, 1] / widths[:, 0]
    return [
        real.name,
        str(error.size // 2),
        *cells,
        f"{ratio.mean():.2f} ± {ratio.std() / np.sqrt(draws):.2f}",
    ]


def sections(share: int) -> dict[str, str]:
    """The table, one row per data set of numbers."""
    draws = DRAWS // share
    numbers = [real for real in all_pools() if real.kind == "regression"]
    rows = on_all_cores([partial(row, real, similarity_of(real.name), draws) for real in numbers])
    heads = ["data", "valid molecules", "plain: far / middle / near", "by class: far / middle / near",
             "width by class over plain"]  # fmt: skip
    text = (
        "## Intervals by distance from the training set\n\n"
        f"`python -m benchmarks.mondrian`. Share (%) of test molecules within intervals of {COVERAGE:.0%}"
        f", by thirds of similarity to the\nnearest training molecule, mean over {draws} draws of valid and "
        "test molecules ± the error of the draws. With fewer than\n"
        f"{LEAST} valid molecules in a third there is one width for all, in `by class` too.\n\n"
    )
    return {"mondrian": text + table(heads, rows)}


if __name__ == "__main__":
    main(__doc__, sections)
