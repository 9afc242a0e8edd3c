"""What `benchmarks.tune gain` writes: a table of the searches, and one of plain Optuna."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.results import table
from benchmarks.tune_gain import BUDGETS, RUNS, TEST_REPLICATES, WEAK
from benchmarks.tune_tables import TABLES

WORDS = {
    "better": "better", "undecided": "luck", "equivalent": "equivalent", "worse": "worse",
    "none": "none ahead",
}  # fmt: skip


def section(rows: list[dict[str, Any]]) -> str:
    """The section of gains on test: a table of the searches, and one of plain Optuna."""
    order = sorted(rows, key=lambda row: (row["start"], row["table"], row["budget"]))
    firsts = [
        [row["table"], row["start"], row["metric"], f"{row['present']:.3f}", str(row["budget"])]
        for row in order
    ]
    ours = [
        [
            *first, f"{row['replicates']} + {row['judged']}", WORDS[row["word"]],
            f"{row['promised']:+.3f}", _interval(row["fresh"], row["fresh_low"], row["fresh_high"]),
            _interval(**row["taken"]), _interval(**row["winner"]),
        ]
        for first, row in zip(firsts, order, strict=True)
    ]  # fmt: skip
    plain = [
        [
            *first, str(row["budget"] + 1),
            *(_runs([run[name] for run in row["plain"]]) for name in ("promised", "seen", "gain")),
        ]
        for first, row in zip(firsts, order, strict=True)
    ]  # fmt: skip
    heads = ["table", "start", "metric", "present settings", "trials"]
    own = ["trainings: search + verdict", "verdict", "promised", "on fresh folds", "on test, by the verdict",
           "on test, best trial whatever the verdict"]  # fmt: skip
    others = ["trainings of a run", "promised", "on the search's splits", "on test"]
    return (
        "## Tune: gains on test\n\nGains over the settings that the search starts from, positive is better, "
        f"in brackets 95 % intervals; ensembles of {TEST_REPLICATES} on test rows that took no part in "
        "either search (`python -m benchmarks.tune gain`); the intervals on test are bootstraps over its "
        "molecules. By the verdict: the tuned settings where it says better, else the present ones (a gain "
        f"of 0). Start: the defaults, or weaker settings ({_weak()}). Plain Optuna has the same space and "
        "trials. It scores each trial by one replicate on one held-out fifth of the training rows and takes "
        f"the best one; it was run {RUNS} times with other seeds. Its choices were then scored on the splits "
        f"of the search, as a trial that is trained to the end. {_counts(rows)}"
        + _not_measured(rows)
        + "\n\n"
        + table([*heads, *own], ours)
        + "\n\nPlain Optuna, means of its runs (least to most):\n\n"
        + table([*heads, *others], plain)
    )


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
    """Tables and budgets from the defaults that are still to be run."""
    done = {(row["table"], row["budget"]) for row in rows if row["start"] == "defaults"}
    left = [
        f"{budget} trials on {' and '.join(names)}"
        for budget in BUDGETS
        if (names := [one.name for one in TABLES if (one.name, budget) not in done])
    ]
    return f" Not measured, start defaults: {'; '.join(left)}." if left else ""


def _interval(gain: float, low: float, high: float) -> str:
    """A gain with its interval; a plain 0 where nothing differs."""
    if low == high == gain == 0:
        return "0"
    return f"{gain:+.3f} ({low:+.3f} to {high:+.3f})"
