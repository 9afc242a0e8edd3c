"""What benchmarks/graph_tuning.py has trained: kept as JSON lines, scored, and written as a section."""

import base64
import io
import json
import warnings
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.families import score
from benchmarks.graph_tuning_material import ALL, Material, load
from benchmarks.graph_tuning_settings import LARGE, PRESET, Setting, setting_of, words
from benchmarks.results import table, write_section

ALONE, PAIR, MIX = "G", "A+G", "A+A+D+G"
MIXES = (ALONE, PAIR, MIX)
# the mixes that decide, each for a half
RANKED = (ALONE, MIX)


def pack_array(values: np.ndarray) -> str:
    """An array as text."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return base64.b64encode(zlib.compress(buffer.getvalue(), 9)).decode()


def unpack_array(text: str) -> np.ndarray:
    """The array of `pack_array`."""
    return np.load(io.BytesIO(zlib.decompress(base64.b64decode(text))), allow_pickle=False)


class Kept:
    """Predictions (m, k, t) by setting, table and fold; a line of JSON each, so that a kill costs one."""

    def __init__(self, path: Path) -> None:
        self.path, self.devices = path, set[str]()
        self.found: dict[tuple[Setting, str, int], np.ndarray] = {}
        for line in path.read_text().splitlines() if path.is_file() else ():
            try:
                self._note(json.loads(line))
            except json.JSONDecodeError:
                continue  # the line at which a run was killed: its job is done again

    def _note(self, row: dict[str, Any]) -> None:
        self.devices.add(row["device"])
        key = setting_of(row["setting"]), row["table"], row["fold"]
        self.found[key] = unpack_array(row["predictions"])

    def has(self, setting: Setting, name: str, fold: int) -> bool:
        """Whether it was trained."""
        return (setting, name, fold) in self.found

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Keep what a job gave."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            for row in rows:
                # a line of its own, also behind one that was cut off
                file.write("\n" + json.dumps(row))
                self._note(row)

    def settings(self) -> list[Setting]:
        """What was tried, in the order of trying."""
        return list(dict.fromkeys(setting for setting, _, _ in self.found))


class Shown(NamedTuple):
    """The tables of the section: of the last stage, of the first, and larger ones."""

    all: Sequence[str]
    small: Sequence[str]
    larger: Sequence[str]


class Scored(NamedTuple):
    """One setting on some folds of a table: by mix the score, and its SD over replicates.

    Attributes:
        value: with the mean of the replicates.
        scatter: SD of the score with a single replicate, over the square root of their number: how far the
            score of the mean is about from another's.
    """

    value: dict[str, float]
    scatter: dict[str, float]


def scored(kept: Kept, features: Path, setting: Setting, name: str, folds: Sequence[int]) -> Scored | None:
    """The scores; None where a fold is missing."""
    if not all(kept.has(setting, name, fold) for fold in folds):
        return None
    of_mean, *found = graph_scores(kept, load(name, features), setting, name, folds)
    m = len(found)
    scatter = {
        mix: float(np.std([one[mix] for one in found], ddof=1) / np.sqrt(m)) if m > 1 else np.nan
        for mix in MIXES
    }
    return Scored(of_mean, scatter)


def graph_scores(
    kept: Kept,
    material: Material,
    setting: Setting,
    name: str,
    folds: Sequence[int],
    mixes: Sequence[str] = MIXES,
) -> list[dict[str, float]]:
    """By mix the scores with the mean of the replicates, then with each by itself."""
    parts = [kept.found[setting, name, fold] for fold in folds]
    m, endpoints = min(len(part) for part in parts), parts[0].shape[2]
    single = np.full((m, len(material.table.molecules), endpoints), np.nan)
    for fold, part in zip(folds, parts, strict=True):
        single[:, material.table.folds[fold][1]] = part[:m]
    rows = np.concatenate([material.table.folds[fold][1] for fold in folds])
    observed = material.observed(name)[rows]
    # a replicate that diverged, a molecule too large for a graph: NaN, and no warning
    with warnings.catch_warnings(category=RuntimeWarning, action="ignore"):
        return [
            {mix: _score(mix, {**material.dense, "G": one}, rows, name, observed) for mix in mixes}
            for one in (np.nanmean(single, axis=0), *single)
        ]


def _score(
    mix: str, families: Mapping[str, np.ndarray], rows: np.ndarray, name: str, observed: np.ndarray
) -> float:
    """Of the mean of a mix's families on some rows."""
    mean = np.nanmean([families[family][rows] for family in mix.split("+")], axis=0)
    return score(ALL[name].metric, observed, mean)


def gains_by_mix(
    kept: Kept, features: Path, tables: Sequence[str], folds: Sequence[int]
) -> dict[Setting, dict[str, float]]:
    """By setting and mix: the mean over tables of what it gains on the start, in units of the scatter.

    The scatter of a table is the median over settings. Without the start there is nothing to gain on.
    """
    settings = kept.settings()
    if PRESET not in settings:
        return {}
    all_scores = {
        name: {one: scored(kept, features, one, name, folds) for one in settings} for name in tables
    }
    found: dict[Setting, dict[str, float]] = {}
    for setting in settings:
        if any(all_scores[name][setting] is None for name in tables):
            continue
        found[setting] = {
            mix: float(np.mean([_gain(all_scores[name], setting, mix, name) for name in tables]))
            for mix in MIXES
        }
    return found


