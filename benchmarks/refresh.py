"""How often does refresh tell two trainings of one model on one data set apart, and does it see a better one?

    python -m benchmarks.refresh            about five minutes
    python -m benchmarks.refresh --quick    a tenth of the comparisons, nothing written

Real replicates on real data (benchmarks/pools.py): two disjoint draws of M replicates are two trainings. Both
are judged at the same molecules, a fresh half of those held out, by the rule that refresh has by default.
"""

import argparse
from collections import Counter

import numpy as np

from benchmarks.pools import SETS, Pool, pool
from benchmarks.results import table, write_section
from manywalks.params.sections.model import EnsembleParams
from manywalks.params.sections.run import RefreshParams
from manywalks.refresh.contest import Ensembled, Rule, contest
from manywalks.replicates.combine import combine, combining_of

COUNTS = (8, 16, 32)
# of two trainings of one model, and of a model with a better one
COMPARISONS, POWER = 60, 20
# the challenger's every error this much smaller than that of a second training would be
GAINS = (0.0, 0.05, 0.1)
SEED = 20260202
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


def main() -> None:
    """Compare, print, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    share = 10 if quick else 1
    rng = np.random.default_rng(SEED)
    rows, told, trials = [], 0, 0
    for real in filter(None, (pool(name) for name in SETS)):
        for m in COUNTS:
            cells = [real.name, METRIC[real.kind], str(m)]
            for gain in GAINS:
                times = (POWER if gain else COMPARISONS) // share
                seen = Counter(compare(real, m, gain, rng) for _ in range(times))
                if gain == 0:
                    told += seen["better"] + seen["worse"]
                    trials += times
                    verdicts = ("better", "worse", "equivalent", "undecided")
                    cells += [f"{seen[verdict] / times:.0%}" for verdict in verdicts]
                else:
                    cells.append(f"{seen['better'] / times:.0%}")
            rows.append(cells)
            print(*cells, flush=True)
    heads = ["data", "score", "replicates", "better", "worse", "equivalent", "undecided"]
    heads += [f"better, errors {gain:.0%} less" for gain in GAINS[1:]]
    asked = RefreshParams()
    text = (
        "## refresh: two trainings of one model on one data set\n\n"
        "`python -m benchmarks.refresh`: two disjoint draws of replicates on real data are two trainings, "
        f"{COMPARISONS // share}\ncomparisons a line, judged by the default rule (margin {asked.margin:.0%}, "
        f"confidence {asked.confidence:.0%}). Told apart (better or\nworse) in {told} of {trials}, "
        f"{told / trials:.1%}. Last columns, of {POWER // share} each: how often a challenger whose every\n"
        "error is smaller is found better.\n\n"
    )
    text += table(heads, rows)
    print(text)
    if not quick:
        write_section("refresh", text)


if __name__ == "__main__":
    main()
