"""Where a decision changes: the limits that a prediction must lie within to be selected."""

import math
import re
from typing import Any, NamedTuple

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_LIMIT = re.compile(rf"\s*(>=|<=|>|<)\s*({_NUMBER})\s*")
_BETWEEN = re.compile(rf"\s*({_NUMBER})\s+to\s+({_NUMBER})\s*")


class Cut(NamedTuple):
    """What is selected: values from `low` to `high`, in the endpoint's unit; one of them may be infinite."""

    low: float = -math.inf
    high: float = math.inf

    def selects(self, values: Any) -> Any:
        """Whether values are selected, bool of the same shape."""
        return (values >= self.low) & (values <= self.high)

    @property
    def limits(self) -> list[float]:
        """The finite ones."""
        return [limit for limit in self if math.isfinite(limit)]

    @property
    def text(self) -> str:
        """As params.yaml writes it."""
        if math.isinf(self.high):
            return f">= {self.low:g}"
        return f"<= {self.high:g}" if math.isinf(self.low) else f"{self.low:g} to {self.high:g}"


def parse_cut(text: str) -> Cut:
    """The cut that a text describes: ">= -4", "<= 2" or "-4 to -2"."""
    if found := _LIMIT.fullmatch(text):
        limit = float(found[2])
        return Cut(low=limit) if found[1].startswith(">") else Cut(high=limit)
    found = _BETWEEN.fullmatch(text)
    if found is None or not float(found[1]) < float(found[2]):
        raise ValueError(f"{text!r} is no cut-off; write '>= -4', '<= 2' or '-4 to -2'")
    return Cut(float(found[1]), float(found[2]))
