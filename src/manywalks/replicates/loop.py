"""The loop that trains pack after pack until the bound holds: the same for DVC and for Prefect."""

from collections.abc import Sequence
from functools import partial

from manywalks import files
from manywalks.replicates.family_weights.fitting import fit_weights
from manywalks.replicates.opening import draws_file, open_store
from manywalks.replicates.plan import packs, plan_next, tolerances_of
from manywalks.replicates.store import Outcomes, Store, entropy_of, prune, saved_replicates
from manywalks.replicates.tally import RunPacks, Tally
from manywalks.runtime import interrupt, progress
from manywalks.train.prepare import read_tables
from manywalks.workspace import Workspace

# of fewer replicates, nobody can tell how many it will take
FEWEST = 4


def train_until_enough(
    workspace: Workspace, run_packs: RunPacks, *, processes: int, tell: progress.Tell
) -> Sequence[int]:
    """Train replicates, pack by pack, until every endpoint's bound is within its tolerance.

    The families' weights come first, where they are fitted: the bound is that of the weighted means.
    Returns the indices that make the ensemble. Replicates that stand already are used; damaged ones
    are trained again.
    """
    weights = fit_weights(workspace, run_packs, processes=processes, tell=tell)
    store = open_store(workspace)
    params = workspace.params
    for family in store.families:
        entropy_of(family, params)
    outcomes = Outcomes(store)
    curated, subsets = read_tables(workspace)
    card = files.read_json(workspace.reports / "data.json")
    tolerances = tolerances_of(curated, subsets, card, params)
    tally = Tally(tell)
    while True:
        plan = plan_next(outcomes.look(), tolerances, params)
        if not plan.missing:
            tally.look(len(plan.used), len(plan.used))
            prune(store, plan.used, also=[*weights, *([draws_file(store.folder)] if store.draws else [])])
            return plan.used
        known = params.replicates.count is not None or len(plan.used) >= FEWEST
        with interrupt.keeping(partial(_kept_words, store, plan.expected)):
            tally.look(len(plan.used), plan.expected if known else None)
            run_packs(store.key, packs(plan.missing, processes), tally)
        left = set(plan.missing) - set(saved_replicates(store))
        if left:
            raise RuntimeError(
                f"train: replicates {sorted(left)} were not kept though their packs ended well"
            )


def _kept_words(store: Store, expected: int) -> str:
    """What an interruption keeps of the replicates."""
    return f"{len(saved_replicates(store))} of {expected} replicates kept; run again to go on"
