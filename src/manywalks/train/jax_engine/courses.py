"""How the replicates of a pack fare while they train on the device: best epoch, end, divergence."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from manywalks.train.problem import Problem

Tell = Callable[[int, int], None]


@dataclass
class Course:
    """How replicate `index` fares: its lowest valid loss so far, and when it ended (0 while it runs)."""

    index: int
    best_loss: float = math.inf
    best_epoch: int = 0
    ended: int = 0
    diverged: bool = False

    def note(self, epoch: int, loss: float, valid_loss: float, patience: float) -> bool:
        """Take an epoch's losses down, if it still ran; whether it was the best so far."""
        if self.ended:
            return False
        better = valid_loss < self.best_loss
        if better:
            self.best_loss, self.best_epoch = valid_loss, epoch
        self.diverged = not math.isfinite(loss + valid_loss)
        if self.diverged or epoch - self.best_epoch >= patience:
            self.ended = epoch
        return better


class Courses:
    """Those of a pack's replicates, in order; `tell` hears (replicate, epoch) as long as it runs."""

    def __init__(self, problem: Problem, indices: Sequence[int], tell: Tell) -> None:
        self._all = [Course(index) for index in indices]
        self._last = problem.epochs
        self._patience = problem.train_params.early_stopping or math.inf
        self._tell = tell

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Course]:
        return iter(self._all)

    @property
    def ended(self) -> bool:
        """Whether none runs any longer."""
        return all(course.ended for course in self._all)

    def note(self, epoch: int, losses: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
        """Take an epoch's losses down and tell of it; which of the m places were better than ever.

        Args:
            epoch: which, from 1 on.
            losses: of the train rows, one a place (m,); the places behind the pack's replicates are spare.
            valid: of the valid rows (m,); without them each epoch is better than the one before.
        """
        better = np.zeros(len(losses), bool)
        for k, course in enumerate(self._all):
            if not course.ended:
                self._tell(course.index, epoch)
            valid_loss = -epoch if valid is None else float(valid[k])
            better[k] = course.note(epoch, float(losses[k]), valid_loss, self._patience)
            if epoch == self._last and not course.ended:
                course.ended = epoch
        return better
