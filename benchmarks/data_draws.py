"""Is the statement about another draw of the data right? Ensembles trained on disjoint halves of real tables.

    python -m benchmarks.data_draws            about fifteen minutes on two cores
    python -m benchmarks.data_draws --quick    two repeats of each table, nothing written

A third of the molecules is out of sample. The others are halved at random, many times. From one half alone,
the difference to an ensemble of another sample of that size is stated (`reproduce.data_draws`); the other
half is such a sample. The data sets are those of benchmarks/pools.py.
"""

import argparse
from typing import NamedTuple

import numpy as np

from benchmarks.pools import DATA, SETS
from benchmarks.results import table, write_section
from manywalks.data.curate import curate_table
from manywalks.featurize.featurize import featurize
from manywalks.params.load import parse_params
from manywalks.params.sections.families import Family
from manywalks.replicates.fresh import fresh_replicates
from manywalks.reproduce.data_draws import DrawDesign, DrawTerms, draw_statement, train_draws
from manywalks.tables.frame import read_table
from manywalks.train.prepare import Prepared, prepare

REPEATS, DRAWS, EACH, REPLICATES = 8, 8, 2, 8
MOST = 900
TABLES = {**SETS, "Ames": {"path": "tdc/ames.csv", "smiles": "Drug", "column": "Y", "kind": "classification"}}


class Outcome(NamedTuple):
    """One repeat: the difference stated, its bound, the difference seen; for classes shares that flip."""

    stated: float
    bound: float
    seen: float
    flips_stated: float
    flips_seen: float


def halves(name: str, rng: np.random.Generator) -> tuple[Prepared, Prepared]:
    """The problem of a table with one half of its training molecules, and with the other."""
    about = TABLES[name]
    endpoint = {
        "kind": about.get("kind", "regression"),
        "column": about["column"],
        "unit": about.get("unit", ""),
    }
    params = parse_params(
        {
            "data": {"path": about["path"], "smiles": about["smiles"], "endpoints": {"y": endpoint}},
            "featurize": {"blocks": [{"kind": "morgan_count", "n_bits": 512}, {"kind": "physchem"}]},
            "network": {"widths": [64, 32]},
            "train": {"epochs": 20},
        }
    )
    curated = curate_table(read_table(DATA / about["path"]), params).molecules
    rows = rng.permutation(len(curated))[: min(MOST, len(curated))]
    curated = curated.iloc[rows].reset_index(drop=True)
    features = featurize(curated["smiles"].tolist(), params.featurize.blocks)
    third = len(curated) // 3
    made = []
    for first in (third, third + third):
        subsets = np.full(len(curated), "", dtype="<U5")
        subsets[:third] = "test"
        subsets[first : first + third] = "train"
        made.append(prepare(curated, features, subsets, Family("", params)))
    return made[0], made[1]


def ensemble(prepared: Prepared, entropy: int) -> np.ndarray:
    """Mean prediction (n,) of REPLICATES replicates."""
    made = fresh_replicates([prepared], range(REPLICATES), entropy, threads=2)
    return np.mean([one.predictions[:, 0] for one in made if not one.diverged], axis=0)


def repeat(name: str, number: int) -> Outcome:
    """State from one half, and look at the other."""
    rng = np.random.default_rng([number, len(name)])
    one, other = halves(name, rng)
    kind = TABLES[name].get("kind", "regression")
    groups = np.arange(len(one.problem.targets.values))
    design = DrawDesign(DRAWS, EACH, int(rng.integers(2**62)), threads=2)
    cube = train_draws([one], groups, design)[..., 0]
    found = draw_statement(cube, DrawTerms(kind, "", REPLICATES))
    mine, theirs = (ensemble(side, int(rng.integers(2**62))) for side in (one, other))
    seen = float(np.sqrt(np.mean((mine - theirs) ** 2)))
    flips = float(np.mean((mine >= 0.5) != (theirs >= 0.5)))
    stated = found["flip_share"]
    return Outcome(
        found["difference_expected"],
        found["difference_bound"],
        seen,
        np.nan if stated is None else stated,
        flips,
    )


def row(name: str, repeats: int) -> list[str]:
    """One table's row."""
    made = [repeat(name, number) for number in range(repeats)]
    stated, bound, seen, flips_stated, flips_seen = np.array(made).T
    ratios = seen / stated
    error = ratios.std(ddof=1) / np.sqrt(repeats)
    flips = (
        "–"
        if np.isnan(flips_stated).all()
        else (f"{100 * flips_stated.mean():.1f} / {100 * flips_seen.mean():.1f}")
    )
    within = f"{np.sum(seen <= bound)} of {repeats}"
    return [name, f"{np.sqrt(np.mean(stated**2)):.3g}", f"{np.sqrt(np.mean(seen**2)):.3g}",
            f"{np.median(ratios):.2f} ± {error:.2f}", within, flips]  # fmt: skip


def main() -> None:
    """Measure, print, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two repeats of each table, nothing written")
    parser.add_argument("--repeats", type=int, default=REPEATS, help=f"of each table (default: {REPEATS})")
    asked = parser.parse_args()
    quick, rows = asked.quick, []
    repeats = 2 if quick else asked.repeats
    for name, about in TABLES.items():
        if not (DATA / about["path"]).is_file():
            print(f"{name}: no {DATA / about['path']}; left out (set MANYWALKS_DATA)")
            continue
        rows.append(row(name, repeats))
        print(*rows[-1], flush=True)
    heads = ["data", "stated", "seen", "seen / stated, median", "within the 95 % bound",
             "classes that flip (%): stated / seen"]  # fmt: skip
    text = (
        "## Another draw of the data\n\n"
        f"`python -m benchmarks.data_draws`. From a third of a table (at most {MOST} molecules in all) the "
        "difference to an ensemble\n"
        f"of another third is stated, by {DRAWS} bootstrap draws of {EACH} replicates each; then that "
        "ensemble is trained. Root\nmean square over a third that trained neither, "
        f"{REPLICATES} replicates, {repeats} "
        "repeats a table, ± Monte Carlo error.\n\n"
    )
    text += table(heads, rows)
    print(text)
    if not quick:
        write_section("data-draws", text)


if __name__ == "__main__":
    main()
