"""Each replicate on its own bootstrap draw: what that does to accuracy, spread, intervals and churn.

    python -m benchmarks.bagging            about ten minutes on two cores; resumes where it was stopped
    python -m benchmarks.bagging --quick    one repeat of two tables, nothing kept or written

Two samples with no molecule in common are drawn from a table, and a third that trains neither. On each
sample an ensemble is trained on all of its molecules, and one of bagged replicates. A third way needs no
valid molecules: bagged replicates on the whole sample, calibrated on the molecules that each did not draw.
Tables and network are those of benchmarks/data_draws.py; what is trained is kept in .manywalks/bagging.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.data_draws import TABLES, ground, kind_of
from benchmarks.pools import DATA, ROOT
from benchmarks.results import table, write_section
from manywalks import files
from manywalks.ensemble.intervals import calibration
from manywalks.ensemble.intervals.calibration import LEVELS
from manywalks.evaluate.scores import endpoint_metrics
from manywalks.params.sections.families import Family
from manywalks.replicates.draws import Draws, on_draw
from manywalks.replicates.fresh import fresh_replicates
from manywalks.train.prepare import Groups, Prepared, prepare

SIZE, REPLICATES, REPEATS = 400, 16, 3
VALID = 0.1
KEPT = ROOT / ".manywalks" / "bagging"
WAYS = ("all", "bagged", "out of bag")


class Sample(NamedTuple):
    """The problem of one sample, predicting every row, and which subset each row is in."""

    prepared: Prepared
    subsets: np.ndarray
    observed: np.ndarray


def samples(name: str, rng: np.random.Generator, valid: float) -> list[Sample]:
    """Two samples of a table, a share `valid` of each held back, with the same test molecules."""
    params, curated, features = ground(name)
    rows = rng.permutation(len(curated))[: 3 * SIZE]
    curated, features = curated.iloc[rows].reset_index(drop=True), features.take(rows)
    third = len(rows) // 3
    made = []
    for first in (third, 2 * third):
        subsets = np.full(len(rows), "", dtype="<U5")
        subsets[:third] = "test"
        subsets[first : first + third] = "train"
        subsets[first : first + round(valid * third)] = "valid"
        one = prepare(curated, features, subsets, Family("", params))
        problem = dataclasses.replace(one.problem, predict=np.arange(len(rows)))
        observed = curated["y"].to_numpy(dtype=np.float64)
        made.append(Sample(one._replace(problem=problem), subsets, observed))
    return made


class Trained(NamedTuple):
    """Replicates' predictions (m, n) of all rows, and the weights (m, n) that the rows had."""

    predictions: np.ndarray
    weights: np.ndarray


def trained(sample: Sample, entropy: int, *, bagged: bool) -> Trained:
    """Replicates on all molecules of a sample, or each on its own draw of them."""
    rows = np.arange(len(sample.subsets))
    if not bagged:
        made = fresh_replicates([sample.prepared], range(REPLICATES), entropy, threads=2)
        found = sorted(made, key=lambda one: one.index)
        weights = np.broadcast_to(sample.subsets == "train", (REPLICATES, len(rows)))
        return Trained(np.stack([one.predictions[:, 0] for one in found]), weights)
    groups, draws = Groups(rows, np.flatnonzero(sample.subsets == "train")), Draws(entropy, bootstrap=True)
    predictions, weights = [], np.zeros((REPLICATES, len(rows)))
    for index in range(REPLICATES):
        drawn = on_draw(sample.prepared, groups, draws, index)
        predictions.append(next(fresh_replicates([drawn], [index], entropy)).predictions[:, 0])
        weights[index, groups.train] = draws.weights(groups.train, index)
    return Trained(np.stack(predictions), weights)


class Outcome(NamedTuple):
    """One way on one repeat; errors are those of the ensemble on the test molecules.

    Attributes:
        error: root mean square error, or of classes the square root of the Brier score, calibrated.
        auroc: of classes.
        spread: of the replicates, root mean square.
        churn: difference to the ensemble of the other sample, root mean square.
        within: share of the test molecules in intervals of LEVELS; NaN of classes.
    """

    error: float
    auroc: float
    spread: float
    churn: float
    within: tuple[float, ...]


