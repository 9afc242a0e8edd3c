"""One trial as far as it has come, and the time of a search."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from manywalks.formatting import duration
from manywalks.params.load import Params
from manywalks.tune.design import Rung, time_text
from manywalks.tune.material import Material

# the number of the present settings among the configurations of a search
PRESENT = -1


@dataclass
class TrialState:
    """A trial as far as it has come.

    Attributes:
        values: of the searched keys.
        params: the parameters that they make.
        rung: how many rungs it has passed.
        state: "running", "done", "beaten", "failed"; "left" for want of time, or by a former run.
        reason: why it failed.
    """

    values: dict[str, Any]
    params: Params
    rung: int = 0
    state: str = "running"
    reason: str = ""


# a verdict may take longer than its replicates' time says: the machine has other work too
SLACK = 1.2
# a verdict that has waited for its time is not given up for so small a part of the limit
LATE = 1.1
# a longer --time is told with so much to spare, since it was estimated
SPARE = 1.1


@dataclass
class Clock:
    """Time of a search, in seconds; what its steps will take is known from what replicates have taken.

    Attributes:
        material: what is searched on.
        rungs: of a trial.
        workers: processes side by side.
        seconds: that a replicate takes on one core, by configuration.
        left: share of a verdict's replicates that is not kept from before, by configuration; 1 if unknown.
        looked: replicates of the present settings on each split, and their seconds, at the last look.
        began: when.
    """

    material: Material
    rungs: tuple[Rung, ...]
    workers: int
    seconds: dict[int, float] = field(default_factory=dict)
    left: dict[int, float] = field(default_factory=dict)
    looked: list[tuple[int, float]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def limit(self) -> float | None:
        """None where there is none."""
        return self.material.design.seconds

    @property
    def gone(self) -> float:
        """Since the search began."""
        return time.monotonic() - self.began

    def step(self, number: int | None, rung: int) -> float:
        """How long a rung will take, of a trial or of a new one (None): that of the other rungs is kept."""
        if rung == len(self.rungs):  # trained by a run that was stopped before it could say so
            return 0.0
        asked, before = self.rungs[rung], self.rungs[rung - 1].splits if rung else 0
        known = self.seconds.get(PRESENT if number is None else number, 0.0)
        return known * (asked.splits - before) * asked.replicates

    def verdict(self, may_win: Iterable[int] = ()) -> float:
        """How long a verdict takes, if the slowest of these trials wins, or one like the present ones."""
        new = self.seconds.get(PRESENT, 0.0)
        return self._verdict(max([new, *map(self._on_fresh, may_win)]))

    def verdict_on(self, number: int) -> float:
        """How long a verdict on one trial will take."""
        return self._verdict(self._on_fresh(number))

    def _verdict(self, winner: float) -> float:
        """The same, from the seconds that one of the winner's replicates takes."""
        return self.material.verdict_seconds(self._on_fresh(PRESENT), winner, self.workers)

    def _on_fresh(self, number: int) -> float:
        """Seconds of one replicate on the fresh folds; less where some are kept from an earlier verdict."""
        return self.seconds.get(number, 0.0) * self.left.get(number, 1.0)

    def is_over(self, step: float, verdict: float) -> bool:
        """Whether too little is left for a next step and the verdict after it."""
        return self.limit is not None and self.gone + step + SLACK * verdict >= self.limit

    def is_late(self, verdict: float) -> bool:
        """Whether a verdict, if it began now, would clearly end after the limit."""
        return self.limit is not None and verdict > 0 and self.gone + verdict > LATE * self.limit

    def learn(self, kept: list[tuple[int, float]]) -> None:
        """Note what the quickest replicate of the present settings has taken, of those that are new."""
        before = self.looked or [(0, 0.0)] * len(kept)
        pairs = zip(kept, before, strict=True)
        rates = [(now[1] - old[1]) / (now[0] - old[0]) for now, old in pairs if now[0] > old[0]]
        if rates:
            self.seconds[PRESENT] = min([*rates, self.seconds.get(PRESENT, math.inf)])
        self.looked = kept

    def check_present(self, missing: int) -> None:
        """A ValueError if the limit holds no search; so many replicates of the present settings are missing.

        Nothing is said after the first replicate of each process, which may have waited for compiled code.
        """
        if self.limit is None or not any(have > 1 for have, _ in self.looked):
            return
        needed = -(-missing // self.workers) * self.seconds[PRESENT] + self.least()
        if self.gone + needed > self.limit:
            raise ValueError(self.too_short(needed))

    def least(self) -> float:
        """How long it takes, after the present settings, to try one trial and to judge it."""
        return self.step(None, 0) + SLACK * self.verdict()

    def too_short(self, needed: float) -> str:
        """Says that the limit holds no search, and which one would, if so many seconds are still needed."""
        return (
            f"--time {time_text(self.limit or 0)}: is too short; one trial and its verdict need about "
            f"{duration(needed)} here. Give --time {enough(needed)} or more; what has been trained is kept"
        )

    def not_judged(self, number: int) -> str:
        """Says that the limit holds no verdict on the best trial, and which one would."""
        needed = self.verdict_on(number)
        return (
            f"--time {time_text(self.limit or 0)}: is too short to judge trial {number}, which is ahead; "
            f"the verdict needs about {duration(needed)} here. Give --time {enough(needed)} or more, and "
            "--continue"
        )


def enough(needed: float) -> str:
    """A --time that holds so many seconds and some to spare, as a round number."""
    asked = SPARE * needed
    step = next((step for most, step in ((600, 10), (3600, 60)) if asked <= most), 600)
    return time_text(step * math.ceil(asked / step))
