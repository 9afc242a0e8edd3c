"""Where the walks part: each source of randomness varied alone, and all together."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from manywalks.tasks.bound import moments
from manywalks.tasks.streams import SOURCES
from manywalks.tasks.targets import TargetTransform
from manywalks.tasks.walk import Problem, train_pack

STUDIES: dict[str, tuple[str, ...]] = {
    "initial weights": ("weights",),
    "data order": ("order",),
    "dropout": ("dropout",),
    "numerics": ("numerics",),
    "all": SOURCES,
}


def study_sources(
    problem: Problem,
    transform: TargetTransform,
    names: list[str],
    *,
    count: int,
    entropy: int,
    threads: int,
    tell: Callable[[float, float, str], None] = lambda done, total, note: None,
) -> dict[str, Any]:
    """Spread of `count` walks, by endpoint and source.

    "numerics" moves one initial weight by 1e-7 and nothing else: what the same seed on another machine,
    or with another number of threads, does to a walk.

    Returns:
        {endpoint: {source: {"spread", "low", "high" (95 % interval), "share" (of the variance of all)}}}.
    """
    seen: dict[str, np.ndarray] = {}
    for place, (study, vary) in enumerate(STUDIES.items()):
        varied = dataclasses.replace(problem, vary=vary)
        walks = {}
        for walk in train_pack(varied, range(count), entropy, threads=threads):
            walks[walk.index] = transform.inverse(walk.predictions)
            tell(place * count + len(walks), len(STUDIES) * count, study)
        seen[study] = np.stack([walks[index] for index in sorted(walks)])
    return {
        name: {study: _spread(cube[:, :, column], seen["all"][:, :, column]) for study, cube in seen.items()}
        for column, name in enumerate(names)
    }


def _spread(walks: np.ndarray, everything: np.ndarray) -> dict[str, float]:
    """Root mean square spread of (m, n) walks with its 95 % interval, and its share of all variance.

    The interval is the chi-square one with (m - 1) nu degrees of freedom, nu the number of directions in
    which these walks part.
    """
    found, whole = moments(walks.astype(np.float64)), moments(everything.astype(np.float64))
    freedom = (len(walks) - 1) / found.theta
    low, high = (freedom / stats.chi2.ppf(level, freedom) for level in (0.975, 0.025))
    return {
        "spread": math.sqrt(found.variance),
        "low": math.sqrt(found.variance * low),
        "high": math.sqrt(found.variance * high),
        "share": found.variance / whole.variance if whole.variance else 0.0,
    }
