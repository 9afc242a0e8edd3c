"""Validity of `manywalks tune`, and what it gains on test beside plain Optuna that takes its best trial.

    python -m benchmarks.tune validity [--searches 100] [--seconds 3600]
    python -m benchmarks.tune gain [--data DIR] [--tables Caco2 VDss] [--starts defaults] [--trials 10 30]

Every search's outcome is kept in .manywalks/validity, so a run that was ended goes on where it was; with
--seconds no new search begins after so long. `gain` is in `benchmarks.tune_gain`.

Validity: samples of the solubility table, and a space in which nothing is better: ranges so narrow that no
value differs from another beyond the luck of replicates. A "better" is false.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.compare import SOLUBILITY
from benchmarks.experiments import wilson
from benchmarks.results import table, write_section
from benchmarks.tune_gain import BUDGETS, STARTS, measured
from benchmarks.tune_gain_text import section
from benchmarks.tune_tables import TABLES, Source
from benchmarks.workspaces import prepared, searched
from manywalks import files
from manywalks.compare import pooled
from manywalks.params.load import parse_params
from manywalks.tune import design, gains, search, splits, verdict
from manywalks.tune.design import Design
from manywalks.tune.proposals import draws, proposals, surrogate

DATA = Path(os.environ.get("MANYWALKS_DATA", "../shared/data"))
KEPT = Path(__file__).resolve().parent.parent / ".manywalks" / "validity"
# what decides an outcome: other code, and it is made again
CODE = (design, draws, gains, pooled, proposals, search, splits, surrogate, verdict)
MOLECULES = 200
SMALL = """
data: {path: table.csv, id: id, endpoints: {logS: {unit: log10 mol/L}}}
featurize: {blocks: [{kind: morgan_count, n_bits: 256}, {kind: physchem}]}
split: {method: random, test: 0.2, valid: 0}
network: {widths: [16], dropout: 0.1}
train: {epochs: 10, batch_size: 16}
"""
# no value of these differs from another by more than the luck of replicates
WITHOUT_EFFECT = {
    "network": {"dropout": {"low": 0.1, "high": 0.102}},
    "train": {
        "weight_decay": {"low": 1e-4, "high": 1.1e-4},
        "learning_rate": {"low": 1e-3, "high": 1.02e-3},
    },
}


def without_effect(seed: int, trials: int) -> dict[str, Any]:
    """One search where nothing is better: its verdict, and what it promised."""
    rows = pd.read_csv(SOLUBILITY, dtype=str).sample(MOLECULES, random_state=seed)
    with tempfile.TemporaryDirectory() as folder:
        workspace = prepared(Path(folder), parse_params(yaml.safe_load(SMALL)), rows)
        found = searched(workspace, WITHOUT_EFFECT, Design(trials=trials, replicates=4))
    judged = found["verdict"]
    if judged is None:
        return {"word": "none", "promised": 0.0, "fresh": 0.0, "surely": False}
    sure = found["winner"]["low"] > 0
    return {
        "word": judged["word"], "promised": found["winner"]["gain"], "fresh": judged["gain"], "surely": sure,
    }  # fmt: skip


def _code() -> str:
    """Changes with the code that decides an outcome."""
    code = "".join(files.md5_file(Path(str(module.__file__))) for module in CODE)
    return files.sha256_bytes(code.encode())[:8]


def kept(name: str, count: int, seconds: float, one: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """Outcomes 0 .. `count` - 1, or as many as there is time for; those that are kept are not made again."""
    path = KEPT / f"{files.sha256_bytes((name + _code()).encode())[:16]}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + seconds
    with path.open("a+", encoding="utf-8") as lines:
        lines.seek(0)
        found = [json.loads(line) for line in lines]
        for number in range(len(found), count):
            if time.monotonic() > until:
                break
            found.append(one(number))
            lines.write(json.dumps(found[-1]) + "\n")
            lines.flush()
            print(name, number, found[-1], flush=True)
    return found[:count]


def validity(searches: int, trials: int, seconds: float) -> str:
    """The section of false verdicts."""
    found = kept(f"no effect, {trials}", searches, seconds, lambda n: without_effect(n, trials))
    words, surely = [one["word"] for one in found], sum(one["surely"] for one in found)
    rows = [
        ["called better (false)", wilson(words.count("better"), len(found))],
        ["no better than luck", wilson(words.count("undecided"), len(found))],
        ["equivalent", wilson(words.count("equivalent"), len(found))],
        ["worse", wilson(words.count("worse"), len(found))],
        ["no trial ahead of the present settings", wilson(words.count("none"), len(found))],
        ["best trial ahead by the search's own interval", wilson(surely, len(found))],
        ["mean gain promised (log10 mol/L)", f"{np.mean([one['promised'] for one in found]):+.4f}"],
        ["mean gain on fresh folds", f"{np.mean([one['fresh'] for one in found]):+.4f}"],
    ]
    return (
        f"## Tune: verdicts where nothing is better\n\n{len(found)} searches of {trials} trials, each on "
        f"{MOLECULES} other molecules of the solubility table, in a space whose values all train the same "
        "network (`python -m benchmarks.tune validity`). In brackets 95 % intervals. "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}.\n\n"
        + table(["outcome", "searches"], rows)
    )


def _sources(names: list[str]) -> list[Source]:
    """The tables of these names, in their order here."""
    return [one for one in TABLES if one.name in names]


def main() -> None:
    """Measure, print, write the sections."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", default=["validity", "gain"])
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--search-trials", type=int, default=10)
    parser.add_argument("--trials", type=int, nargs="+", default=list(BUDGETS))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--tables", nargs="+", default=[one.name for one in TABLES])
    parser.add_argument("--starts", nargs="+", choices=list(STARTS), default=list(STARTS))
    asked = parser.parse_args()
    if "validity" in asked.parts:
        write_section("tune", text := validity(asked.searches, asked.search_trials, asked.seconds))
        print(text, flush=True)
    if "gain" in asked.parts:
        # small budgets of all tables come first
        each = product(sorted(asked.trials), _sources(asked.tables), asked.starts)
        wanted = [(source, start, budget) for budget, source, start in each]
        for rows in measured(wanted, asked.data, KEPT / f"gain-{_code()}", asked.seconds):
            if rows:
                write_section("tune-gain", section(rows))
                print(json.dumps(rows[-1]), flush=True)


if __name__ == "__main__":
    main()
