"""Each replicate on its own bootstrap draw: what that does to accuracy, spread, intervals and churn.

    python -m benchmarks.bagging            about half an hour on one core; resumes where it was stopped
    python -m benchmarks.bagging --quick    one repeat of two tables, nothing kept or written

Two samples with no molecule in common are drawn from a table, and a third that trains neither. On each
sample an ensemble is trained on all of its molecules, and one of bagged replicates; both hold a tenth back
for calibration. A third way holds none back (split.valid: 0): bagged replicates on the whole sample,
calibrated as the pipeline does it on the molecules that each did not draw.
Tables and network are those of benchmarks/data_draws.py; what is trained is kept in .manywalks/bagging.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.data_draws import TABLES, apart, kind_of
from benchmarks.pools import DATA, ROOT
from benchmarks.results import table, write_section
from manywalks import files
from manywalks.ensemble.domain import Domain
from manywalks.ensemble.intervals import calibration
from manywalks.ensemble.intervals.calibration import LEVELS
from manywalks.ensemble.intervals.out_of_bag import as_whole, left_out
from manywalks.features import Features
from manywalks.params.sections.families import Family
from manywalks.replicates.combine import MEAN
from manywalks.replicates.draws import Draws
from manywalks.replicates.fresh import fresh_replicates
from manywalks.similarity import similarity_to_other_groups
from manywalks.train.prepare import Groups, Prepared, prepare

REPLICATES = 16
# molecules of a sample, and how often each table is looked at
SIZES = {400: 3, 100: 3}
VALID = 0.1
KEPT = ROOT / ".manywalks" / "bagging"
WAYS = ("all", "bagged", "out of bag")
# the same ensemble, but errors of the few replicates that did not draw a molecule are taken as they are
PLAIN = "out of bag, not corrected"


class Sample(NamedTuple):
    """The problem of one sample, predicting every row; and of each row what `nearness` says."""

    prepared: Prepared
    subsets: np.ndarray
    observed: np.ndarray
    similarity: np.ndarray


def samples(name: str, size: int, rng: np.random.Generator, valid: float) -> list[Sample]:
    """Two samples of a table, a share `valid` of each held back, with the same test molecules."""
    drawn, *ways = apart(name, size, rng)
    params, curated, features = drawn
    made = []
    for subsets in ways:
        train = np.flatnonzero(subsets == "train")
        subsets[train[: round(valid * len(train))]] = "valid"
        one = prepare(curated, features, subsets, Family("", params))
        problem = dataclasses.replace(one.problem, predict=np.arange(len(subsets)))
        observed = curated["y"].to_numpy(dtype=np.float64)
        near = nearness(features, subsets == "train")
        made.append(Sample(one._replace(problem=problem), subsets, observed, near))
    return made


def nearness(features: Features, train: np.ndarray) -> np.ndarray:
    """Similarity of each molecule (n,) to the nearest training molecule other than itself."""
    domain = Domain.fit(features.take(np.flatnonzero(train)))
    near = domain.assess(features)["similarity"].to_numpy(dtype=np.float64).copy()
    near[train] = similarity_to_other_groups(domain.bits, np.arange(len(domain.bits)), len(domain.bits))
    return near


class Trained(NamedTuple):
    """Replicates' predictions (m, n) of all rows, and the weights (m, n) that the rows had."""

    predictions: np.ndarray
    weights: np.ndarray


def trained(sample: Sample, entropy: int, *, bagged: bool) -> Trained:
    """Replicates on all molecules of a sample, or each on its own draw of them."""
    train = sample.subsets == "train"
    weights = np.broadcast_to(train, (REPLICATES, len(train))).astype(np.float64)
    groups = Groups(np.arange(len(train)), np.flatnonzero(train)) if bagged else None
    made = fresh_replicates([sample.prepared], range(REPLICATES), entropy, groups=groups)
    found = sorted(made, key=lambda one: one.index)
    if groups is not None:
        draws = Draws(entropy, bootstrap=True)
        weights[:, train] = [draws.weights(groups.train, index) for index in range(REPLICATES)]
    return Trained(np.stack([one.predictions[:, 0] for one in found]), weights)


