"""Where the replicates part: each source of randomness varied alone, and all together."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import special

from manywalks.features import Features
from manywalks.replicates.draws import Draws, on_draw
from manywalks.replicates.fresh import fresh_replicates
from manywalks.replicates.statistics.mixing import EVENLY, Mixing
from manywalks.replicates.statistics.spectrum import covariance_moments
from manywalks.reproduce.geometry import Geometry
from manywalks.train.prepare import Groups, Prepared
from manywalks.train.streams import SOURCES

GEOMETRY, ROWS = "geometry", "own draw of the molecules"
STUDIES: dict[str, tuple[str, ...]] = {
    "initial weights": ("weights",),
    "data order": ("order",),
    "dropout": ("dropout",),
    "numerics": ("numerics",),
    GEOMETRY: (),
    ROWS: (),
    "all": SOURCES,
}
Tell = Callable[[float, float, str], None]


@dataclass(frozen=True)
class StudyDesign:
    """How the replicates of a study are trained.

    Attributes:
        count: replicates a source.
        entropy: that their streams are spawned from.
        threads: of the engine.
        geometry: each replicate's own conformers; None where no feature depends on coordinates.
        mixing: how families are averaged.
        groups: that each replicate draws its own molecules from; None where all train on all.
    """

    count: int
    entropy: int
    threads: int
    geometry: Geometry | None = None
    mixing: Mixing = EVENLY
    groups: Groups | None = None

    @property
    def studies(self) -> dict[str, tuple[str, ...]]:
        """What varies in each study, by its name."""
        there = {GEOMETRY: self.geometry is not None, ROWS: self.groups is not None}
        return {name: vary for name, vary in STUDIES.items() if there.get(name, True)}


def study_sources(
    prepared: Sequence[Prepared],
    names: list[str],
    design: StudyDesign,
    *,
    tell: Tell = lambda done, total, note: None,
) -> dict[str, Any]:
    """Spread of replicates, by endpoint and source.

    "numerics" moves one initial weight by 1e-7 and nothing else: what the same seed on another machine,
    or with another number of threads, does to a replicate. "geometry" gives each replicate conformers of its
    own and nothing else, `ROWS` molecules of its own; "all" varies them too where there are any.

    Returns:
        {"endpoints": {endpoint: {source: {"spread", "low", "high" (95 % interval), "share" (of the variance
        of all), "share_low", "share_high"}}}, "same_seed": {endpoint: see `_same_seed`}}.
    """
    seen: dict[str, np.ndarray] = {}
    total = len(design.studies) * design.count + 2
    for place, (study, vary) in enumerate(design.studies.items()):

        def follow(done: float, study: str = study, before: int = place * design.count) -> None:
            tell(before + done, total, study)

        packs = _packs(_varying(prepared, vary), design, study)
        seen[study] = train_packs(packs, design, follow)
    again = _twice(prepared, design)
    tell(total, total, "same seed")
    return {
        "endpoints": {
            name: {study: _spread(cube[:, :, t], seen["all"][:, :, t]) for study, cube in seen.items()}
            for t, name in enumerate(names)
        },
        "same_seed": {
            name: _same_seed(again[:, :, t], seen["numerics"][:, :, t]) for t, name in enumerate(names)
        },
    }


def _varying(prepared: Sequence[Prepared], vary: tuple[str, ...]) -> list[Prepared]:
    """The same problems with fewer sources of randomness."""
    return [one._replace(problem=dataclasses.replace(one.problem, vary=vary)) for one in prepared]


_Packs = list[tuple[list[Prepared], list[int]]]


class Training(Protocol):
    """What a study's design says of each training."""

    @property
    def entropy(self) -> int:
        """That the streams are spawned from."""
        ...

    @property
    def mixing(self) -> Mixing:
        """How families are averaged."""
        ...

    @property
    def threads(self) -> int:
        """Of the engine."""
        ...


