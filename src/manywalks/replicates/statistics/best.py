"""The best molecules of a list: which of them a retrained ensemble would have among its best, too.

The differences of a retrained ensemble to this one have, at all molecules together, Student's t distribution
with M - 1 degrees of freedom and the covariance of the replicates, times 2/M. Such differences are drawn and
added to this ensemble's predictions, and the best molecules of each draw are counted. Molecules that move
together keep their order. Only molecules near enough to the best ones are kept while a list is read.
"""

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from manywalks import files
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.replicates.combine import Mode, location_variance

DRAWS = 2000
# beside the best, so many more for each of them, and so many in any case, that come within reach of them
_BESIDE, _ALWAYS = 4, 200
# how far up a molecule is thought to come, in standard deviations of the difference to a retrained ensemble
_REACH = 3.0
# numbers of one block of draws, 32 MB
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Candidates:
    """Molecules of a list that are, or may become, its best ones; of one endpoint with m replicates.

    Attributes:
        smiles: str (c,), each molecule once.
        centre: (c,) the ensemble's predictions.
        deviation: float32 (m, c), the replicates' from their mean.
    """

    smiles: np.ndarray
    centre: np.ndarray
    deviation: np.ndarray

    def take(self, places: np.ndarray) -> "Candidates":
        """Some of them."""
        return Candidates(self.smiles[places], self.centre[places], self.deviation[:, places])


NOBODY = Candidates(np.empty(0, np.str_), np.empty(0), np.empty((2, 0), np.float32))


class Best(NamedTuple):
    """What is said of the best molecules of a list.

    Attributes:
        smiles: str (c,) of the candidates, the best first.
        size: so many of them are the best ones.
        chance: (c,) chance that each is among the best ones of a retrained ensemble.
        expected: how many of the best ones a retrained ensemble will replace, on average.
        most: how many it will replace at most, with the confidence.
    """

    smiles: np.ndarray
    size: int
    chance: np.ndarray
    expected: float
    most: int


def candidates_of(
    smiles: Iterable[str],
    centre: np.ndarray,
    moved: np.ndarray,
    wanted: EndpointParams,
    size: int,
    mode: Mode = "mean",
) -> Candidates:
    """The molecules that may be among the best `size` of any list that holds these n.

    Args:
        smiles: of n molecules, no two alike.
        centre: (n,) the ensemble's predictions.
        moved: (m, n) replicates whose mean moves as the ensemble does (`combine.as_means`).
        wanted: says which values are the best ones.
        size: how many best ones are asked for.
        mode: how the replicates are combined.
    """
    deviation = (moved - moved.mean(axis=0)).astype(np.float32)
    every = Candidates(np.array(list(smiles), dtype=np.str_), np.asarray(centre, np.float64), deviation)
    return _nearest(every, wanted, size, mode)


def joined(
    one: Candidates, other: Candidates, wanted: EndpointParams, size: int, mode: Mode = "mean"
) -> Candidates:
    """The candidates of two parts of a list together."""
    other = other.take(np.flatnonzero(~np.isin(other.smiles, one.smiles)))
    both = Candidates(
        np.concatenate([one.smiles, other.smiles]),
        np.concatenate([one.centre, other.centre]),
        np.concatenate([one.deviation, other.deviation], axis=1),
    )
    return _nearest(both, wanted, size, mode)


def _nearest(every: Candidates, wanted: EndpointParams, size: int, mode: Mode) -> Candidates:
    """The best ones, and those that a retrained ensemble is most likely to put among them."""
    beside = _BESIDE * size + _ALWAYS
    if len(every.centre) <= size + beside:
        return every
    good = wanted.desirability(every.centre)
    # no prediction becomes better by more than it moves
    reach = good + _REACH * _error(every.deviation, mode)
    kept = np.zeros(len(good), dtype=bool)
    kept[np.argsort(-good, kind="stable")[:size]] = True
    kept[np.argsort(-reach, kind="stable")[:beside]] = True
    return every.take(np.flatnonzero(kept))


def best_of(
    found: Candidates,
    wanted: EndpointParams,
    size: int,
    confidence: float,
    rng: np.random.Generator,
    *,
    mode: Mode = "mean",
) -> Best:
    """How the best `size` molecules of a list would change with a retrained ensemble.

    Args:
        found: the list's candidates.
        wanted: says which values are the best ones.
        size: how many best ones are asked for; all where the list has fewer.
        confidence: of the number that is replaced at most.
        rng: draws the differences to retrained ensembles.
        mode: how the replicates are combined.
    """
    found = found.take(np.argsort(-wanted.desirability(found.centre), kind="stable"))
    n = len(found.centre)
    size = min(size, n)
    if size == n:
        return Best(found.smiles, size, np.ones(n), 0.0, 0)
    among = np.zeros(n)
    replaced = []
    for difference in _differences(found.deviation, mode, rng):
        good = wanted.desirability(found.centre + difference)
        places = np.argpartition(-good, size - 1, axis=1)[:, :size]
        among += np.bincount(places.ravel(), minlength=n)
        replaced.append(np.sum(places >= size, axis=1))
    counts = np.concatenate(replaced)
    most = int(np.quantile(counts, confidence, method="higher"))
    return Best(found.smiles, size, among / DRAWS, float(counts.mean()), most)


def _differences(deviation: np.ndarray, mode: Mode, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Differences of retrained ensembles from this one at c molecules, in blocks (b, c) of `DRAWS` in all."""
    m, c = deviation.shape
    scale = math.sqrt(2 * location_variance(mode, m))
    rows = max(1, min(DRAWS, _BLOCK // c))
    for start in range(0, DRAWS, rows):
        count = min(rows, DRAWS - start)
        z = rng.standard_normal((count, m)) / np.sqrt(rng.chisquare(m - 1, (count, 1)))
        yield scale * (z @ deviation.astype(np.float64))


def _error(deviation: np.ndarray, mode: Mode) -> np.ndarray:
    """Standard deviation (c,) of the difference to a retrained ensemble."""
    m = len(deviation)
    return np.sqrt(
        2 * location_variance(mode, m) * np.sum(deviation.astype(np.float64) ** 2, axis=0) / (m - 1)
    )


def to_bytes(parts: tuple[Candidates, ...]) -> bytes:
    """The candidates of t endpoints, to be kept beside the predictions that they belong to."""
    arrays = {
        f"{number}_{name}": values for number, one in enumerate(parts) for name, values in vars(one).items()
    }
    return files.npz_bytes(arrays)


def from_bytes(content: bytes) -> tuple[Candidates, ...]:
    """What `to_bytes` kept."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return tuple(
            Candidates(*(arrays[f"{number}_{name}"] for name in Candidates.__annotations__))
            for number in range(len(arrays.files) // 3)
        )