class Outcome(NamedTuple):
    """One way on one repeat; errors are those of the ensemble on the test molecules.

    Attributes:
        error: root mean square error, or of classes the square root of the Brier score, calibrated.
        stated: the same, as the molecules of the calibration tell it (of classes before calibration).
        spread: of the replicates, root mean square.
        churn: difference to the ensemble of the other sample, root mean square.
        within: share of the test molecules in intervals of LEVELS; NaN of classes.
        width: mean width of the intervals of 90 %; NaN of classes.
    """

    error: float
    stated: float
    spread: float
    churn: float
    within: tuple[float, ...]
    width: float


class Known(NamedTuple):
    """Molecules that a calibration is fitted on (k,): their rows, and the ensemble there."""

    rows: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def known(way: str, sample: Sample, made: Trained, kind: str) -> Known:
    """The valid molecules, or the training molecules by the replicates that did not draw them."""
    if way in ("all", "bagged"):
        rows = np.flatnonzero(sample.subsets == "valid")
        own = made.predictions[:, rows]
        return Known(rows, own.mean(axis=0), own.std(axis=0, ddof=1))
    rows = np.flatnonzero(sample.subsets == "train")
    out = np.where(made.weights[:, rows] == 0, made.predictions[:, rows], np.nan)
    if way == PLAIN:
        left = left_out(out, MEAN)
        return Known(rows[left.known], left.mean[left.known], left.spread[left.known])
    seen = as_whole(out, sample.observed[rows], kind, MEAN)
    return Known(rows[seen.places], seen.mean, seen.spread)


def outcome(name: str, way: str, sample: Sample, made: Trained, other: np.ndarray) -> Outcome:
    """Scores on the test molecules; `other` (n,) is the ensemble of the other sample."""
    kind, observed = kind_of(name), sample.observed
    mean, spread = made.predictions.mean(axis=0), made.predictions.std(axis=0, ddof=1)
    test = sample.subsets == "test"
    rows, values, spreads = known(way, sample, made, kind)
    fitted = calibration.fit(observed[rows], values, spreads, kind, similarity=sample.similarity[rows])
    reported = fitted.as_reported(mean[test])
    within, width = (np.nan,) * len(LEVELS), np.nan
    if kind == "regression":
        near = sample.similarity[test]
        ends = [fitted.interval(mean[test], spread[test], level, near) for level in LEVELS]
        within = tuple(
            float(np.mean((low <= observed[test]) & (observed[test] <= high))) for low, high in ends
        )
        width = float(np.mean(ends[2][1] - ends[2][0]))
    return Outcome(
        float(np.sqrt(np.mean((reported - observed[test]) ** 2))),
        float(np.sqrt(np.mean((values - observed[rows]) ** 2))),
        float(np.sqrt(np.mean(spread[test] ** 2))),
        float(np.sqrt(np.mean((mean[test] - other[test]) ** 2))),
        within,
        width,
    )


def repeat(name: str, size: int, number: int, kept: Path | None) -> dict[str, Outcome]:
    """The ways on one pair of samples; what was trained before is read."""
    rng = np.random.default_rng([number, size, sum(map(ord, name))])
    held, whole = (
        samples(name, size, np.random.default_rng([number, size]), valid) for valid in (VALID, 0.0)
    )
    sides = {"all": held, "bagged": held, "out of bag": whole}
    path = None if kept is None else kept / f"{name}-{size}-{number}.npz"
    if path is not None and path.is_file():
        arrays = files.read_npz(path)
    else:
        arrays = {}
        for way, pair in sides.items():
            for side, sample in enumerate(pair):
                made = trained(sample, int(rng.integers(2**62)), bagged=way != "all")
                arrays |= {f"{way} {side}": made.predictions, f"{way} {side} weights": made.weights}
        arrays = {key: array.astype(np.float32) for key, array in arrays.items()}
        if path is not None:
            files.write_npz(path, arrays)
    found = {}
    for way, pair in sides.items():
        made = [
            Trained(arrays[f"{way} {side}"].astype(np.float64), arrays[f"{way} {side} weights"])
            for side in range(2)
        ]
        for told in (way, PLAIN) if way == WAYS[-1] else (way,):
            found[told] = outcome(name, told, pair[0], made[0], made[1].predictions.mean(axis=0))
    return found


