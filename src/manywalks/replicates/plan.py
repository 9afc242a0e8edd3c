"""Which replicates to train next, and how close the ensemble has to come."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from manywalks.params.load import Params
from manywalks.params.sections.model import ReplicatesParams
from manywalks.replicates.combine import combining_of
from manywalks.replicates.statistics.stopping import Stopping, next_count, projected_count, resolve_tolerance
from manywalks.replicates.store import Kept

# so many replicates may end as not finite before the settings, not the replicate, are to blame
DIVERGED_LIMIT = 8


class Plan(NamedTuple):
    """What a look at the replicates says.

    Attributes:
        missing: indices to train before the next look; empty when there are enough.
        used: indices that make the ensemble as far as they stand.
        expected: how many replicates it will take, as far as one can tell now.
    """

    missing: list[int]
    used: list[int]
    expected: int


def plan_next(kept: Sequence[Kept], tolerances: Sequence[float], params: Params) -> Plan:
    """Look at the replicates from the first on, as if each look had been taken when it came.

    So a run that was broken off, or that finds more than it needs, ends with the same replicates as
    an undisturbed one.

    Args:
        kept: replicates in any order, with any gaps.
        tolerances: (t,) in endpoint units.
        params: all parameters; `replicates` counts here.
    """
    by_index = {replicate.index: replicate for replicate in kept}
    asked = params.replicates
    unbroken = _unbroken(by_index)
    predictions = np.stack([replicate.predictions for replicate in unbroken]) if unbroken else None
    ways = [combining_of(endpoint.kind, params.ensemble) for endpoint in params.data.endpoints.values()]
    rule = Stopping(tolerances, asked.confidence, asked.min, asked.max, asked.count, ways)
    wanted = next_count(predictions, rule)
    attempts = _first(by_index, wanted)
    return Plan(attempts.missing, attempts.good, projected_count(predictions, rule))


def _unbroken(by_index: dict[int, Kept]) -> list[Kept]:
    """Replicates that did not diverge, in order, up to the first one that is not there."""
    found = []
    for index in range(len(by_index)):
        if index not in by_index:
            break
        if not by_index[index].diverged:
            found.append(by_index[index])
    return found


class _Attempts(NamedTuple):
    good: list[int]
    missing: list[int]


def _first(by_index: dict[int, Kept], count: int) -> _Attempts:
    """The first `count` replicates that did not diverge, and the indices still to be trained for it."""
    good: list[int] = []
    missing: list[int] = []
    diverged = index = 0
    while len(good) + len(missing) < count:
        replicate = by_index.get(index)
        if replicate is None:
            missing.append(index)
        elif replicate.diverged:
            diverged += 1
        else:
            good.append(index)
        index += 1
    if diverged > max(DIVERGED_LIMIT, len(good)):
        raise ValueError(
            f"train: {diverged} of {diverged + len(good)} replicates diverged; lower train.learning_rate"
        )
    return _Attempts(good, missing)


def tolerances_of(
    curated: pd.DataFrame, subsets: np.ndarray, card: dict[str, Any], params: Params
) -> list[float]:
    """The tolerance of each endpoint, in its unit: (t,). `card` is reports/data.json."""
    found = []
    for name, endpoint in params.data.endpoints.items():
        asked, key = params.replicates.tolerance, "replicates.tolerance"
        if endpoint.tolerance is not None:
            asked, key = endpoint.tolerance, f"data.endpoints.{name}.tolerance"
        sd, noise = observed_sd(curated, subsets, name), assay_noise(card, name)
        found.append(resolve_tolerance(asked, sd, noise.sd, key=key))
    return found


def observed_sd(curated: pd.DataFrame, subsets: np.ndarray, name: str) -> float:
    """Standard deviation of an endpoint over the train subset, in its unit."""
    return float(np.nanstd(curated.loc[subsets == "train", name].to_numpy(dtype=np.float64), ddof=1))


class AssayNoise(NamedTuple):
    """How far repeated measurements of a molecule scatter.

    Attributes:
        sd: pooled standard deviation, in the endpoint's unit; None without repeats.
        repeats: how many measurements there are beyond the first of each molecule.
    """

    sd: float | None
    repeats: int


def assay_noise(card: dict[str, Any], name: str) -> AssayNoise:
    """The noise that repeated measurements show.

    From the data card (reports/data.json): the curated table lacks the molecules that were rejected because
    their repeats are far apart, and counts bounds among the repeats.
    """
    found = card["endpoints"][name]["repeats"]
    return AssayNoise(found["noise_sd"], found["noise_freedom"])


def next_after(wanted: Sequence[int], there: Collection[int], asked: ReplicatesParams) -> list[int]:
    """Replicates that may be wanted after these, in order: up to the most that may be trained."""
    most = asked.count or asked.max
    return [index for index in range(max(wanted) + 1, most) if index not in there]


def packs(missing: Sequence[int], processes: int) -> list[list[int]]:
    """Deal the missing replicates to so many processes, as evenly as can be."""
    dealt = [list(missing[start::processes]) for start in range(processes)]
    return [pack for pack in dealt if pack]
