"""How often does refresh tell two trainings of one model on one data set apart, and does it see a better one?

    python -m benchmarks.refresh            about a minute
    python -m benchmarks.refresh --quick    a twentieth of the comparisons, nothing written

Real replicates on real data (benchmarks/pools.py): two disjoint draws of M replicates are two trainings. Both
are judged at the same molecules, a fresh half of those held out, by the rule that refresh has by default.
"""

from collections import Counter
from functools import partial

import numpy as np

from benchmarks.experiments import main, on_all_cores, wilson
from benchmarks.pools import Pool, all_pools
from benchmarks.results import table
from manywalks.params.sections.model import EnsembleParams
from manywalks.params.sections.run import RefreshParams
from manywalks.refresh.contest import Ensembled, Rule, contest
from manywalks.replicates.combine import combine, combining_of

COUNTS = (8, 16, 32)
# of two trainings of one model, and of a model with a better one
COMPARISONS, POWER = 400, 100
# the challenger's every error this much smaller than that of a second training would be
GAINS = (0.0, 0.05, 0.1)
METRIC = {"regression": "rmse", "classification": "brier"}


def compare(real: Pool, m: int, gain: float, rng: np.random.Generator) -> str:
    """The verdict on two trainings of m replicates, the second one's errors smaller by the share `gain`."""
    asked = RefreshParams()
    rule = Rule(METRIC[real.kind], asked.margin, asked.confidence, asked.min_molecules)
    there = np.flatnonzero(np.isfinite(real.observed))
    held = rng.choice(there, there.size // 2, replace=False)
    observed = real.observed[held]
    drawn = real.replicates[rng.permutation(len(real.replicates))[: 2 * m]][:, held]
    drawn[m:] += gain * (observed - drawn[m:])
    how = combining_of("classification" if real.kind == "classification" else "regression", EnsembleParams())
    sides = [Ensembled(combine(replicates, how), replicates) for replicates in (drawn[:m], drawn[m:])]
    return contest(sides[0], sides[1], observed, rule)["verdict"]


def row(real: Pool, m: int, share: int, rng: np.random.Generator) -> list[str]:
    """Verdicts (%) on two trainings of m replicates, and how often a better challenger is found better."""
    cells = [real.name, METRIC[real.kind], str(m)]
    for gain in GAINS:
        times = (POWER if gain else COMPARISONS) // share
        seen = Counter(compare(real, m, gain, rng) for _ in range(times))
        verdicts = ("better",) if gain else ("better", "worse", "equivalent", "undecided")
        cells += [wilson(seen[verdict], times) for verdict in verdicts]
    return cells


def sections(share: int) -> dict[str, str]:
    """The table, one row per data set and number of replicates."""
    rows = on_all_cores([partial(row, real, m, share) for real in all_pools() for m in COUNTS])
    heads = ["data", "score", "replicates", "better", "worse", "equivalent", "undecided"]
    heads += [f"better, errors {gain:.0%} less" for gain in GAINS[1:]]
    asked = RefreshParams()
    text = (
        "## refresh: two trainings of one model on one data set\n\n"
        "`python -m benchmarks.refresh`: two disjoint draws of replicates on real data are two trainings, "
        f"{COMPARISONS // share}\ncomparisons a line, judged by the default rule (margin {asked.margin:.0%}, "
        f"confidence {asked.confidence:.0%}). In brackets 95 % intervals.\nLast columns, of "
        f"{POWER // share} each: how often a challenger whose every error is smaller is found better.\n\n"
    )
    return {"refresh": text + table(heads, rows)}


if __name__ == "__main__":
    main(__doc__, sections)