def row(name: str, made: list[dict[str, Outcome]]) -> list[str]:
    """One table's row: each way, and what the others change against `all` in percent, paired by repeat."""
    cells = [name]
    for field in ("error", "spread", "churn"):
        values = {way: np.array([getattr(one[way], field) for one in made]) for way in WAYS}
        first = values["all"]
        changes = []
        for way in WAYS[1:]:
            ratio = 100 * (values[way] / first - 1)
            sure = f" ± {ratio.std(ddof=1) / np.sqrt(len(ratio)):.1f}" if len(ratio) > 1 else ""
            changes.append(f"{ratio.mean():+.1f}{sure}")
        cells += [f"{first.mean():.3g}", *changes]
    return cells


Found = dict[str, list[dict[str, Outcome]]]


def coverage_rows(found: Found) -> list[list[str]]:
    """Share of the test molecules within intervals, over all tables of numbers; width against *bagged*."""
    numbers = {name: made for name, made in found.items() if kind_of(name) == "regression"}
    rows = []
    for way in (*WAYS, PLAIN):
        within = np.array([np.mean([one[way].within for one in made], axis=0) for made in numbers.values()])
        width = np.median([one[way].width / one["bagged"].width for made in numbers.values() for one in made])
        cells = [
            f"{100 * level.mean():.1f} % ({100 * level.min():.0f} to {100 * level.max():.0f})"
            for level in within.T
        ]
        rows.append([way, *cells, f"{width:.2f}"])
    return rows


def stated_rows(found: Found) -> list[list[str]]:
    """The error that the molecules of the calibration tell, over the one on the test molecules."""
    rows = []
    for way in (*WAYS, PLAIN):
        ratios = {
            kind: [
                one[way].stated / one[way].error
                for name, made in found.items()
                if kind_of(name) == kind
                for one in made
            ]
            for kind in ("regression", "classification")
        }
        cells = [np.quantile(own, [0.5, 0.1, 0.9]) if own else np.full(3, np.nan) for own in ratios.values()]
        rows.append([way, *("{:.2f} ({:.2f} to {:.2f})".format(*cell) for cell in cells)])
    return rows


def text_of(found: dict[int, Found]) -> str:
    """The section of RESULTS.md."""
    heads = ["data", "error, all", "bagged (%)", "out of bag (%)", "spread, all", "bagged (%)",
             "out of bag (%)", "churn, all", "bagged (%)", "out of bag (%)"]  # fmt: skip
    text = (
        "## Bagged replicates\n\n"
        f"`python -m benchmarks.bagging`. {REPLICATES} replicates; in percent what changes against "
        "replicates on all\ntraining molecules, ± Monte Carlo error. Error: RMSE, or of classes the "
        "root of the Brier score.\nChurn: difference to an ensemble of another sample. *All* and *bagged* "
        f"hold {100 * VALID:.0f} % of the molecules back for\ncalibration, *out of bag* none "
        "(`split.valid: 0`).\n"
    )
    levels = ["intervals", *(f"{100 * level:g} %" for level in LEVELS), "width"]
    for size, own in found.items():
        repeats = len(next(iter(own.values())))
        text += f"\n{size} molecules in a sample (a third of a smaller table), {repeats} repeats:\n\n"
        text += table(heads, [row(name, made) for name, made in own.items()])
        text += "\n\nShare of the test molecules within their intervals: mean over the tables of numbers "
        text += "(lowest and\nhighest table); width of the intervals of 90 %, against *bagged* (median):\n\n"
        text += table(levels, coverage_rows(own))
        text += "\n\nError that the molecules of the calibration tell, over that of the test molecules: "
        text += "median over tables\nand repeats (8 of 10 lie within the brackets):\n\n"
        text += table(["told by", "numbers", "classes"], stated_rows(own)) + "\n"
    return text.rstrip("\n")


def main() -> None:
    """Measure, print, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one repeat of two tables, nothing written")
    quick = parser.parse_args().quick
    found: dict[int, Found] = {}
    for size, repeats in SIZES.items():
        found[size] = {}
        for name in list(TABLES)[: 2 if quick else None]:
            if not (DATA / TABLES[name]["path"]).is_file():
                print(f"{name}: no {DATA / TABLES[name]['path']}; left out (set MANYWALKS_DATA)")
                continue
            kept = None if quick else KEPT
            found[size][name] = [
                repeat(name, size, number, kept) for number in range(1 if quick else repeats)
            ]
            print(size, *row(name, found[size][name]), flush=True)
    text = text_of(found)
    print(text)
    if not quick:
        write_section("bagging", text)


if __name__ == "__main__":
    main()