def _gain(scores: Mapping[Setting, Scored | None], setting: Setting, mix: str, name: str) -> float:
    """Of one table."""
    start, own = scores[PRESET], scores[setting]
    if start is None or own is None:
        return np.nan
    unit = np.nanmedian([one.scatter[mix] for one in scores.values() if one is not None])
    sign = -1 if ALL[name].metric in ("mae", "rae") else 1
    return float(sign * (own.value[mix] - start.value[mix]) / unit)


def gains(kept: Kept, features: Path, tables: Sequence[str], folds: Sequence[int]) -> dict[Setting, float]:
    """By setting: the mean of the gains alone and in the mix; what ranks."""
    found = gains_by_mix(kept, features, tables, folds)
    return {one: float(np.mean([by_mix[mix] for mix in RANKED])) for one, by_mix in found.items()}


def finalists(found: Mapping[Setting, float], count: int) -> list[Setting]:
    """The start, the larger network, and the best others."""
    others = [one for one in found if one not in (PRESET, LARGE) and np.isfinite(found[one])]
    return [PRESET, LARGE, *sorted(others, key=lambda one: -found[one])[:count]]


def complete(kept: Kept, tables: Sequence[str], folds: Sequence[int]) -> list[str]:
    """The tables with all folds of as many settings as any has, and at least two: a run may end early."""
    done = {
        name: sum(all(kept.has(one, name, fold) for fold in folds) for one in kept.settings())
        for name in tables
    }
    return [name for name in tables if done[name] == max(2, *done.values())]


def write(kept: Kept, features: Path, shown: Shown, first: Sequence[int]) -> None:
    """The section; `first` are the folds of all stages but the last. Nothing where no start was trained."""
    tables, small, larger = shown
    if not gains_by_mix(kept, features, small, first):
        return
    folds = range(len(load(tables[0], features).table.folds))
    m = {len(part) for part in kept.found.values()}
    about = (
        f"{', '.join(sorted(kept.devices))}. Scaffold folds inside the rows to train on, "
        f"{', '.join(map(str, sorted(m)))} replicates per fold (`python -m benchmarks.graph_tuning`). The "
        "start: relational, 64 units, 3 layers, a layer of 256 behind the readout, dropout 0.2, rate 0.001, "
        "batches of 64, descriptors beside the readout, 40 epochs (classes are always trained for half as "
        "many). A and D: the dense families of the preset, the same in all rows. Gain: the mean over tables "
        "of how much better a score is than the start's, in units of that score's scatter by replicates, so "
        f"that 1 is about the noise of one table. Ranked by the mean of the gains of {' and '.join(RANKED)}."
    )
    text = (
        f"## Networks on graphs, tuned\n\n{about}\n\n"
        f"First {len(first)} folds of the smaller tables; scores of the graph network alone:\n\n"
        f"{_first_table(kept, features, small, first)}"
    )
    if wide := _table_of_mixes(kept, features, larger, first):
        text += f"\n\nFirst {len(first)} folds of larger tables:\n\n{wide}"
    if compared := complete(kept, tables, folds):
        best = _table_of_mixes(kept, features, compared, folds)
        text += f"\n\nThe best, on all {len(folds)} folds:\n\n{best}"
    print(text)
    write_section("graph-tuning", text)


def _first_table(kept: Kept, features: Path, small: Sequence[str], folds: Sequence[int]) -> str:
    by_mix, rank = gains_by_mix(kept, features, small, folds), gains(kept, features, small, folds)
    lines = []
    for setting in sorted(rank, key=lambda one: -rank[one]):
        scores = [scored(kept, features, setting, name, folds) for name in small]
        cells = [f"{by_mix[setting][mix]:+.2f}" for mix in MIXES]
        values = [f"{one.value[ALONE]:.4f}" for one in scores if one is not None]
        lines.append([words(setting), *cells, *values])
    return table(["setting", *(f"gain {mix}" for mix in MIXES), *_heads(small)], lines)


def _table_of_mixes(kept: Kept, features: Path, tables: Sequence[str], folds: Sequence[int]) -> str:
    """Scores of each mix by setting, beside those without a graph; nothing where no setting was tried."""
    by_mix = gains_by_mix(kept, features, tables, folds) if tables else {}
    if not by_mix:
        return ""
    lines = []
    for mix in ("A", "A+A+D"):
        cells = []
        for name in tables:
            material = load(name, features)
            rows = np.concatenate([material.table.folds[fold][1] for fold in folds])
            cells.append(f"{_score(mix, material.dense, rows, name, material.observed(name)[rows]):.4f}")
        lines.append(["none", mix, "", *cells])
    for setting, gain in by_mix.items():
        for mix in MIXES:
            scores = [scored(kept, features, setting, name, folds) for name in tables]
            values = [f"{one.value[mix]:.4f}" for one in scores if one is not None]
            lines.append([words(setting), mix, f"{gain[mix]:+.2f}", *values])
    return table(["graph network", "mix", "gain", *_heads(tables)], lines)


def _heads(tables: Sequence[str]) -> list[str]:
    return [f"{name} {ALL[name].metric}" for name in tables]
