"""What users get of an endpoint's replicates: prediction, spread, interval, bound and decision."""

import math
from typing import NamedTuple

import numpy as np

from manywalks.ensemble.intervals import probability_maps
from manywalks.ensemble.intervals.calibration import Calibration
from manywalks.params.sections.cut import Cut
from manywalks.replicates.combine import MEAN, Combining, as_means
from manywalks.replicates.statistics.bound import molecule_bounds
from manywalks.replicates.statistics.decisions import difference_error, flip_chances
from manywalks.replicates.statistics.list_sums import ListSums


class HandedOut(NamedTuple):
    """What users get of n molecules, on one scale: that of `Calibration.as_reported`.

    Attributes:
        predicted: (n,) in endpoint units, calibrated probabilities of a class.
        spread: (n,) standard deviation over the replicates.
        low, high: (n,) ends of the interval; of a class, the middle of the replicates' probabilities.
        bound: (n,) how far a retrained ensemble will be at most, at each molecule by itself.
        sums: what the molecules tell of a retrained ensemble over all of them.
        decision: (n,) 0 or 1; None where there is no cut-off.
        flip: (n,) share of single replicates that would decide otherwise; None likewise.
        flip_retrained: (n,) chance that a retrained ensemble would; None likewise.
    """

    predicted: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bound: np.ndarray
    sums: ListSums
    decision: np.ndarray | None = None
    flip: np.ndarray | None = None
    flip_retrained: np.ndarray | None = None

    def columns(self, name: str) -> dict[str, np.ndarray]:
        """The columns of the endpoint called `name`."""
        columns = {name: self.predicted, f"{name}:spread": self.spread}
        columns |= {f"{name}:low": self.low, f"{name}:high": self.high, f"{name}:bound": self.bound}
        if self.decision is not None and self.flip is not None and self.flip_retrained is not None:
            columns |= {f"{name}:decision": self.decision, f"{name}:flip": self.flip}
            columns[f"{name}:flip_retrained"] = self.flip_retrained
        return columns


class Settings(NamedTuple):
    """What `report_endpoint` goes by.

    Attributes:
        coverage: of the interval.
        cut: where decisions change (of a class: of the calibrated probability); None where there are none.
        confidence: of the bound.
        how: the way in which the replicates are made one.
    """

    coverage: float
    cut: Cut | None = None
    confidence: float = 0.95
    how: Combining = MEAN


def report_endpoint(
    calibration: Calibration,
    replicates: np.ndarray,
    mean: np.ndarray,
    asked: Settings,
    similarity: np.ndarray | None = None,
) -> HandedOut:
    """What users get, from replicates (m, n) and the ensemble's mean (n,) as the network gives them.

    `similarity` (n,) is that to the nearest training molecule: intervals are wider far from these.

    The bound of a class takes the calibration for given: a retrained ensemble has one of its own.
    """
    predicted, own = calibration.as_reported(mean), calibration.as_reported(replicates)
    m, mode, cut = len(replicates), asked.how.mode, asked.cut
    moved = as_means(replicates, asked.how)
    if calibration.kind == "classification":
        moved = calibration.as_reported(np.clip(moved, 0, 1))
        ends = probability_maps.replicate_range(own, asked.coverage)
    else:
        ends = calibration.interval(mean, replicates.std(axis=0, ddof=1), asked.coverage, similarity)
    # probabilities cannot differ by more than 1
    widest = 1.0 if calibration.kind == "classification" else math.inf
    bound = np.minimum(molecule_bounds(moved, asked.confidence, mode=mode), widest)
    sums = ListSums.of(moved, predicted, cut, mode)
    out = HandedOut(predicted, own.std(axis=0, ddof=1), *ends, bound, sums)
    if cut is None:
        return out
    decision = cut.selects(predicted)
    error = difference_error(moved.std(axis=0, ddof=1), m, mode)
    return out._replace(
        decision=decision.astype(np.int64),
        flip=(cut.selects(own) != decision).mean(axis=0),
        flip_retrained=flip_chances(predicted, error, cut, m),
    )
