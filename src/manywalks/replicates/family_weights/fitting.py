"""Fit the families' weights of a workspace: train what the folds lack, and keep the weights."""

import shutil
from pathlib import Path

from manywalks.replicates.family_weights import kept
from manywalks.replicates.family_weights.folds import Folds
from manywalks.replicates.family_weights.opening import FOLDER, open_folds
from manywalks.replicates.family_weights.weights import Fitted, Heard, How, as_json, fit_all, out_of_fold
from manywalks.replicates.opening import inputs_key
from manywalks.replicates.store import Outcomes, Store, prune
from manywalks.replicates.tally import RunPacks, train_these
from manywalks.runtime import progress
from manywalks.train.prepare import read_groups, read_tables
from manywalks.workspace import Workspace

WHAT = "replicates for the weights of the families"


def fit_weights(
    workspace: Workspace, run_packs: RunPacks, *, processes: int, tell: progress.Tell
) -> list[Path]:
    """Write weights.json where the weights are to be fitted; the files that belong to them.

    What the folds have is used, so that nothing is trained again where nothing changed. Without fitted
    weights there is nothing to do, and what a former run has left goes.
    """
    folder = workspace.replicates
    if not kept.are_fitted(workspace.params):
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        (folder / kept.FILE).unlink(missing_ok=True)
        return []
    store, folds = open_folds(workspace)
    outcomes = train_these(
        workspace,
        store,
        folds.indices,
        run_packs,
        processes=processes,
        tell=lambda done, total, note="": tell(0, 0, f"weights of the families, {note}"),
        what=WHAT,
    )
    prune(store, folds.indices)
    found = as_json(_fitted(workspace, store, folds, outcomes), workspace.params)
    kept.write(folder, kept.made_for(inputs_key(workspace), workspace.params), found)
    return [folder / kept.FILE, *(path for path in (folder / FOLDER).rglob("*") if path.is_file())]


def _fitted(workspace: Workspace, store: Store, folds: Folds, outcomes: Outcomes) -> list[Fitted]:
    """Each endpoint's weights, from what the networks of the folds predict."""
    params, curated = workspace.params, read_tables(workspace).curated
    heard = [
        Heard(one.index, [None if part.diverged else part.predictions for part in one.parts])
        for one in outcomes.look()
    ]
    shape = (len(store.families), len(curated), len(params.data.endpoints))
    predictions = out_of_fold(heard, folds, shape, How.of(params))
    return fit_all(predictions, curated, folds, read_groups(workspace).groups, params)
