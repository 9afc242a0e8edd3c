"""The loop that trains pack after pack until the bound holds: the same for DVC and for Prefect."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from manywalks import files
from manywalks.replicates.plan import packs, plan_next, tolerances_of
from manywalks.replicates.store import (
    Outcomes,
    Store,
    entropy_of,
    open_store,
    prune,
    saved_replicates,
)
from manywalks.runtime import interrupt, progress
from manywalks.train.prepare import read_tables
from manywalks.workspace import Workspace

RunPacks = Callable[[str, list[list[int]], "Tally"], None]


"""Given (store key, packs, tally): train the packs, all at once or one after another."""


class Tally:
    """Adds up the progress of packs that train side by side: replicates done, of so many expected."""

    def __init__(self, tell: progress.Tell) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._before = 0.0
        self._expected = 0.0
        self._packs: dict[int, float] = {}
        self._looks = 0

    def look(self, have: int, expected: int) -> None:
        """A new look: so many replicates stand, so many are expected."""
        with self._lock:
            self._before, self._expected, self._packs = have, max(expected, have), {}
            self._looks += 1
        self._show()

    def of(self, pack: int) -> progress.Tell:
        """The `tell` of one pack, in replicates; what it tells after the next look counts already."""
        look = self._looks

        def tell(done: float, total: float, note: str = "") -> None:
            with self._lock:
                if look != self._looks:
                    return
                self._packs[pack] = done
            self._show()

        return tell

    def _show(self) -> None:
        with self._lock:
            done = self._before + sum(self._packs.values())
        self._tell(done, self._expected, f"{int(done)}/{self._expected:.0f} replicates")


def train_until_enough(
    workspace: Workspace, run_packs: RunPacks, *, processes: int, tell: progress.Tell
) -> Sequence[int]:
    """Train replicates, pack by pack, until every endpoint's bound is within its tolerance.

    Returns the indices that make the ensemble. Replicates that stand already are used; damaged ones
    are trained again.
    """
    store = open_store(workspace)
    params = workspace.params
    entropy_of(store, params)
    outcomes = Outcomes(store)
    curated, subsets = read_tables(workspace)
    card = files.read_json(workspace.reports / "data.json")
    tolerances = tolerances_of(curated, subsets, card, params)
    tally = Tally(tell)
    while True:
        plan = plan_next(outcomes.look(), tolerances, params)
        tally.look(len(plan.used), plan.expected)
        if not plan.missing:
            prune(store, plan.used)
            return plan.used
        with interrupt.keeping(partial(_kept_words, store, plan.expected)):
            run_packs(store.key, packs(plan.missing, processes), tally)
        left = set(plan.missing) - set(saved_replicates(store))
        if left:
            raise RuntimeError(
                f"train: replicates {sorted(left)} were not kept though their packs ended well"
            )


def _kept_words(store: Store, expected: int) -> str:
    """What an interruption keeps of the replicates."""
    return f"{len(saved_replicates(store))} of {expected} replicates kept; run again to go on"
