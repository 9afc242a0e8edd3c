"""What `benchmarks.tune gain` writes: a table of the searches, and one of plain Optuna."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.results import table
from benchmarks.tune_gain import BUDGETS, RUNS, STARTS, TEST_REPLICATES, WEAK
from benchmarks.tune_tables import TABLES
from benchmarks.tune_where import FOLDS, REPLICATES

WORDS = {
    "better": "better", "undecided": "luck", "equivalent": "equivalent", "worse": "worse",
    "none": "none ahead",
}  # fmt: skip


HEADS = ["table", "start", "metric", "present settings", "trials"]
OURS = [
    "trainings: search + verdict", "verdict", "promised", "on fresh folds", "on test, by the verdict",
    "on test, best trial whatever the verdict",
]  # fmt: skip
PLAIN = ["trainings of a run", "promised", "on the search's splits", "on test"]
PLACES = [
    "fresh, fold by fold (the former verdict)", "fresh, all folds together (the verdict)",
    "error: tested, trained on, replicates", "all training rows, random folds",
    "all training rows, scaffolds left out", "test",
]  # fmt: skip


def section(rows: list[dict[str, Any]]) -> str:
    """The section of gains on test: tables of the searches, of plain Optuna, and of where a gain is."""
    order = sorted(rows, key=lambda row: (row["start"], row["table"], row["budget"]))
    return "\n\n".join(
        [
            f"## Tune: gains on test\n\n{_about()} {_counts(rows)}{_not_measured(rows)}",
            table([*HEADS, *OURS], [[*_first(row), *_ours(row)] for row in order]),
            "Plain Optuna, means of its runs (least to most):",
            table([*HEADS, *PLAIN], [[*_first(row), *_plain(row)] for row in order]),
            "Where the gain of the best trial is. On fresh folds: one score per fold with `compare`'s "
            "interval, as the verdict had it before, and all folds scored together. The squared error of "
            "that is made of the luck of the molecules that were tested, of those that were trained on, and"
            " of few "
            f"replicates. All training rows: {FOLDS} folds, {REPLICATES} replicates on each. The search has "
            "seen three fifths of these rows, so this gain may be too high. The test rows of TDC have other "
            "scaffolds than the training rows.",
            table([*HEADS[:2], HEADS[-1], *PLACES], [_places(row) for row in order if "where" in row]),
        ]
    )


def _about() -> str:
    """What was measured, and how."""
    return (
        "Gains over the settings that the search starts from, positive is better, in brackets 95 % "
        f"intervals; {TEST_REPLICATES} replicates on test rows that took no part in either search (`python "
        "-m benchmarks.tune gain`), projected to infinitely many. Intervals on test hold the luck of its "
        "molecules (those of one scaffold count as one) and of training again. By the verdict: the tuned "
        "settings where it says better, else the present ones (a gain of 0). Start: the defaults, or weaker "
        f"settings ({_weak()}). Fewer trials are the first ones of the longer search, and all verdicts "
        "are by the present way. Plain Optuna has the same space and trials. It scores each trial by one "
        "replicate on one held-out fifth of the training rows and takes the best one; it was run "
        f"{RUNS} times with other seeds. Its choices were then scored on the splits of the search, as a "
        "trial that is trained to the end."
    )


def _first(row: dict[str, Any]) -> list[str]:
    """What was searched."""
    return [row["table"], row["start"], row["metric"], f"{row['present']:.3f}", str(row["budget"])]


def _ours(row: dict[str, Any]) -> list[str]:
    """What the search promised, said and gained."""
    return [
        f"{row['replicates']} + {row['judged']}", WORDS[row["word"]], f"{row['promised']:+.3f}",
        _interval(row["fresh"], row["fresh_low"], row["fresh_high"]),
        _interval(**row["taken"]), _interval(**row["winner"]),
    ]  # fmt: skip


def _plain(row: dict[str, Any]) -> list[str]:
    """The same of plain Optuna."""
    columns = (_runs([run[name] for run in row["plain"]]) for name in ("promised", "seen", "gain"))
    return [str(row["budget"] + 1), *columns]


def _places(row: dict[str, Any]) -> list[str]:
    """One row of the table of where the gain is."""
    found = row["where"]
    parts = found["parts"]
    whole = sum(parts.values()) or 1.0
    return [
        row["table"], row["start"], str(row["budget"]), _interval(**found["by_fold"]),
        _interval(**found["pooled"]), ", ".join(f"{100 * part / whole:.0f} %" for part in parts.values()),
        _interval(**found["random"]), _interval(**found["scaffold"]), _interval(**row["winner"]),
    ]  # fmt: skip


def _weak() -> str:
    """The weaker settings in words."""
    out = [name.split(".")[-2] for name, value in WEAK.items() if name.endswith(".use") and not value]
    others = [f"{name.split('.')[-1]} {value}" for name, value in WEAK.items() if not name.endswith(".use")]
    return ", ".join([f"without {', '.join(out)}", *others])


def _runs(gains: Sequence[float]) -> str:
    """Mean, least and most of several runs."""
    return f"{np.mean(gains):+.3f} ({min(gains):+.3f} to {max(gains):+.3f})"


def _counts(rows: list[dict[str, Any]]) -> str:
    """How often each was surely better or worse on test, by start."""
    lines = []
    for start in dict.fromkeys(row["start"] for row in rows):
        own = [row for row in rows if row["start"] == start]
        runs = {
            "the verdict": [row["taken"] for row in own],
            "the search's best trial": [row["winner"] for row in own],
            "plain Optuna's": [run for row in own for run in row["plain"]],
        }
        said = "; ".join(
            f"{name} {sum(one['low'] > 0 for one in found)} and {sum(one['high'] < 0 for one in found)} "
            f"of {len(found)}"
            for name, found in runs.items()
        )
        lines.append(f"Surely better and surely worse on test, start {start}: {said}.")
    return " ".join(lines)


def _not_measured(rows: list[dict[str, Any]]) -> str:
    """Tables and budgets that are still to be run."""
    done = {(row["table"], row["start"], row["budget"]) for row in rows}
    left = [
        f"{budget} trials from {start} on {' and '.join(names)}"
        for start in STARTS
        for budget in BUDGETS
        if (names := [one.name for one in TABLES if (one.name, start, budget) not in done])
    ]
    return f" Not measured: {'; '.join(left)}." if left else ""


def _interval(gain: float, low: float, high: float) -> str:
    """A gain with its interval; a plain 0 where nothing differs."""
    if low == high == gain == 0:
        return "0"
    return f"{gain:+.3f} ({low:+.3f} to {high:+.3f})"
