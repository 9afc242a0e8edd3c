"""What the scripts of coverage share: rows on all cores, cells with Monte Carlo errors, a command line."""

import argparse
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.results import write_section

# one row of a table; its random numbers are the last argument
Row = Callable[[np.random.Generator], list[str]]
# sections of RESULTS.md by name, from one part in `share` of the experiments
Measure = Callable[[int], dict[str, str]]
SEED = 20260202


def on_all_cores(rows: Sequence[Row]) -> list[list[str]]:
    """All rows in order, one process per core. Each has its own seed: the order of work changes nothing.

    `rows` go to other processes: module-level functions or partials of them.
    """
    seeds = np.random.SeedSequence(SEED).spawn(len(rows))
    # small arrays: threads of BLAS would only wait for each other
    with ProcessPoolExecutor(
        os.cpu_count(), multiprocessing.get_context("spawn"), threadpool_limits, (1,)
    ) as pool:
        found = []
        for row in pool.map(_made, rows, seeds):
            print(*row, sep=" | ", flush=True)
            found.append(row)
    return found


def _made(row: Row, seed: np.random.SeedSequence) -> list[str]:
    """One row, in a process of the pool."""
    return row(np.random.default_rng(seed))


def percent(shares: Sequence[float] | np.ndarray) -> str:
    """The mean of independent shares in percent, with its Monte Carlo error: "95.3 ± 0.4"."""
    values = 100 * np.asarray(shares, dtype=float)
    return f"{values.mean():.1f} ± {values.std(ddof=1) / np.sqrt(values.size):.1f}"


def wilson(count: int, of: int) -> str:
    """A share of independent cases with its 95 % interval (Wilson): "4.6 % (3.7 to 5.8)"."""
    p, z = count / of, 1.96
    middle, half = p + z**2 / (2 * of), z * np.sqrt(p * (1 - p) / of + z**2 / (4 * of**2))
    low, high = (middle - half) / (1 + z**2 / of), (middle + half) / (1 + z**2 / of)
    return f"{100 * p:.1f} % ({100 * max(0, low):.1f} to {100 * min(1, high):.1f})"


def rms(difference: np.ndarray) -> np.ndarray:
    """Root mean square over the last axis."""
    return np.sqrt(np.mean(difference**2, axis=-1))


def main(about: str | None, measure: Measure) -> None:
    """The command of one script: measure, print, and write its sections of RESULTS.md."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="a twentieth of the experiments, nothing written"
    )
    quick = parser.parse_args().quick
    for name, text in measure(20 if quick else 1).items():
        print(text)
        if not quick:
            write_section(name, text)
