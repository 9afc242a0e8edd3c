"""The verdict of `manywalks tune`, simulated: false verdicts between equals, power, width of the intervals.

    python -m benchmarks.tune_verdict [--contests 1000] [--tables 60]

Two fifths of 400 molecules are fresh, in 10 folds; both settings train on all molecules but those of one
fold. Learners are those of `benchmarks.compare_worlds`: ridge regressions on random subsets of features, each
subset a replicate.
`pooled` is what `tune` does: predictions of all folds are scored together (`manywalks.compare.pooled`). `fold
by fold` is what it did before: one score per fold, with `compare`'s interval for their differences.

Real networks are added: the same settings under two names, on samples of the solubility table (as in
`benchmarks.tune validity`, without the search).

Every contest's outcome is kept in .manywalks/validity, so a run that was ended goes on where it was.
"""

import argparse
import json
import platform
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from benchmarks.compare_worlds import FEATURES, REPLICATES, replicates_of
from benchmarks.experiments import wilson
from benchmarks.results import table, write_section
from benchmarks.tune import MOLECULES, SMALL, SOLUBILITY
from benchmarks.tune_where import CONFIDENCE, by_fold
from benchmarks.workspaces import prepared, quiet
from manywalks import files
from manywalks.compare import paired, pooled, verdicts
from manywalks.compare.configurations import with_values
from manywalks.compare.pooled import Tested, add_tested, difference_of
from manywalks.compare.scores import Scores, criteria_of
from manywalks.params.load import Params, parse_params
from manywalks.tasks import compare as train_splits
from manywalks.tune.design import Design
from manywalks.tune.material import Material
from manywalks.tune.verdict import THRESHOLD

KEPT = Path(__file__).resolve().parent.parent / ".manywalks" / "validity"
CODE = (paired, pooled)
N, FRESH, FOLDS, SERIES = 400, 0.4, 10, 5
# of the real networks: replicates of a verdict, and verdicts of a sample
EACH, BATCHES = 4, 4
METRICS = ("rmse", "mae", "spearman")
ONE_ENDPOINT = "data: {path: table.csv, endpoints: {y: {unit: unit}}}"


class World(NamedTuple):
    """How a simulated table and its two settings are made.

    Attributes:
        name: as the table shows it.
        groups: features that the winner and the present settings see; 0 and 1 hold equal signal, 2 more.
        gain: signal of the one more feature of group 2.
        tails: degrees of freedom of the noise.
        series: molecules that are alike; folds leave out whole series.
    """

    name: str
    groups: tuple[int, int]
    gain: float = 0.0
    tails: float = np.inf
    series: int = 1


EQUALS = (
    World("the same", (0, 0)),
    World("twins", (0, 1)),
    World("twins, noise of heavy tails (t3)", (0, 1), tails=3.0),
    World(f"twins, series of {SERIES}", (0, 1), series=SERIES),
)
POWER = tuple(World(f"{gain:g}", (2, 0), gain=gain) for gain in (0.3, 0.45, 0.6, 0.8))


