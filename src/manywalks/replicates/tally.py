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


# only what is saved and looked at is 100 %: a look may ask for more
MOST = 0.99


class Tally:
    """Adds up the progress of packs that train side by side, in replicates.

    What is told is what is shown: so many replicates of so many. Of several families, each one's training is
    its share of a replicate. Where a look expects more than the one before, the bar goes back.
    """

    def __init__(self, tell: progress.Tell) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._before = self._expected = 0.0
        self._packs: dict[int, float] = {}
        self._looks = 0

    def look(self, have: int, expected: int | None) -> None:
        """A new look: so many replicates are there, so many are expected; all of them ends the bar.

        Args:
            have: replicates now.
            expected: how many it will take; None where nobody can tell yet.
        """
        with self._lock:
            self._before, self._packs = have, {}
            self._expected = 0 if expected is None else max(expected, have)
            self._looks += 1
        self._show()

    def of(self, pack: int) -> progress.Tell:
        """The `tell` of one pack, in replicates; what it tells after the next look counts already."""
        look = self._looks

        def tell(done: float, total: float, note: str = "") -> None:
            with self._lock:
                if look != self._looks:
                    return
                # a pack that starts again trains only what is not kept
                self._packs[pack] = max(done, self._packs.get(pack, 0))
            self._show()

        return tell

    def _show(self) -> None:
        with self._lock:
            done, expected = self._before + sum(self._packs.values()), self._expected
            if not expected:
                told = (done, 0.0, f"{int(done)} replicates")
            else:
                reached = expected if self._before >= expected else min(done, MOST * expected)
                told = (reached, expected, f"{int(min(done, expected))}/{expected:.0f} replicates")
        self._tell(*told)


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
