"""Whether one series decides a score: the largest scaffold among the test rows, and the score without it."""

from typing import Any

import numpy as np

from manywalks.benchmark.rows import Rows
from manywalks.benchmark.scores import score
from manywalks.formatting import count
from manywalks.split.facts import facts_of

# a smaller share of the test rows than this decides little
LEAST = 0.1


def largest_series(rows: Rows) -> np.ndarray:
    """Whether each molecule, those to train on first, has the test rows' most frequent scaffold, bool (n,).

    Molecules without a ring have no scaffold and are no series.
    """
    scaffolds = np.array(facts_of(rows.molecules["smiles"].tolist(), scaffolds=True).scaffolds)
    names, counts = np.unique(scaffolds[(rows.subsets == "test") & (scaffolds != "")], return_counts=True)
    if not len(names):
        return np.zeros(len(scaffolds), dtype=bool)
    return scaffolds == names[counts.argmax()]


def series_scores(rows: Rows, ensembles: list[np.ndarray], metrics: list[str]) -> dict[str, Any]:
    """The test rows' largest series, where it is a tenth of them or more: sizes, and scores with and without.

    Args:
        rows: k test rows among others.
        ensembles: of each endpoint, the prediction of the test rows (k,).
        metrics: of each endpoint, the one that decides.

    Returns:
        "test" and "train": how many molecules of the series; "inside" and "outside": each endpoint's score
        over the series alone and over the other test rows, None where it is not defined. Empty for less than
        a tenth.
    """
    member = largest_series(rows)
    inside = member[rows.subsets == "test"]
    if inside.sum() < max(2, LEAST * len(inside)):
        return {}
    found: dict[str, Any] = {"test": int(inside.sum()), "train": int(member[rows.subsets == "train"].sum())}
    for name, chosen in (("inside", inside), ("outside", ~inside)):
        values = [
            score(metric, rows.observed[chosen, column], ensemble[chosen])
            for column, (metric, ensemble) in enumerate(zip(metrics, ensembles, strict=True))
        ]
        found[name] = [value if np.isfinite(value) else None for value in values]
    return found


def series_words(result: dict[str, Any]) -> str:
    """A sentence on a task's largest series; "" where there is none, or no score of it."""
    found, endpoints = result.get("series"), list(result["endpoints"].values())
    if not found or len(endpoints) > 1 or None in (*found["inside"], *found["outside"]):
        return ""
    metric, trained = endpoints[0]["metric"], found["train"]
    which = f"{count(trained, 'training molecule')} {'has' if trained == 1 else 'have'}"
    return (
        f"{result['name']}: {found['test']} of {result['test']} test molecules share one scaffold, which "
        f"{which if trained else 'no training molecule has'}: {metric} {found['inside'][0]:.3f} among them, "
        f"{found['outside'][0]:.3f} for the others"
    )
