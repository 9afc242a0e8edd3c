"""Is the statement about another draw of the data right? Ensembles of samples that share no molecule.

    python -m benchmarks.data_draws            about a quarter of an hour on two cores; resumes if stopped
    python -m benchmarks.data_draws --quick    one repeat of a few tables, nothing kept or written

A third of the molecules is out of sample. The others are parted at random into two samples, many times. From
one sample alone, the difference to an ensemble of the other is stated (`evaluate.statement.data_draws`),
and then that ensemble is trained. Beside it is what the usual bootstrap would have stated. What is trained is
kept in .manywalks/data_draws.
"""

import argparse
import dataclasses
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.pools import DATA, ROOT, SETS
from benchmarks.results import table, write_section
from manywalks import files
from manywalks.data.curate import curate_table
from manywalks.evaluate.statement.data_draws import DrawTerms, draw_statement
from manywalks.evaluate.statement.pairs import Pairs, flip_rate, top_overlap
from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.load import Params, parse_params
from manywalks.params.sections.families import Family
from manywalks.replicates.fresh import fresh_replicates
from manywalks.reproduce.data_draws import DrawDesign, train_draws
from manywalks.tables.frame import read_table
from manywalks.train.prepare import Groups, Prepared, prepare

PAIRS, REPLICATES = 4, 8
BOOTSTRAPS, EACH = 8, 2
# training molecules, and how often each table is looked at
SIZES = {400: 12, 50: 6, 100: 6, 1200: 6}
KEPT = ROOT / ".manywalks" / "data_draws"
TOX21, BIOGEN = "assay/tox21.csv", "assay/biogen_adme_3521.csv"
CLASS: dict[str, Any] = {"kind": "classification"}
TABLES: dict[str, dict[str, Any]] = {
    **SETS,
    "Ames": {"path": "tdc/ames.csv", "smiles": "Drug", "column": "Y", **CLASS},
    "BACE pIC50": {"path": "assay/bace.csv", "smiles": "mol", "column": "pIC50"},
    "BACE class": {"path": "assay/bace.csv", "smiles": "mol", "column": "Class", **CLASS},
    "Biogen HLM": {"path": BIOGEN, "smiles": "SMILES", "column": "LOG HLM_CLint (mL/min/kg)"},
    "Biogen MDR1": {"path": BIOGEN, "smiles": "SMILES", "column": "LOG MDR1-MDCK ER (B-A/A-B)"},
    "Biogen solubility": {"path": BIOGEN, "smiles": "SMILES", "column": "LOG SOLUBILITY PH 6.8 (ug/mL)"},
    "Tox21 NR-AhR": {"path": TOX21, "smiles": "smiles", "column": "NR-AhR", **CLASS},
    "Tox21 SR-ARE": {"path": TOX21, "smiles": "smiles", "column": "SR-ARE", **CLASS},
}


class Ground(NamedTuple):
    """The measured molecules of a table, and their features."""

    params: Params
    curated: pd.DataFrame
    features: Features


@lru_cache(maxsize=2)
def ground(name: str) -> Ground:
    """A table's molecules whose value was measured: 3,600 at most."""
    about = TABLES[name]
    endpoint = {"kind": kind_of(name), "column": about["column"], "unit": about.get("unit", "")}
    params = parse_params(
        {
            "data": {"path": about["path"], "smiles": about["smiles"], "endpoints": {"y": endpoint}},
            "featurize": {"blocks": [{"kind": "morgan_count", "n_bits": 512}, {"kind": "physchem"}]},
            "network": {"widths": [64, 32]},
        }
    )
    curated = curate_table(read_table(DATA / about["path"]), params).molecules
    known = np.flatnonzero(curated["y"].notna())
    rows = np.random.default_rng(5).permutation(known)[: 3 * max(SIZES)]
    curated = curated.iloc[rows].reset_index(drop=True)
    return Ground(params, curated, featurize(curated["smiles"].tolist(), params.featurize.blocks))


def kind_of(name: str) -> str:
    """Regression or classification."""
    return TABLES[name].get("kind", "regression")


