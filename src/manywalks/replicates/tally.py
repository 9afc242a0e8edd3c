"""What trains packs, and the progress of those that train side by side."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from manywalks.replicates.plan import packs
from manywalks.replicates.store import Outcomes, Store, entropy_of, saved_replicates
from manywalks.runtime import interrupt, progress
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


def train_these(
    workspace: Workspace,
    store: Store,
    indices: Sequence[int],
    run_packs: RunPacks,
    *,
    processes: int,
    tell: progress.Tell,
    what: str,
) -> Outcomes:
    """Train those of these replicates that are not there, and give what all of them predict.

    Args:
        workspace: whose.
        store: of the replicates.
        indices: that are wanted.
        run_packs: trains packs.
        processes: how many packs at once.
        tell: hears how far they are.
        what: they are, in the words of an interruption: "replicates on other draws".
    """
    for family in store.families:
        entropy_of(family, workspace.params)
    outcomes = Outcomes(store)  # what is damaged is removed, and trained again
    missing = sorted(set(indices) - set(saved_replicates(store)))
    tally = Tally(tell)
    with interrupt.keeping(partial(_kept_words, store, len(indices), what)):
        tally.look(len(indices) - len(missing), len(indices))
        if missing:
            run_packs(store.key, packs(missing, processes), tally)
    left = set(indices) - set(saved_replicates(store))
    if left:
        raise RuntimeError(f"{what}: {sorted(left)} were not kept though their packs ended well")
    tally.look(len(indices), len(indices))
    return outcomes


def _kept_words(store: Store, expected: int, what: str) -> str:
    """What an interruption keeps of them."""
    return f"{len(saved_replicates(store))} of {expected} {what} kept; run again to go on"
