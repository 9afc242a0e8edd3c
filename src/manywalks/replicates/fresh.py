"""Replicates that are trained in this process and not kept: for benchmarks, comparisons and studies."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from manywalks.replicates.draws import Draws, on_draw
from manywalks.replicates.statistics.mixing import EVENLY, Mixing, mix
from manywalks.train.engines import train_pack
from manywalks.train.prepare import Groups, Prepared
from manywalks.train.problem import Pack, Replicate

Follow = Callable[[float], None]


class FreshReplicate(NamedTuple):
    """One training of each family, and their average prediction (n_predict, t) in endpoint units."""

    index: int
    parts: tuple[Replicate, ...]
    predictions: np.ndarray

    @property
    def diverged(self) -> bool:
        """Whether one of its trainings did."""
        return any(part.diverged for part in self.parts)

    @property
    def parameters(self) -> int:
        """How many numbers its networks hold; 0 where it diverged."""
        return sum(weight.size for part in self.parts for weight in part.weights)


def fresh_replicates(
    prepared: Sequence[Prepared],
    indices: Sequence[int],
    entropy: int,
    *,
    mixing: Mixing = EVENLY,
    threads: int = 1,
    follow: Follow = lambda done: None,
    groups: Groups | None = None,
) -> Iterator[FreshReplicate]:
    """Train the replicates `indices`, family after family; each is given as its last family's training ends.

    Args:
        prepared: each family's problem.
        indices: which replicates.
        entropy: what their streams are spawned from.
        mixing: how families are averaged.
        threads: of the engine.
        follow: called with how many replicates' worth of training is done.
        groups: with them, each replicate trains on its own bootstrap draw of these (`replicates.rows`).
    """
    if groups is not None:
        draws = Draws(entropy, bootstrap=True)
        for before, index in enumerate(indices):
            yield from fresh_replicates(
                [on_draw(one, groups, draws, index) for one in prepared],
                [index],
                entropy,
                mixing=mixing,
                threads=threads,
                follow=lambda done, before=before: follow(before + done),
            )
        return
    former: dict[int, list[Replicate]] = {index: [] for index in indices}
    done = 0
    for family in prepared:
        for trained in train_pack(Pack(family.problem, indices, entropy, threads=threads)):
            done += 1
            follow(done / len(prepared))
            parts = former[trained.index]
            parts.append(trained)
            if len(parts) == len(prepared):
                yield _together(prepared, parts, mixing)


def _together(prepared: Sequence[Prepared], parts: list[Replicate], mixing: Mixing) -> FreshReplicate:
    """The replicate that these trainings make."""
    values = [family.values(part.predictions) for family, part in zip(prepared, parts, strict=True)]
    predictions = mix(values, prepared[0].transform.classes, mixing)
    return FreshReplicate(parts[0].index, tuple(parts), predictions)