def drawn(rng: np.random.Generator, world: World) -> tuple[list[np.ndarray], np.ndarray]:
    """Features (n, d) of each group and values (n,); members of a series share most of both."""
    series = world.series

    def alike(share: float, *shape: int) -> np.ndarray:
        own = rng.standard_normal((N, *shape))
        if series == 1:
            return own
        common = np.repeat(rng.standard_normal((N // series, *shape)), series, axis=0)
        return np.sqrt(share) * common + np.sqrt(1 - share) * own

    x, extra, weights = alike(0.7, 2, FEATURES), alike(0.7), rng.standard_normal(FEATURES)
    weights /= np.linalg.norm(weights)
    noise = alike(0.5) if np.isinf(world.tails) else rng.standard_t(world.tails, N) / np.sqrt(3)
    y = (x[:, 0] + x[:, 1]) @ weights + world.gain * extra + noise
    return [x[:, 0], x[:, 1], np.column_stack([x[:, 0], extra])], y


def contest(rng: np.random.Generator, world: World, metric: str) -> dict[str, Any]:
    """One verdict by both ways: word and width of the interval."""
    x, y = drawn(rng, world)
    series = rng.permutation(N // world.series)[: int(FRESH * N / world.series)]
    parts = [
        np.concatenate([np.arange(world.series) + world.series * one for one in part])
        for part in np.array_split(series, FOLDS)
    ]
    made = [
        [replicates_of(rng, x[group], y, np.setdiff1d(np.arange(N), test), test) for test in parts]
        for group in world.groups
    ]
    rows, train = np.concatenate(parts), N - len(parts[0])
    tested = Tested(
        rows, np.repeat(np.arange(FOLDS), [len(part) for part in parts]), rows // world.series,
        np.stack([np.concatenate(own, axis=1) for own in made])[..., None], train,
    )  # fmt: skip
    together = scores_of(y, metric)
    add_tested([together], tested)
    pair, method = by_fold(scores_of(y, metric), tested)
    threshold = THRESHOLD * abs(together.found[0, 1].infinite)
    found = difference_of([together], tested, [0], scales=[1.0], confidence=CONFIDENCE)
    return {
        "fold": verdicts.verdict(pair, threshold, by_ranks=method == "ranks"),
        "fold_width": pair.high - pair.low,
        "pooled": verdicts.verdict(found, threshold),
        "pooled_width": found.high - found.low,
    }


@cache
def params() -> Params:
    """Of one endpoint, y."""
    return parse_params(yaml.safe_load(ONE_ENDPOINT))


def scores_of(y: np.ndarray, metric: str) -> Scores:
    """Nothing scored yet of these values."""
    (name, endpoint), *_ = params().data.endpoints.items()
    terms = criteria_of(name, endpoint, params(), tolerance=1.0, metric=metric, threshold=None)
    return Scores.of(terms, pd.DataFrame({name: y, f"{name}:relation": "="}))


def contests(world: World, metric: str, count: int) -> list[dict[str, Any]]:
    """So many outcomes of a world."""

    def one(number: int) -> dict[str, Any]:
        return contest(np.random.default_rng([20, number]), world, metric)

    return kept(f"verdict {world} {metric} {_code()}", count, one)


def _code() -> str:
    """Changes with the code that decides an outcome."""
    return "".join(files.md5_file(Path(str(module.__file__))) for module in CODE)


def kept(name: str, count: int, one: Callable[[int], Any]) -> list[Any]:
    """Outcomes 0 .. `count` - 1; those that are kept are not made again."""
    path = KEPT / f"{files.sha256_bytes(name.encode())[:16]}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as lines:
        lines.seek(0)
        found = [json.loads(line) for line in lines]
        for number in range(len(found), count):
            found.append(one(number))
            lines.write(json.dumps(found[-1]) + "\n")
            lines.flush()
    return found[:count]


def row(world: World, metric: str, count: int) -> list[str]:
    """Both ways beside each other: called better, called worse, and how wide the pooled interval is."""
    found = contests(world, metric, count)
    words = {way: [one[way] for one in found] for way in ("fold", "pooled")}
    width = np.mean([one["pooled_width"] for one in found]) / np.mean([one["fold_width"] for one in found])
    made = [
        world.name, metric,
        *(wilson(own.count("better"), count) for own in words.values()),
        *(f"{100 * own.count('worse') / count:.1f} %" for own in words.values()),
        f"{width:.2f}",
    ]  # fmt: skip
    print(*made, sep=" | ", flush=True)
    return made


def real_equals(seed: int) -> list[dict[str, str]]:
    """Verdicts between equal networks on one sample of molecules: each of four has replicates of its own."""
    frame = pd.read_csv(SOLUBILITY, dtype=str).sample(MOLECULES, random_state=seed)
    with tempfile.TemporaryDirectory() as folder:
        workspace = prepared(Path(folder), parse_params(yaml.safe_load(SMALL)), frame)
        material = Material(workspace, workspace, Design())
        # a rate that differs by nothing gets a name, and so replicates, of its own
        rate = {"train.learning_rate": workspace.params.train.learning_rate * (1 + 1e-6)}
        both, fresh = (with_values(workspace.params, rate, ""), workspace.params), material.splits.fresh
        with quiet(workspace.root):
            for own in both:
                for one in material.shares(own, fresh, list(range(len(fresh))), EACH * BATCHES):
                    train_splits.run(workspace, *one.arguments[1:])
        tested = material.tested(both, fresh, EACH * BATCHES)
        return [_judged(material, tested, first) for first in range(0, EACH * BATCHES, EACH)]


def _judged(material: Material, tested: Tested, first: int) -> dict[str, str]:
    """The verdicts of both ways from `EACH` of the replicates."""
    batch = tested._replace(predictions=tested.predictions[:, first : first + EACH])
    (scores,), (by_folds,) = material.scores(), material.scores()
    add_tested([scores], batch)
    threshold = THRESHOLD * scores.found[0, 1].infinite
    found = difference_of([scores], batch, [0], scales=[1.0], confidence=CONFIDENCE)
    pair, method = by_fold(by_folds, batch)
    return {
        "fold": verdicts.verdict(pair, threshold, by_ranks=method == "ranks"),
        "pooled": verdicts.verdict(found, threshold),
    }


def real_sentence(tables: int) -> str:
    """How often equal real networks are called better or worse."""
    found = [one for outcome in kept(f"equal networks {_code()}", tables, real_equals) for one in outcome]
    words = {way: [one[way] for one in found] for way in ("pooled", "fold")}
    said = {
        way: f"better {wilson(own.count('better'), len(own))}, worse {wilson(own.count('worse'), len(own))}"
        for way, own in words.items()
    }
    return (
        f"Real networks, the same settings under two names, {len(found)} verdicts on {tables} samples of "
        f"{MOLECULES} molecules (RMSE, {EACH} replicates): {said['pooled']}. Fold by fold: {said['fold']}."
    )


def section(worlds: Sequence[World], count: int) -> list[list[str]]:
    """The rows of some worlds."""
    return [row(world, metric, count) for metric in METRICS for world in worlds]


def main() -> None:
    """Simulate and rewrite the section."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contests", type=int, default=1000)
    parser.add_argument("--tables", type=int, default=60)
    asked = parser.parse_args()
    count = asked.contests
    heads = [
        "better, fold by fold", "better, pooled", "worse, fold by fold", "worse, pooled",
        "width, pooled over fold by fold",
    ]  # fmt: skip
    equals = table(["equal settings", "score", *heads], section(EQUALS, count))
    gains = table(["signal", "score", *heads], section(POWER, max(count // 4, 1)))
    write_section(
        "tune-verdict",
        f"## Tune: verdicts, simulated\n\n{count} contests each of two settings on {int(FRESH * N)} fresh of "
        f"{N} molecules in {FOLDS} folds, {REPLICATES} replicates, {100 * CONFIDENCE:g} % intervals "
        "(`python -m benchmarks.tune_verdict`). Pooled: predictions of all folds are scored together, and "
        "errors come from molecules and replicates. Fold by fold: one score per fold, as before. In brackets "
        "95 % intervals. Between equals each \"better\" and \"worse\" is false: 2.5 % of each are allowed. "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}.\n\n{equals}\n\n"
        f"Power, {max(count // 4, 1)} contests each: the winner has one more feature, of the given signal "
        f"(all others together: 1).\n\n{gains}\n\n{real_sentence(asked.tables)}",
    )  # fmt: skip


if __name__ == "__main__":
    main()
