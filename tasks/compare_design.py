"""How a comparison is made: splits, walks, what decides; and the pieces that processes train."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class Design:
    """How a comparison is made.

    Attributes:
        repeats, folds: of the k-fold.
        replicates: walks of every configuration on every split.
        metric: the score that decides; None for rmse or auroc.
        threshold: practical threshold in the metric's unit; None for the tolerance.
        stop: whether configurations that are worse beyond doubt get no more walks.
    """

    repeats: int = 5
    folds: int = 5
    replicates: int = 8
    metric: str | None = None
    threshold: float | None = None
    stop: bool = True

    def __post_init__(self) -> None:
        """Refuse what nothing could be said from."""
        if self.replicates < 2:
            raise ValueError(f"--replicates {self.replicates}: is too few to see a spread; take 4 or more")
        if self.repeats < 1 or self.folds < 2:
            raise ValueError(
                f"--repeats {self.repeats} --folds {self.folds}: will not do; take at least 1 and 2"
            )
        if self.threshold is not None and not self.threshold > 0:
            raise ValueError(
                f"--threshold {self.threshold:g}: is not above 0; leave it out to take the tolerance"
            )


class Share(NamedTuple):
    """What one process trains: one configuration's walks on some of the splits."""

    shelf: Path
    ground: Path
    splits: Path
    numbers: list[int]
    count: int

    @property
    def arguments(self) -> list[str]:
        """The step's arguments."""
        numbers = ",".join(map(str, self.numbers))
        return ["compare", str(self.shelf), str(self.ground), str(self.splits), numbers, str(self.count)]
