"""Validity of `manywalks compare`: false verdicts between equals, and power for a known difference.

    python -m benchmarks.compare [--comparisons 250] [--power 100] [--real 20]
    python -m benchmarks.compare --part real     one part alone, nothing written: parts can run side by side

Every comparison's outcome is kept in .manywalks/validity, so a run that was ended goes on where it was.

Simulated comparisons use quick learners in place of networks (ridge regressions on random subsets of
features, each subset a replicate) and everything else as it is: repeated k-fold splits, the projection to the
infinite ensemble, intervals and verdicts. Three kinds of equals:

- the same: one configuration under two names; they differ by the luck of their replicates alone;
- twins: two configurations that are equally good over all data sets but see different features, so that on
  any one data set one of them is ahead (what Nadeau and Bengio's correction is for);
- twins with noise of heavy tails, where a few molecules decide a split's score.

Real ones train networks on small samples of a solubility table, by the steps of the command.
"""

import argparse
import contextlib
import io
import json
import platform
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks import compare_worlds
from benchmarks.compare_worlds import (
    FOLDS,
    POWER,
    REPEATS,
    REPLICATES,
    WORLDS,
    N,
    World,
    draw_world,
    folds_of,
    replicates_of,
)
from benchmarks.experiments import wilson
from benchmarks.results import table, write_section
from manywalks import files
from manywalks.compare import design, paired, rank_tests, studentized_range, verdicts
from manywalks.compare.configurations import read_configurations, with_values
from manywalks.compare.design import Design, eliminated, looks_of
from manywalks.compare.report import score_table
from manywalks.compare.report.score_table import ScoreTable, check_assumptions
from manywalks.compare.study import Study
from manywalks.compare.verdicts import verdict
from manywalks.evaluate import infinite
from manywalks.evaluate.infinite import closed_form, extrapolated, scorer, subset_scores
from manywalks.params.load import parse_params
from manywalks.params.render import render
from manywalks.tasks import compare as train_splits
from manywalks.tasks import curate, featurize
from manywalks.workspace import Workspace

CONFIDENCE, THRESHOLD = 0.95, 0.01
KEPT = Path(__file__).resolve().parent.parent / ".manywalks" / "validity"
# what decides an outcome: other code, and it is made again
CODE = (compare_worlds, design, studentized_range, score_table, rank_tests, paired, infinite, verdicts)
SOLUBILITY = Path(__file__).resolve().parent.parent / "data/raw/solubility.csv"
REAL = """
data: {{path: table.csv, id: id, endpoints: {{logS: {{unit: log10 mol/L}}}}}}
featurize: {{blocks: [{{kind: morgan_count, n_bits: 256}}, {{kind: physchem}}]}}
split: {{method: random, test: 0.2, valid: 0}}
network: {{dropout: 0.1}}
train: {{epochs: {epochs}, batch_size: 16}}
"""


def simulated(rng: np.random.Generator, world: World, metric: str) -> Counter[str]:
    """One comparison as the command makes it: what its family of pairs came to."""
    x, y = draw_world(rng, world)
    shape = (REPEATS * FOLDS, len(world.groups))
    values, noise = np.empty(shape), np.empty(shape)
    for split, test in enumerate(folds_of(rng)):
        train = np.setdiff1d(np.arange(N), test)
        for c, group in enumerate(world.groups):
            replicates = replicates_of(rng, x[group], y, train, test)
            values[split, c], noise[split, c] = projected(replicates, y[test], metric)
    scores = ScoreTable(-values if metric in ("rmse", "mae") else values, noise**2, 1 / (FOLDS - 1), FOLDS)
    return outcome(scores) + with_stopping(scores)


def projected(replicates: np.ndarray, observed: np.ndarray, metric: str) -> tuple[float, float]:
    """The score at the infinite ensemble, and its error."""
    if metric == "rmse":
        return closed_form(replicates, observed, root=True)
    score = scorer(observed, np.full(len(observed), "="), metric=metric, kind="regression", threshold=0.5)
    return extrapolated(replicates, score, subset_scores(replicates, score))