def _packs(prepared: list[Prepared], design: StudyDesign, study: str) -> _Packs:
    """Problems, and which replicates train on each: all, or one with features or molecules of its own."""
    geometry = design.geometry if study in (GEOMETRY, "all") else None
    groups = design.groups if study in (ROWS, "all") else None
    if geometry is None and groups is None:
        return [(prepared, list(range(design.count)))]
    packs, draws = [], Draws(design.entropy, bootstrap=True)
    for index in range(design.count):
        each = prepared
        if geometry is not None:
            each = _with_features(each, geometry.features[index])
        if groups is not None:
            each = [on_draw(one, groups, draws, index) for one in each]
        packs.append((each, [index]))
    return packs


def train_packs(
    packs: Iterable[tuple[Sequence[Prepared], Sequence[int]]],
    design: Training,
    follow: Callable[[float], None],
) -> np.ndarray:
    """Predictions (m, n, t) in endpoint units, by the replicates' numbers.

    Args:
        packs: problems, and which replicates train on each.
        design: what all trainings have in common.
        follow: called with how many replicates are done.
    """
    found = {}
    for each, indices in packs:
        before = len(found)
        made = fresh_replicates(
            each,
            indices,
            design.entropy,
            mixing=design.mixing,
            threads=design.threads,
            follow=lambda done, before=before: follow(before + done),
        )
        for replicate in made:
            if replicate.diverged:
                raise ValueError(f"train: replicate {replicate.index} diverged; lower train.learning_rate")
            found[replicate.index] = replicate.predictions
    return np.stack([found[index] for index in sorted(found)])


def _with_features(prepared: Sequence[Prepared], features: Sequence[Features]) -> list[Prepared]:
    """The same problems with other scaled features, each family's own."""
    return [
        one._replace(problem=dataclasses.replace(one.problem, features=scaled))
        for one, scaled in zip(prepared, features, strict=True)
    ]


def _twice(prepared: Sequence[Prepared], design: StudyDesign) -> np.ndarray:
    """The same replicate on this machine twice, with one thread and with all: (2, n, t)."""
    same = _varying(prepared, ())
    runs = [
        next(fresh_replicates(same, [0], design.entropy, mixing=design.mixing, threads=threads))
        for threads in (1, design.threads)
    ]
    return np.stack([run.predictions for run in runs])


def _same_seed(again: np.ndarray, elsewhere: np.ndarray) -> dict[str, float]:
    """How far two runs with the same seed part, in the endpoint's unit.

    Args:
        again: (2, n) the same replicate twice on this machine.
        elsewhere: (m, n) replicates that differ by rounding alone.

    Returns:
        {"here": root mean square over molecules, "elsewhere": the same, expected of two such replicates,
        "low", "high": its 95 % interval, "largest": at the molecule where they part most, mean over pairs}.
    """
    spread = _spread(elsewhere, elsewhere)
    pairs = itertools.combinations(elsewhere.astype(np.float64), 2)
    root = math.sqrt(2)
    return {
        "here": math.sqrt(np.mean((again[0].astype(np.float64) - again[1]) ** 2)),
        "elsewhere": root * spread["spread"],
        "low": root * spread["low"],
        "high": root * spread["high"],
        "largest": float(np.mean([np.abs(one - other).max() for one, other in pairs])),
    }


def _spread(replicates: np.ndarray, everything: np.ndarray) -> dict[str, float]:
    """Root mean square spread of (m, n) replicates with its 95 % interval, and its share of all variance.

    The interval is the chi-square one with (m - 1) nu degrees of freedom, nu the number of directions in
    which these replicates part; that of the share is the F distribution's. Shares need not add
    up: what one source does to a replicate depends on the others.
    """
    found, whole = (
        covariance_moments(replicates.astype(np.float64)),
        covariance_moments(everything.astype(np.float64)),
    )
    freedom, of_whole = ((len(each) - 1) / m.theta for each, m in ((replicates, found), (everything, whole)))
    low, high = (freedom / special.chdtri(freedom, p) for p in (0.025, 0.975))
    share = found.variance / whole.variance if whole.variance else 0.0
    least, most = (share / special.fdtri(freedom, of_whole, level) for level in (0.975, 0.025))
    same = replicates is everything
    return {
        "spread": math.sqrt(found.variance),
        "low": math.sqrt(found.variance * low),
        "high": math.sqrt(found.variance * high),
        "share": share,
        "share_low": share if same else float(least),
        "share_high": share if same else float(most),
    }
