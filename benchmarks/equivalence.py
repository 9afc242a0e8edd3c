"""Are the dense engine's replicates what plain Keras fits would be? The scores of many of each, compared.

    python -m benchmarks.equivalence [--fits 64] [--cases S:esol:15 S:caco2:15 ...]

A case is network:table:epochs. The engine trains four replicates a fit: with 64 of each, one in four pairs of
equal ways would miss the test by chance; with 256 beside 64, one in twenty. Mean test RMSE: two one-sided
tests (Welch) that the difference is within half a replicate SD of Keras, at 5 %; spread: the ratio of the SDs
is to lie within 0.75 and 1.33.
"""

import argparse
import json
import os

import numpy as np
from scipy import stats

from benchmarks import walks
from benchmarks.keras_fits import Fits
from benchmarks.results import table, write_section
from manywalks.tasks.walk import train_pack

CORES = len(os.sched_getaffinity(0))
CASES = ["S:esol:15", "S:caco2:15", "S:vdss:15", "L:esol:4", "L:caco2:4", "L:vdss:4", "default:esol:20"]
OURS = 4
MARGIN = 0.5


def equivalent(ours: np.ndarray, keras: np.ndarray) -> list[str]:
    """Difference in SDs with its 90 % interval, the larger of the two p values, ratio of SDs, verdict."""
    sd = keras.std(ddof=1)
    difference = (ours.mean() - keras.mean()) / sd
    error = np.sqrt(ours.var(ddof=1) / len(ours) + keras.var(ddof=1) / len(keras)) / sd
    freedom = len(ours) + len(keras) - 2
    p = max(stats.t.sf((MARGIN - abs(difference)) / error, freedom), 0.0)
    half = stats.t.ppf(0.95, freedom) * error
    ratio = ours.std(ddof=1) / sd
    met = p < 0.05 and 0.75 <= ratio <= 1.33
    interval = f"{difference:+.2f} ({difference - half:+.2f} to {difference + half:+.2f})"
    return [interval, f"{p:.4f}", f"{ratio:.2f}", "yes" if met else "no"]


def measure(case: str, fits: int, fan: Fits) -> list[str]:
    """One row of the table."""
    recipe, name, epochs = case.split(":")
    problem = walks.problem(name, recipe, int(epochs))
    trained = train_pack(problem, range(OURS * fits), 20_26, threads=CORES)
    ours = np.array([walks.rmse(problem, replicate.predictions) for replicate in trained])
    answers = fan.fit(name, recipe, int(epochs), -(-fits // CORES))
    keras = np.array([answer["rmse"] for answer in answers])
    scores = [f"{each.mean():.4f} ± {each.std(ddof=1):.4f}" for each in (ours, keras)]
    return [recipe, name, epochs, f"{len(ours)}, {len(keras)}", *scores, *equivalent(ours, keras)]


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=64)
    parser.add_argument("--cases", nargs="*", default=CASES)
    parser.add_argument("--again", action="store_true", help="measure anew what a broken run has measured")
    asked = parser.parse_args()
    kept = walks.CACHE / "equivalence.json"
    rows = json.loads(kept.read_text()) if kept.is_file() and not asked.again else {}
    fan = Fits(CORES)
    for case in asked.cases:
        if case not in rows:
            rows[case] = measure(case, asked.fits, fan)
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(json.dumps(rows))
        print(rows[case], flush=True)
    fan.close()
    header = ["network", "data", "epochs", "replicates, fits", "dense engine: RMSE ± SD"]
    header += ["Keras fits: RMSE ± SD", "difference in SDs (90 %)", "p", "ratio of SDs", "equivalent"]
    text = f"""## Dense engine: the same walks as Keras's

`python -m benchmarks.equivalence`: replicates against plain `fit`s with a fresh order an epoch; test RMSE in
SDs of the target. Equivalent: the difference of the means is within half a replicate SD (two one-sided Welch
tests, p < 0.05) and the ratio of the SDs within 0.75 and 1.33. Few epochs, so that it ends in minutes;
`--cases` takes more.

{table(header, [rows[case] for case in asked.cases])}"""
    print(text)
    write_section("engine-equivalence", text)


if __name__ == "__main__":
    main()
