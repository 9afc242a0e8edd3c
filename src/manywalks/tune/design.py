"""How a search is made: how many trials, for how long, and what each step of a trial trains."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from manywalks.tune.front import COSTS

# replicates on each split of a search: their scores are projected to infinitely many. The molecules of a
# split add more to a gain's error than its replicates do (on one split of Caco-2 it is 0.0132 with 4
# replicates and 0.0141 with 2), so two replicates on twice as many splits tell more than four
FEW = 2
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Rung(NamedTuple):
    """What a trial is judged by: so many splits, so many replicates on each."""

    splits: int
    replicates: int


@dataclass(frozen=True)
class Design:
    """What a search is asked for.

    Attributes:
        trials: so many, those of former runs of the same search among them.
        seconds: for search and verdict together; None for no limit.
        replicates: of the winner and of the present settings, on every fresh fold.
        metric: the score that decides; None for rmse or auroc.
        threshold: the smallest gain that matters, in the metric's unit (a share, if there are several
            endpoints); None for a hundredth of the present score.
        cost: what else decides, of `front.COSTS`; None for the score alone.
    """

    trials: int = 60
    seconds: float | None = None
    replicates: int = 8
    metric: str | None = None
    threshold: float | None = None
    cost: str | None = None

    def __post_init__(self) -> None:
        """Refuse what nothing could be said from."""
        if self.trials < 1:
            raise ValueError(f"--trials {self.trials}: is too few; give 1 or more")
        if self.replicates < 2:
            raise ValueError(
                f"--replicates {self.replicates}: is too few to see how much they differ; give 2 or more"
            )
        if self.threshold is not None and not self.threshold > 0:
            raise ValueError(f"--threshold {self.threshold:g}: must be above 0; leave it out for 1 %")
        if self.cost is not None and self.cost not in COSTS:
            raise ValueError(f"--cost {self.cost}: is unknown; give {' or '.join(COSTS)}")


def rungs_of(folds: int, splits: int) -> tuple[Rung, ...]:
    """Two splits first, then every fold once, then all splits."""
    return tuple(Rung(count, FEW) for count in dict.fromkeys((min(2, splits), folds, splits)))


def seconds_of(text: str) -> float:
    """ "30m" -> 1800; "90s", "1.5h" and "1h30m" are read too, and nothing without a unit."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if not parts or "".join(a + b for a, b in parts) != text.strip():
        raise ValueError(f"--time {text}: is no time with a unit; write it as 90s, 30m, 2h or 1h30m")
    found = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not found > 0:
        raise ValueError(f"--time {text}: is too short; give more than 0")
    return found


def time_text(seconds: float) -> str:
    """1800 -> "30m", 5400 -> "1h30m", as --time reads it; at least a second."""
    left, parts = max(1, round(seconds)), list[str]()
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        number, left = divmod(left, size)
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts)