def out_of_bag(
    made: Trained, train: np.ndarray, observed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed, mean and spread of the training molecules, from the replicates that did not draw each.

    Such an ensemble is smaller than the whole one: errors are brought to what the whole one would have.
    """
    out = made.weights[:, train] == 0
    count = out.sum(axis=0)
    known = count >= 2
    values = np.where(out, made.predictions[:, train], np.nan)[:, known]
    mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1)
    seen = observed[train][known]
    square = np.mean((mean - seen) ** 2)
    extra = np.mean(spread**2 * (1 / count[known] - 1 / len(made.predictions)))
    shrunk = np.sqrt(max(square - extra, 0.0) / square)
    return seen, seen + shrunk * (mean - seen), spread


def outcome(name: str, way: str, sample: Sample, made: Trained, other: np.ndarray) -> Outcome:
    """Scores on the test molecules; `other` (n,) is the ensemble of the other sample."""
    kind, observed, subsets = kind_of(name), sample.observed, sample.subsets
    mean, spread = made.predictions.mean(axis=0), made.predictions.std(axis=0, ddof=1)
    test, valid = subsets == "test", subsets == "valid"
    if way == "out of bag" and kind == "regression":
        known = out_of_bag(made, np.flatnonzero(subsets == "train"), observed)
    elif way == "out of bag":  # a probability has no error to bring to another size
        out = np.where(made.weights == 0, made.predictions, np.nan)[:, subsets == "train"]
        there = np.isfinite(out).sum(axis=0) >= 2
        known = observed[subsets == "train"][there], np.nanmean(out[:, there], axis=0), np.zeros(there.sum())
    else:
        known = observed[valid], mean[valid], spread[valid]
    values, predicted, spreads = known
    fitted = calibration.fit(values, predicted, spreads, kind)
    reported = fitted.as_reported(mean[test])
    scores = endpoint_metrics(observed[test], reported, kind=kind)
    within = (np.nan,) * len(LEVELS)
    if kind == "regression":
        ends = [fitted.interval(mean[test], spread[test], level) for level in LEVELS]
        within = tuple(
            float(np.mean((low <= observed[test]) & (observed[test] <= high))) for low, high in ends
        )
    return Outcome(
        float(np.sqrt(np.mean((reported - observed[test]) ** 2))),
        float(scores.get("auroc") or np.nan),
        float(np.sqrt(np.mean(spread[test] ** 2))),
        float(np.sqrt(np.mean((mean[test] - other[test]) ** 2))),
        within,
    )


def repeat(name: str, number: int, kept: Path | None) -> dict[str, Outcome]:
    """The three ways on one pair of samples; what was trained before is read."""
    rng = np.random.default_rng([number, 7, sum(map(ord, name))])
    held, whole = (samples(name, np.random.default_rng([number, 7]), valid) for valid in (VALID, 0.0))
    sides = {"all": held, "bagged": held, "out of bag": whole}
    path = None if kept is None else kept / f"{name}-{number}.npz"
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
        found[way] = outcome(name, way, pair[0], made[0], made[1].predictions.mean(axis=0))
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


def coverage_rows(found: dict[str, list[dict[str, Outcome]]]) -> list[list[str]]:
    """Share of the test molecules within intervals, over all tables of numbers."""
    numbers = {name: made for name, made in found.items() if kind_of(name) == "regression"}
    rows = []
    for way in WAYS:
        within = np.array([one[way].within for made in numbers.values() for one in made])
        tables = [np.mean([one[way].within[2] for one in made]) for made in numbers.values()]
        cells = [f"{100 * level:.1f} %" for level in within.mean(axis=0)]
        rows.append([way, *cells, f"{100 * min(tables):.0f} to {100 * max(tables):.0f} %"])
    return rows


def text_of(found: dict[str, list[dict[str, Outcome]]]) -> str:
    """The section of RESULTS.md."""
    repeats = len(next(iter(found.values())))
    heads = ["data", "error, all", "bagged (%)", "out of bag (%)", "spread, all", "bagged (%)",
             "out of bag (%)",             "churn, all", "bagged (%)", "out of bag (%)"]  # fmt: skip
    text = (
        "## Bagged replicates\n\n"
        f"`python -m benchmarks.bagging`. {SIZE} training molecules (a third of a smaller table), "
        f"{REPLICATES} replicates, {repeats} repeats a table;\nin percent what changes against replicates on "
        "all training molecules, ± Monte Carlo error. Error: RMSE, or of\nclasses the root of the Brier "
        "score. Churn: difference to an ensemble of another sample. *All* and *bagged*\nhold "
        f"{100 * VALID:.0f} % of the molecules back for calibration, *out of bag* none.\n\n"
    )
    text += table(heads, [row(name, made) for name, made in found.items()])
    heads = ["intervals", *(f"{100 * level:g} %" for level in LEVELS), "tables at 90 %"]
    text += "\n\nShare of the test molecules within their intervals, over the tables of numbers:\n\n"
    return text + table(heads, coverage_rows(found))


def main() -> None:
    """Measure, print, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one repeat of two tables, nothing written")
    quick = parser.parse_args().quick
    found: dict[str, list[dict[str, Outcome]]] = {}
    for name in list(TABLES)[: 2 if quick else None]:
        if not (DATA / TABLES[name]["path"]).is_file():
            print(f"{name}: no {DATA / TABLES[name]['path']}; left out (set MANYWALKS_DATA)")
            continue
        kept, repeats = (None, 1) if quick else (KEPT, REPEATS)
        found[name] = [repeat(name, number, kept) for number in range(repeats)]
        print(*row(name, found[name]), flush=True)
    text = text_of(found)
    print(text)
    if not quick:
        write_section("bagging", text)


if __name__ == "__main__":
    main()