def outcome(scores: ScoreTable) -> Counter[str]:
    """Whether any of the pairs is called better or worse, with and without the correction."""
    method = check_assumptions(scores).method
    pairs = paired.pairs_of(scores, CONFIDENCE, method)
    words = [verdict(pair, THRESHOLD, by_ranks=method == "ranks") for pair in pairs]
    return Counter(
        verdicts=any(word in ("better", "worse") for word in words),
        uncorrected=any(not pair.plain_low <= 0 <= pair.plain_high for pair in pairs),
        better=words.count("better"),
        worse=words.count("worse"),
        equivalent=words.count("equivalent"),
    ) + Counter({method: 1})


def with_stopping(scores: ScoreTable) -> Counter[str]:
    """The same comparison with a look after every repeat: any pair called, the first called, splits saved."""
    looks = looks_of(REPEATS, FOLDS, CONFIDENCE, stop=True)
    left, stopped = eliminated(scores, THRESHOLD, looks)
    method = check_assumptions(left).method
    words = [
        verdict(pair, THRESHOLD, by_ranks=method == "ranks", confidence=looks.last)
        for pair in paired.pairs_of(left, looks.last, method)
    ]
    called = bool(stopped) or any(word in ("better", "worse") for word in words)
    first = 1 in stopped or (0 not in stopped and words[0] == "better")
    untrained = int(np.size(scores.scores) - np.isfinite(left.scores).sum())
    return Counter(stop_verdicts=called, stop_better=first, stop_saved=untrained)


def simulate(world: World, count: int, metric: str) -> Counter[str]:
    """`count` comparisons summed up."""

    def one(number: int) -> Counter[str]:
        return simulated(np.random.default_rng([11, number, len(world.name)]), world, metric)

    return summed(f"{metric}, {world.name}", count, one)


def summed(name: str, count: int, one: Callable[[int], Counter[str]]) -> Counter[str]:
    """The outcomes 0 .. `count` - 1 summed up; those that are kept are not made again."""
    code = "".join(files.md5_file(Path(str(module.__file__))) for module in CODE)
    path = KEPT / f"{files.sha256_bytes((name + code).encode())[:16]}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as lines:
        lines.seek(0)
        found = [Counter(json.loads(line)) for line in lines]
        for number in range(len(found), count):
            found.append(one(number))
            lines.write(json.dumps(found[-1], default=int) + "\n")
            lines.flush()
    return sum(found[:count], Counter())


def real(folder: Path, seed: int, changes: list[list[int]], *, molecules: int, epochs: int) -> str:
    """One comparison of two networks on a sample of real molecules: the verdict on the first.

    `changes` are settings of the two; equal ones get replicates of their own, as two names of one
    configuration.
    """
    frame = pd.read_csv(SOLUBILITY, dtype=str).sample(molecules, random_state=seed)
    frame.to_csv(folder / "table.csv", index=False)
    base = parse_params(yaml.safe_load(REAL.format(epochs=epochs)))
    (folder / "params.yaml").write_text(render(base), encoding="utf-8")
    paths = []
    for number, widths in enumerate(changes):
        paths.append(folder / f"{number}.yaml")
        paths[-1].write_text(render(with_values(base, {"network.widths": widths}, "")), encoding="utf-8")
    asked = read_configurations(paths, [], sweep=False)
    workspace = Workspace.open(folder)
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(None),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        curate.run(workspace)
        featurize.run(workspace)
        study = Study(
            workspace, asked, [workspace] * 2, Design(replicates=4, stop=False, threshold=THRESHOLD)
        )
        while shares := study.shares(1):
            for one in shares:
                train_splits.run(workspace, *one.arguments[1:])
    return study.result()["endpoints"]["logS"]["pairs"][0]["verdict"]


