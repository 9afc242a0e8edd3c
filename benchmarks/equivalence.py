"""Are the engines' replicates what plain Keras fits would be? The scores of many of each, compared.

    python -m benchmarks.equivalence [--fits 64] [--cases S:esol:15 ...] [--engines dense keras ...]

A case is network:table:epochs. The engine jax trains where there is an accelerator. Elsewhere its kept scores
are used: with --no-fits they are made there, in a file to copy. With 64 of each, one in four pairs of equal
ways would miss the test by chance; with 256 beside 64, one in twenty: so the faster an engine, the more
replicates a fit it trains. Mean test RMSE: two one-sided tests (Welch) that the difference is within half a
replicate SD of Keras, at 5 %; spread: the ratio of the SDs is to lie within 0.75 and 1.33.
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from benchmarks import problems
from benchmarks.keras_fits import Fits
from benchmarks.results import table, write_section
from manywalks.files import sha256_bytes
from manywalks.replicates.code_key import training_code
from manywalks.train.engines import train_pack
from manywalks.train.jax_engine.device import accelerators
from manywalks.train.problem import Pack

CORES = len(os.sched_getaffinity(0))
CASES = ["S:esol:15", "S:caco2:15", "S:vdss:15", "L:esol:4", "L:caco2:4", "L:vdss:4", "default:esol:20"]
OURS = {"numba": 4, "keras": 2, "jax": 4}
"""Replicates, times 64 (L: 32), and as many as there are fits at least."""

MARGIN = 0.5


def equivalent(ours: np.ndarray, keras: np.ndarray) -> list[str]:
    """Difference in SDs with its 90 % interval, the larger of the two p values, ratio of SDs, verdict."""
    sd = keras.std(ddof=1)
    difference = (ours.mean() - keras.mean()) / sd
    welch: Any = partial(stats.ttest_ind, ours, equal_var=False)
    low, high = welch(keras).confidence_interval(0.9)
    above = welch(keras + MARGIN * sd, alternative="less").pvalue
    below = welch(keras - MARGIN * sd, alternative="greater").pvalue
    ratio = ours.std(ddof=1) / sd
    met = max(above, below) < 0.05 and 0.75 <= ratio <= 1.33
    interval = f"{difference:+.2f} ({low / sd:+.2f} to {high / sd:+.2f})"
    return [interval, f"{max(above, below):.4f}", f"{ratio:.2f}", "yes" if met else "no"]


def fits_of(case: str, count: int, fan: Fits | None) -> list[float]:
    """Test RMSE of plain fits."""
    recipe, name, epochs = case.split(":")
    assert fan is not None  # none is started where no fits are asked for
    return [answer["rmse"] for answer in fan.fit(name, recipe, int(epochs), -(-count // CORES))]


def replicates_of(case: str, engine: str, first: int, count: int) -> list[float]:
    """Test RMSE of an engine's replicates, from the `first` on."""
    recipe, name, epochs = case.split(":")
    given = problems.problem(name, recipe, int(epochs))
    problem = replace(given, train_params=given.train_params.model_copy(update={"engine": engine}))
    trained = train_pack(Pack(problem, range(first, first + count), 20_26, threads=CORES))
    return [problems.rmse(problem, replicate.predictions) for replicate in trained]


def row(case: str, engine: str, ours: list[float], keras: list[float]) -> list[str]:
    """One row of the table."""
    scores = [f"{np.mean(each):.4f} ± {np.std(each, ddof=1):.4f}" for each in (ours, keras)]
    counts = f"{len(ours)}, {len(keras)}"
    return [*case.split(":"), engine, counts, *scores, *equivalent(np.array(ours), np.array(keras))]


class Kept:
    """Scores by name, on disk, of one state of the engines: a run that broke off goes on, more are added."""

    def __init__(self, *, again: bool) -> None:
        code = "".join(training_code().values())
        self.path = problems.CACHE / f"equivalence-{sha256_bytes(code.encode())[:8]}.json"
        self.scores = json.loads(self.path.read_text()) if self.path.is_file() and not again else {}

    def of(self, name: str, count: int, make: Callable[[int, int], list[float]]) -> list[float]:
        """So many scores; what is missing is made by make(how many there are, how many more)."""
        have: list[float] = self.scores.setdefault(name, [])
        if len(have) < count:
            have += make(len(have), count - len(have))
            self.path.parent.mkdir(exist_ok=True)
            self.path.write_text(json.dumps(self.scores))
        return have


def main() -> None:
    """Measure, print, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=64)
    parser.add_argument("--cases", nargs="*", default=CASES)
    parser.add_argument("--engines", nargs="*", default=list(OURS))
    parser.add_argument("--no-fits", action="store_true", help="train and keep our replicates' scores alone")
    parser.add_argument("--again", action="store_true", help="measure anew what a broken run has measured")
    asked = parser.parse_args()
    kept, rows, keras = Kept(again=asked.again), [], []
    fan = None if asked.no_fits else Fits(CORES)
    for case in asked.cases:
        if not asked.no_fits:
            keras = kept.of(f"{case} fits", asked.fits, lambda _, more, case=case: fits_of(case, more, fan))
        for engine in asked.engines:
            if engine == "jax" and not accelerators() and f"{case} jax" not in kept.scores:
                continue  # in lockstep on a processor it would take hours
            count = max(OURS[engine] * (32 if case.startswith("L") else 64), asked.fits)
            ours = kept.of(f"{case} {engine}", count, partial(replicates_of, case, engine))
            if not asked.no_fits:
                rows.append(row(case, engine, ours, keras))
                print(*rows[-1], flush=True)
    if fan:
        fan.close()
    if asked.no_fits:
        print(f"kept in {kept.path}")
        return
    header = ["network", "data", "epochs", "engine", "replicates, fits", "engine: RMSE ± SD"]
    header += ["Keras fits: RMSE ± SD", "difference in SDs (90 %)", "p", "ratio of SDs", "equivalent"]
    text = f"""## The engines' replicates are Keras's

`python -m benchmarks.equivalence`: replicates against plain `fit`s with a fresh order an epoch; test RMSE in
SDs of the target. Equivalent: the difference of the means is within half a replicate SD (two one-sided Welch
tests, p < 0.05) and the ratio of the SDs within 0.75 and 1.33. Few epochs, so that it ends in minutes;
`--cases` takes more.

{table(header, rows)}"""
    print(text)
    write_section("engine-equivalence", text)


if __name__ == "__main__":
    main()
