"""One trial as far as it has come, and the time of a search."""

import time
from dataclasses import dataclass, field
from typing import Any

from manywalks.params.load import Params


@dataclass
class TrialState:
    """A trial as far as it has come.

    Attributes:
        values: of the searched keys.
        params: the parameters that they make.
        rung: how many rungs it has passed.
        state: "running", "done", "beaten" or "failed".
        reason: why it failed.
    """

    values: dict[str, Any]
    params: Params
    rung: int = 0
    state: str = "running"
    reason: str = ""


@dataclass
class Clock:
    """Time of a search, and what a replicate costs."""

    limit: float | None
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    replicates: int = 0

    @property
    def gone(self) -> float:
        """Seconds since the search began."""
        return time.monotonic() - self.began

    def is_over(self, left: int, workers: int) -> bool:
        """Whether no more than the time for `left` replicates, side by side, is left."""
        each = self.seconds / self.replicates if self.replicates else 0.0
        return self.limit is not None and self.gone + each * left / workers >= self.limit