def apart(name: str, size: int, rng: np.random.Generator) -> tuple[Ground, np.ndarray, np.ndarray]:
    """Some molecules of a table, and two ways to divide them: a third is train in one, another in the other.

    The first third is test in both.
    """
    params, curated, features = ground(name)
    rows = rng.permutation(len(curated))[: 3 * size]
    third = len(rows) // 3
    ways = np.full((2, len(rows)), "", dtype="<U5")
    ways[:, :third] = "test"
    ways[0, third : 2 * third] = ways[1, 2 * third : 3 * third] = "train"
    return Ground(params, curated.iloc[rows].reset_index(drop=True), features.take(rows)), ways[0], ways[1]


def samples(name: str, size: int, rng: np.random.Generator) -> tuple[Prepared, Prepared]:
    """The problem of a table with one sample of so many training molecules, and with another."""
    drawn, *subsets = apart(name, size, rng)
    params, curated, features = drawn
    one, other = (prepare(curated, features, each, Family("", params)) for each in subsets)
    return one, other


def trained(prepared: Prepared, count: int, rng: np.random.Generator) -> np.ndarray:
    """Predictions (count, n) of so many replicates."""
    made = fresh_replicates([prepared], range(count), int(rng.integers(2**62)), threads=2)
    return np.stack([one.predictions[:, 0] for one in sorted(made, key=lambda one: one.index)])


def bootstrapped(prepared: Prepared, rng: np.random.Generator) -> np.ndarray:
    """Predictions (BOOTSTRAPS, EACH, n) of replicates on draws with replacement."""
    problem, found = prepared.problem, []
    for _ in range(BOOTSTRAPS):
        weights = np.zeros((len(problem.targets.values), 1), dtype=np.float32)
        np.add.at(weights, rng.choice(problem.train, len(problem.train)), 1)
        targets = dataclasses.replace(problem.targets, weights=problem.targets.weights * weights)
        drawn = prepared._replace(problem=dataclasses.replace(problem, targets=targets))
        found.append(trained(drawn, EACH, rng))
    return np.stack(found)


class Outcome(NamedTuple):
    """One repeat: the difference stated, its bound, the one seen, by bootstrap; classes, best 5 %."""

    stated: float
    bound: float
    seen: float
    bootstrap: float
    flips_stated: float
    flips_seen: float
    top_stated: float
    top_seen: float


def repeat(name: str, size: int, number: int, kept: Path | None) -> Outcome:
    """State from one sample, and look at the other; what was trained before is read."""
    path = None if kept is None else kept / f"{name}-{size}-{number}.npz"
    if path is None or not path.is_file():
        rng = np.random.default_rng([number, size, sum(map(ord, name))])
        one, other = samples(name, size, rng)
        groups = Groups(np.arange(len(one.problem.targets.values)), one.problem.train)
        made = {
            "halves": train_draws([one], groups, DrawDesign(PAIRS, int(rng.integers(2**62)), 2))[..., 0],
            "bootstraps": bootstrapped(one, rng),
            "one": trained(one, REPLICATES, rng),
            "other": trained(other, REPLICATES, rng),
        }
        if path is not None:
            files.write_npz(path, {key: array.astype(np.float32) for key, array in made.items()})
    else:
        made = files.read_npz(path)
    return outcome({key: array.astype(np.float64) for key, array in made.items()}, kind_of(name))


def outcome(made: dict[str, np.ndarray], kind: str) -> Outcome:
    """What is stated from one sample beside what was seen."""
    within = float(made["one"].var(axis=0, ddof=1).mean())
    found = draw_statement(made["halves"], DrawTerms(kind, "", REPLICATES, within))
    both = Pairs(made["one"].mean(axis=0)[None], made["other"].mean(axis=0)[None])
    drawn = made["bootstraps"]
    of_draw = drawn.mean(axis=1).var(axis=0, ddof=1).mean() - drawn.var(axis=1, ddof=1).mean() / EACH
    return Outcome(
        found["difference_expected"],
        found["difference_bound"],
        float(np.sqrt(np.mean((both.one - both.other) ** 2))),
        float(np.sqrt(2 * (max(of_draw, 0) + within / REPLICATES))),
        np.nan if kind == "regression" else found["flip_share"],
        flip_rate(both, 0.5),
        found["top"]["0.05"]["shared"],
        top_overlap(both, 0.05),
    )


