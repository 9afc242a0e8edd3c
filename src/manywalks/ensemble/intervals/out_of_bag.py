"""What an ensemble is worth, told by the molecules that its replicates did not train on.

Where each replicate trains on its own draw, a training molecule is new to about a third of them, and those
make a smaller ensemble there: K of M replicates. Its errors are brought to what all M would have at a
molecule that is new to all of them.
"""

from typing import NamedTuple

import numpy as np

from manywalks.replicates.combine import Combining, combine, location_variance

# of fewer replicates there is no spread
LEAST = 2


class LeftOut(NamedTuple):
    """n molecules as the replicates that did not train on them see them; NaN where fewer than two are.

    Attributes:
        mean: of the smaller ensemble (n,), in endpoint units.
        spread: of its replicates (n,).
        count: how many they are (n,).
        whole: how many there are in all.
    """

    mean: np.ndarray
    spread: np.ndarray
    count: np.ndarray
    whole: int

    @property
    def known(self) -> np.ndarray:
        """Where there are enough of them: bool (n,)."""
        return self.count >= LEAST


def left_out(replicates: np.ndarray, how: Combining) -> LeftOut:
    """The smaller ensembles of (m, n) replicates, NaN where a replicate trained on the molecule."""
    out = np.isfinite(replicates)
    number = out.sum(axis=0)
    mean, spread = np.full(number.shape, np.nan), np.full(number.shape, np.nan)
    for k in np.unique(number[number >= LEAST]):
        own = np.flatnonzero(number == k)
        # molecule by molecule, so many replicates each
        values = replicates[:, own].T[out[:, own].T].reshape(len(own), k).T
        mean[own], spread[own] = combine(values, how), values.std(axis=0, ddof=1)
    return LeftOut(mean, spread, number, len(replicates))


def excess(left: LeftOut, how: Combining) -> np.ndarray:
    """How much larger the variance of K replicates' mean is than that of all: (k,) at the known molecules.

    By E[MSE_K] = MSE_inf + V / K, with the mean variance V of a replicate over the molecules; a median or
    trimmed mean has another factor than 1 / K.
    """
    sizes, own = np.unique(left.count[left.known], return_inverse=True)
    factors = np.array([location_variance(how.mode, int(k)) for k in sizes])
    typical = float(np.mean(left.spread[left.known] ** 2))
    return typical * (factors - location_variance(how.mode, left.whole))[own]


def as_whole_errors(errors: np.ndarray, extra: np.ndarray) -> np.ndarray:
    """Errors (k,) of smaller ensembles, as those of the whole one: NaN where not measured.

    Args:
        errors: of the predictions, in endpoint units.
        extra: `excess`, of the same molecules.
    """
    seen = np.isfinite(errors)
    if not seen.any():
        return errors
    whole = float(np.mean(errors[seen] ** 2 - extra[seen]))
    # by chance the few molecules at hand may seem to have no error at all but that of the small number
    whole = max(whole, 0.1 * float(np.mean(errors[seen] ** 2)))
    return errors * np.sqrt(whole / (whole + extra)) if whole > 0 else errors


def as_whole_probabilities(probability: np.ndarray, extra: np.ndarray) -> np.ndarray:
    """Probabilities (k,) of smaller ensembles, as far from their mean as the whole one's would be."""
    middle = float(probability.mean())
    between = float(np.mean((probability - middle) ** 2 - extra))
    between = max(between, 0.1 * float(np.var(probability)))
    shrink = between / (between + extra) if between > 0 else np.ones(len(probability))
    return middle + (probability - middle) * shrink


class Whole(NamedTuple):
    """What the whole ensemble would say of the k molecules that enough replicates did not train on.

    Attributes:
        places: which of the n they are (k,).
        mean: its predictions (k,), in endpoint units: with errors as small as its ones.
        spread: of the replicates (k,).
    """

    places: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def as_whole(replicates: np.ndarray, observed: np.ndarray, kind: str, how: Combining) -> Whole:
    """What M replicates would say of molecules, from those of them (m, n) that did not train on each.

    Args:
        replicates: (m, n), NaN where a replicate trained on the molecule.
        observed: (n,), NaN where not measured.
        kind: "regression" or "classification".
        how: the replicates are made one.
    """
    left = left_out(replicates, how)
    places = np.flatnonzero(left.known)
    mean, spread = left.mean[places], left.spread[places]
    if (left.count == left.whole).all() or not places.size:
        return Whole(places, mean, spread)
    extra = excess(left, how)
    if kind == "classification":
        return Whole(places, as_whole_probabilities(mean, extra), spread)
    errors = as_whole_errors(mean - observed[places], extra)
    return Whole(places, np.where(np.isfinite(errors), observed[places] + errors, mean), spread)
