"""Each replicate's own conformers: the features of the same molecules from other start coordinates.

The pipeline's replicates share one set of conformers (docs/decisions/0008-geometry.md); the study of sources
gives every replicate its own, drawn from its own stream, and so measures what one set hides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from manywalks.features import Features
from manywalks.featurize.featurize import featurize
from manywalks.params.sections.model import FeatureBlock

PREFIX = "conformer3d:"
# child of a replicate's seed sequence, after initial weights, order and dropout
_CHILD = 3


@dataclass(frozen=True)
class Geometry:
    """Scaled features by replicate, and how many molecules had no coordinates.

    Attributes:
        features: of each replicate, each family's scaled ones (n molecules), the same but for the conformers'
            columns.
        without: molecules without coordinates, by replicate; their columns hold the median of the training
            molecules, as any missing descriptor does.
    """

    features: tuple[tuple[Features, ...], ...]
    without: tuple[int, ...]


def has_conformers(features: Features) -> bool:
    """Whether raw features have columns that depend on start coordinates."""
    return any(name.startswith(PREFIX) for name in features.names)


def geometry_seed(entropy: int, index: int) -> int:
    """Seed of replicate `index`'s start coordinates, from its own stream: 0 to 2^31 - 1."""
    stream = np.random.SeedSequence(entropy, spawn_key=(index, _CHILD))
    return int(stream.generate_state(1)[0] >> 1)


def own_conformers(raw: Features, smiles: Sequence[str], seed: int, *, cores: int = 1) -> Features:
    """Raw features (n, d) with the conformers' columns computed anew from other start coordinates."""
    block = FeatureBlock(kind="conformer3d")
    fresh = featurize(smiles, [block], cores=cores, seed=seed)
    first = len(raw.names) - raw.dense.shape[1]
    places = [raw.names.index(name) - first for name in fresh.names]
    dense = raw.dense.copy()
    dense[:, places] = fresh.dense
    return Features(raw.counts, dense, raw.names)


def without_coordinates(raw: Features) -> int:
    """Molecules that no conformer could be embedded for."""
    first = len(raw.names) - raw.dense.shape[1]
    places = [place - first for place, name in enumerate(raw.names) if name.startswith(PREFIX)]
    return int(np.isnan(raw.dense[:, places]).all(axis=1).sum())


def geometries(
    raw: Features,
    smiles: Sequence[str],
    scale: Callable[[Features], tuple[Features, ...]],
    *,
    count: int,
    entropy: int,
    cores: int = 1,
    tell: Callable[[float, float, str], None] = lambda done, total, note: None,
) -> Geometry:
    """Conformers of `count` replicates; about 20 ms a molecule, replicate and core.

    Args:
        raw: features of the n molecules, as the pipeline has them.
        smiles: of the same molecules.
        scale: raw features -> each family's, scaled as for the pipeline's own features, so that a replicate
            differs by its geometry alone.
        count: replicates.
        entropy: of the study.
        cores: processes at most.
        tell: progress, in replicates.
    """
    features, without = [], []
    for index in range(count):
        own = own_conformers(raw, smiles, geometry_seed(entropy, index), cores=cores)
        features.append(scale(own))
        without.append(without_coordinates(own))
        tell(index + 1, count, "conformers")
    return Geometry(tuple(features), tuple(without))