def reals(changes: list[list[int]], count: int, *, molecules: int = 150, epochs: int = 10) -> Counter[str]:
    """Verdicts of `count` comparisons."""

    def one(seed: int) -> Counter[str]:
        with tempfile.TemporaryDirectory() as folder:
            return Counter({real(Path(folder), seed, changes, molecules=molecules, epochs=epochs): 1})

    return summed(f"real, {changes}, {molecules}, {epochs}", count, one)


def false_rows(simulated_count: int) -> list[list[str]]:
    """False verdicts between equals, one row per world and score."""
    rows = []
    for metric, worlds in (("rmse", WORLDS), ("spearman", (WORLDS[0], WORLDS[2]))):
        for world in worlds:
            # a rate at its limit needs more comparisons to be told from one over it
            count = simulated_count * (1 if len(world.groups) > 2 or metric != "rmse" else 8)
            found = simulate(world, count, metric)
            kinds = ("verdicts", "stop_verdicts", "uncorrected")
            rows.append([world.name, metric, str(count), *(wilson(found[kind], count) for kind in kinds)])
            print(rows[-1], flush=True)
    return rows


def gain_rows(power_count: int) -> list[list[str]]:
    """Power for a known difference, one row per gain."""
    powers = [(world, simulate(world, power_count, "rmse")) for world in POWER]
    trained = power_count * 2 * REPEATS * FOLDS
    return [
        [
            world.name,
            wilson(found["better"], power_count),
            str(found["worse"]),
            wilson(found["stop_better"], power_count),
            f"{100 * found['stop_saved'] / trained:.0f} %",
        ]
        for world, found in powers
    ]


def real_outcomes(count: int) -> tuple[Counter[str], Counter[str]]:
    """Verdicts between equal real networks, and (half as many) of 512 units against 16."""
    return reals([[16], [16]], count), reals([[512], [16]], count // 2)


def section(simulated_count: int, power_count: int, real_count: int) -> str:
    """The table of benchmarks/RESULTS.md."""
    rows, gains = false_rows(simulated_count), gain_rows(power_count)
    same, wide = real_outcomes(real_count)
    false = same["better"] + same["worse"]
    rows.append(["the same, real networks", "rmse", str(real_count), wilson(false, real_count), "", ""])
    return "\n\n".join(
        [
            "## Compare: false verdicts and power",
            f"{REPEATS} x {FOLDS}-fold, {REPLICATES} replicates (real: 4), {100 * CONFIDENCE:g} % intervals, "
            f"practical threshold {THRESHOLD:g}, {N} molecules (real: 150 of the solubility table). "
            "A comparison is "
            "false when any of its pairs is called better or worse; in brackets 95 % intervals. With early "
            "stopping: a look after every repeat, and what is stopped by mistake counts as false. "
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}.",
            table(
                ["equal configurations", "score", "comparisons", "false verdicts", "with early stopping",
                 "with intervals that take splits for independent"], rows,
            ),
            "Power, simulated: one of two configurations has one more feature, of the given signal "
            "(all others together: 1).",
            table(
                ["signal", "called better", "called worse", "called better with early stopping",
                 "replicates that stopping saved"], gains,
            ),
            "Power, real networks: 512 units against 16, verdicts on the 512: "
            + ", ".join(f"{count} {word}" for word, count in sorted(wide.items())) + ".",
        ]
    )  # fmt: skip


def main() -> None:
    """Run everything and rewrite the section."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--comparisons", type=int, default=250)
    parser.add_argument("--power", type=int, default=100)
    parser.add_argument("--real", type=int, default=20)
    parser.add_argument("--part", choices=("simulated", "power", "real"))
    asked = parser.parse_args()
    if asked.part == "simulated":
        false_rows(asked.comparisons)
    elif asked.part == "power":
        gain_rows(asked.power)
    elif asked.part == "real":
        real_outcomes(asked.real)
    else:
        write_section("compare", section(asked.comparisons, asked.power, asked.real))


if __name__ == "__main__":
    main()