def rms(values: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(values**2)))


def row(name: str, made: list[Outcome]) -> list[str]:
    """One table's row."""
    stated, bound, seen, bootstrap, flips_stated, flips_seen, top_stated, top_seen = np.array(made).T
    ratios = seen / stated
    flips = (
        "–"
        if np.isnan(flips_stated).all()
        else f"{100 * flips_stated.mean():.1f} / {100 * flips_seen.mean():.1f}"
    )
    return [
        name,
        f"{rms(stated):.3g}",
        f"{rms(seen):.3g}",
        f"{np.median(ratios):.2f} ± {ratios.std(ddof=1) / np.sqrt(len(ratios)):.2f}" if len(made) > 1 else "",
        f"{np.sum(seen <= bound)} of {len(made)}",
        f"{np.median(seen / bootstrap):.2f}",
        flips,
        f"{100 * top_stated.mean():.0f} / {100 * top_seen.mean():.0f}",
    ]


def size_row(size: int, made: dict[str, list[Outcome]]) -> list[str]:
    """What became of all tables at one size."""
    medians = [np.median([one.seen / one.stated for one in each]) for each in made.values()]
    everything = [one for each in made.values() for one in each]
    right = sum(0.8 <= median <= 1.25 for median in medians)
    held = sum(one.seen <= one.bound for one in everything)
    boot = [np.median([one.seen / one.bootstrap for one in each]) for each in made.values()]
    return [
        str(size),
        str(len(made)),
        f"{min(medians):.2f} to {max(medians):.2f}",
        f"{right} of {len(medians)}",
        f"{100 * held / len(everything):.0f} % of {len(everything)}",
        f"{min(boot):.2f} to {max(boot):.2f}",
    ]


def text_of(found: dict[int, dict[str, list[Outcome]]]) -> str:
    """The section of RESULTS.md."""
    heads = ["data", "stated", "seen", "seen / stated, median", "within the 95 % bound",
             "seen / stated by a bootstrap", "classes that flip (%): stated / seen",
             "best 5 % shared (%): stated / seen"]  # fmt: skip
    middle = next(iter(found))
    text = (
        "## Another draw of the data\n\n"
        f"`python -m benchmarks.data_draws`. From {middle} training molecules (a third of a smaller table) "
        f"the\ndifference to an ensemble of as many others is stated, by replicates on {PAIRS} pairs of "
        "halves; then that\nensemble is trained. Root mean square over a third that trained neither, "
        f"{REPLICATES} replicates, ± Monte Carlo\nerror.\n\n"
    )
    text += table(heads, [row(name, made) for name, made in found[middle].items()])
    heads = ["training molecules", "tables", "seen / stated, table medians", "of these in 0.8 to 1.25",
             "within the 95 % bound", "seen / stated by a bootstrap"]  # fmt: skip
    text += "\n\nThe same with fewer and with more training molecules, where the table has enough:\n\n"
    return text + table(heads, [size_row(size, found[size]) for size in sorted(found)])


def main() -> None:
    """Measure, print, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one repeat of a few tables, nothing written")
    asked = parser.parse_args()
    found: dict[int, dict[str, list[Outcome]]] = {}
    sizes = {100: 1} if asked.quick else SIZES
    for name in list(TABLES)[: 2 if asked.quick else None]:
        if not (DATA / TABLES[name]["path"]).is_file():
            print(f"{name}: no {DATA / TABLES[name]['path']}; left out (set MANYWALKS_DATA)")
            continue
        for size, repeats in sizes.items():
            if size != next(iter(sizes)) and len(ground(name).curated) < 3 * size:
                continue
            kept = None if asked.quick else KEPT
            made = [repeat(name, size, number, kept) for number in range(repeats)]
            found.setdefault(size, {})[name] = made
            print(size, *row(name, made), flush=True)
    text = text_of(found)
    print(text)
    if not asked.quick:
        write_section("data-draws", text)


if __name__ == "__main__":
    main()
