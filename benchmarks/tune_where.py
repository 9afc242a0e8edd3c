"""Where the gain of a search's best trial is: on fresh folds, scored in two ways, on all rows, on test."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.workspaces import quiet
from manywalks.compare import paired
from manywalks.compare.pooled import Difference, Tested, add_tested, difference_of
from manywalks.compare.report.score_table import check_assumptions
from manywalks.compare.scores import Scores
from manywalks.params.load import Params
from manywalks.split.left_out import left_out, without
from manywalks.split.split import folds, groups_of
from manywalks.tasks import compare as train_splits
from manywalks.tune.material import Material

CONFIDENCE = 0.95
# folds of all training rows, and replicates on each
FOLDS, REPLICATES = 5, 4
METHODS = ("random", "scaffold")


def by_fold(scores: Scores, tested: Tested) -> tuple[paired.Pair, str]:
    """The difference as the verdict had it before, with `compare`'s interval; and the method of that."""
    numbers = np.unique(tested.folds)
    for fold in numbers:
        own = tested.folds == fold
        for configuration, predictions in enumerate(tested.predictions):
            scores.add(int(fold), configuration, tested.rows[own], predictions[:, own, 0])
    ratio = len(tested.rows) / len(numbers) / tested.train
    found = scores.table(len(numbers), 2, ratio, len(numbers))
    method = check_assumptions(found).method
    return paired.pairs_of(found, CONFIDENCE, method)[0], method


def together(material: Material, tested: Tested) -> Difference:
    """The difference as the verdict has it."""
    scores = material.scores()
    add_tested(scores, tested)
    return difference_of(scores, tested, [0], scales=[1.0], confidence=CONFIDENCE)


def on_test(material: Material, both: Sequence[np.ndarray], rows: np.ndarray) -> dict[str, float]:
    """How much better the first of two ensembles is on test rows: the luck of molecules and of replicates.

    Args:
        material: of the table.
        both: (m, n, 1) replicates of each.
        rows: of the table, int (n,). Molecules of one scaffold count as one.
    """
    groups = groups_of(material.curated.iloc[rows], _split_by(material, "scaffold"))
    # one training set, which both share: its luck is no part of it
    tested = Tested(rows, np.zeros(len(rows), dtype=int), groups, np.stack(list(both)), np.inf)
    return _interval(together(material, tested))


def where(material: Material, winner: Params) -> dict[str, Any]:
    """The gain on fresh folds by both ways, what its error is made of, and the gain on all training rows."""
    both, fresh = (winner, material.present), material.splits.fresh
    tested = material.tested(both, fresh, material.design.replicates)
    found = together(material, tested)
    (scores,) = material.scores()
    return {
        "by_fold": _interval(by_fold(scores, tested)[0]),
        "pooled": _interval(found),
        "parts": found.parts._asdict(),
        **{method: _everywhere(material, both, method) for method in METHODS},
    }


def _everywhere(material: Material, both: Sequence[Params], method: str) -> dict[str, float]:
    """The gain on folds of all training rows, those that the search has seen among them."""
    curated, workspace = material.curated, material.workspace
    splits = material.splits
    used = np.any([subsets != "" for subsets in splits.fresh], axis=0)
    out, given = left_out(curated, workspace.not_featurized), _split_by(material, method)
    drawn = []
    for subsets in folds(curated.loc[used], given, 1, FOLDS):
        placed = np.full(len(curated), "", dtype="<U5")
        placed[used] = subsets
        drawn.append(without(placed, out))
    with quiet(workspace.root):
        for params in both:
            for one in material.shares(params, drawn, list(range(FOLDS)), REPLICATES):
                train_splits.run(workspace, *one.arguments[1:])
    tested = material.tested(both, drawn, REPLICATES)
    groups = groups_of(curated.iloc[tested.rows], given)
    return _interval(together(material, tested._replace(groups=groups)))


def _split_by(material: Material, method: str) -> Any:
    """The parameters of the split, with another method."""
    return material.present.split.model_copy(update={"method": method, "column": None})


def _interval(found: Difference | paired.Pair) -> dict[str, float]:
    """A difference with its interval."""
    return {"gain": found.difference, "low": found.low, "high": found.high}
