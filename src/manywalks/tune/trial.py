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


# a verdict may take longer than its replicates' time says: the machine has other work too
SLACK = 1.2


@dataclass
class Clock:
    """Time of a search, in seconds; `limit` is None where there is none."""

    limit: float | None
    began: float = field(default_factory=time.monotonic)

    @property
    def gone(self) -> float:
        """Since the search began."""
        return time.monotonic() - self.began

    def is_over(self, step: float, verdict: float) -> bool:
        """Whether too little is left for a next step and the verdict after it."""
        return self.limit is not None and self.gone + step + SLACK * verdict >= self.limit
