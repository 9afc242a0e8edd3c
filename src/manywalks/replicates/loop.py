"""The loop that trains pack after pack until the bound holds: the same for DVC and for Prefect."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from manywalks import files
from manywalks.replicates.opening import draws_file, open_store
from manywalks.replicates.plan import packs, plan_next, tolerances_of
from manywalks.replicates.store import Outcomes, Store, entropy_of, prune, saved_replicates
from manywalks.runtime import interrupt, progress
from manywalks.train.prepare import read_tables
from manywalks.workspace import Workspace

RunPacks = Callable[[str, list[list[int]], "Tally"], None]


"""Given (store key, packs, tally): train the packs, all at once or one after another."""


# A look may ask for more than was expected: until the last one, so much room is left at the bar's end.
ROOM = 4


class Tally:
    """Adds up the progress of packs that train side by side, and tells it as a share that never falls.

    The share goes on from where it stands over what is expected to be left, however that changes.
    """

    def __init__(self, tell: progress.Tell) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._before = self._expected = 0.0
        self._room = 0.0
        self._share = self._share_before = 0.0
        self._packs: dict[int, float] = {}
        self._looks = 0

    def look(self, have: int, expected: int | None, *, is_last: bool = True) -> None:
        """A new look: so many replicates are there, so many are expected.

        Args:
            have: replicates now.
            expected: how many it will take; None where nobody can tell yet.
            is_last: whether it will take no more than that.
        """
        with self._lock:
            self._before, self._packs = have, {}
            self._expected = 0 if expected is None else max(expected, have)
            self._room = 0 if is_last else ROOM
            self._share_before = self._share
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
            if not self._expected:
                note = f"{int(done)} replicates"
            else:
                note = f"{int(done)}/{self._expected:.0f} replicates"
                self._share = max(self._share, self._share_at(done))
            share = self._share
        self._tell(share, 1.0 if self._expected else 0.0, note)

    def _share_at(self, done: float) -> float:
        """The share of all work at so many replicates: from 0 to 1."""
        if self._looks == 1:
            # what a former run has left was no work of this one, but it is shown
            return done / (self._expected + self._room) if self._expected else 1.0
        left = self._expected + self._room - self._before
        gone = (done - self._before) / left if left else 1.0
        return self._share_before + (1 - self._share_before) * min(1.0, gone)


def train_until_enough(
    workspace: Workspace, run_packs: RunPacks, *, processes: int, tell: progress.Tell
) -> Sequence[int]:
    """Train replicates, pack by pack, until every endpoint's bound is within its tolerance.

    Returns the indices that make the ensemble. Replicates that stand already are used; damaged ones
    are trained again.
    """
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
            prune(store, plan.used, also=[draws_file(store.folder)] if store.draws else [])
            return plan.used
        exact = params.replicates.count is not None
        known = exact or len(plan.used) >= ROOM
        with interrupt.keeping(partial(_kept_words, store, plan.expected)):
            tally.look(len(plan.used), plan.expected if known else None, is_last=exact)
            run_packs(store.key, packs(plan.missing, processes), tally)
        left = set(plan.missing) - set(saved_replicates(store))
        if left:
            raise RuntimeError(
                f"train: replicates {sorted(left)} were not kept though their packs ended well"
            )


def _kept_words(store: Store, expected: int) -> str:
    """What an interruption keeps of the replicates."""
    return f"{len(saved_replicates(store))} of {expected} replicates kept; run again to go on"
