"""Each endpoint's weights of the families, from what the networks of the folds predict."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, special

from manywalks.formatting import count
from manywalks.params.load import Params
from manywalks.params.sections.families import families_of
from manywalks.replicates.family_weights.folds import Folds
from manywalks.replicates.family_weights.shrinkage import FEWEST_GROUPS, luck, slope
from manywalks.replicates.family_weights.solver import Loss, Unseen, fit
from manywalks.replicates.statistics.mixing import Mixing, Share
from manywalks.train.prepare import out_of_sample
from manywalks.train.targets import Targets, TargetTransform


class Fitted(NamedTuple):
    """One endpoint's weights of f families.

    Attributes:
        weights: (f,), that are used.
        unshrunk: (f,), with the lowest loss out of fold.
        luck: the share of the given weights in `weights`.
        molecules: how many told.
        covariance: (f, f) of `weights`, from retraining the networks of the folds.
        why: the given weights are used; None where they were fitted.
    """

    weights: np.ndarray
    unshrunk: np.ndarray
    luck: float
    molecules: int
    covariance: np.ndarray
    why: str | None = None


class Heard(NamedTuple):
    """What one replicate of a fold predicts.

    Attributes:
        index: of the replicate.
        families: of each family (k, t) at `out_of_sample` of its fold, in endpoint units, logits of classes;
            None where the family's network diverged.
    """

    index: int
    families: Sequence[np.ndarray | None]


class How(NamedTuple):
    """Columns of the endpoints that are classes, and whether those are averaged as logits."""

    classes: list[int]
    logits: bool

    @classmethod
    def of(cls, params: Params) -> "How":
        """As the parameters ask."""
        kinds = [endpoint.kind for endpoint in params.data.endpoints.values()]
        classes = [column for column, kind in enumerate(kinds) if kind == "classification"]
        return cls(classes, params.ensemble.class_average == "logit")


def out_of_fold(heard: Iterable[Heard], folds: Folds, shape: tuple[int, int, int], how: How) -> np.ndarray:
    """Each replicate of the folds at the molecules that it had not seen: (each, f, n, t), NaN elsewhere.

    The first replicate of every fold comes first; classes are probabilities, or logits where those are
    averaged.

    Args:
        heard: all replicates.
        folds: that they belong to.
        shape: f, n, t.
        how: classes are averaged.
    """
    found = np.full((folds.each, *shape), np.nan)
    for one in heard:
        subsets = folds.subsets[folds.fold_of(one.index)]
        rows = out_of_sample(subsets)
        tested = subsets[rows] == "test"
        for place, predictions in enumerate(one.families):
            if predictions is None:
                continue
            values = predictions[tested].astype(np.float64)
            if not how.logits:
                values[:, how.classes] = special.expit(values[:, how.classes])
            found[one.index % folds.each, place, rows[tested]] = values
    return found


def given_weights(params: Params) -> np.ndarray:
    """The families' own weights as shares (f,)."""
    weights = np.array([family.weight for family in families_of(params)])
    return weights / weights.sum()


def fit_all(
    predictions: np.ndarray, curated: pd.DataFrame, folds: Folds, groups: np.ndarray, params: Params
) -> list[Fitted]:
    """The weights of all t endpoints, in their order.

    Args:
        predictions: (each, f, n, t), as `out_of_fold` gives them.
        curated: the curated table, n rows, of which those of the folds are looked at.
        folds: of the train subset.
        groups: int (n,).
        params: all parameters.
    """
    train = np.flatnonzero((folds.subsets != "").any(axis=0))
    if not len(train):
        given = given_weights(params)
        why = "the training molecules are too few, or of too few groups or times, for folds"
        return [_as_given(given, 0, why) for _ in params.data.endpoints]
    table = curated.iloc[train]
    transform = TargetTransform.fit(table, params)
    seen = predictions[:, :, train]
    for column, step in enumerate(transform.steps):
        if step.kind != "class":
            seen[..., column] = step.forward(seen[..., column])
    place, targets = folds.place_of(train), transform.targets(table)
    return [
        _fit_one(seen[..., t], place, targets, t, groups=groups[train], params=params)
        for t in range(seen.shape[3])
    ]


def _fit_one(
    replicates: np.ndarray,
    place: np.ndarray,
    targets: Targets,
    column: int,
    *,
    groups: np.ndarray,
    params: Params,
) -> Fitted:
    """One endpoint's weights from predictions (each, f, n) of molecules whose folds are `place` (n,)."""
    given, whole = given_weights(params), _mean(replicates)
    told = np.isfinite(whole).all(axis=0) & (targets.weights[:, column] > 0)
    loss: Loss = "huber" if params.train.loss == "huber" else "mse"
    if targets.classes[column]:
        loss = "logit" if params.ensemble.class_average == "logit" else "probability"
    unseen = Unseen(
        whole[:, told],
        targets.values[told, column].astype(np.float64),
        targets.weights[told, column].astype(np.float64),
        targets.censored[told, column].astype(np.float64),
        groups[told],
        loss,
    )
    molecules, number = int(told.sum()), len(np.unique(groups[told]))
    if number < FEWEST_GROUPS:
        return _as_given(
            given,
            molecules,
            f"{count(molecules, 'training molecule')} in {count(number, 'group')} are too few (it takes "
            f"{FEWEST_GROUPS} groups)",
        )
    halves = [unseen._replace(families=half) for half in half_samples(replicates[:, :, told], place[told])]
    of_networks = np.atleast_2d(np.cov([slope(half, given) for half in halves], rowvar=False, ddof=0))
    best, share = fit(unseen, given), luck(unseen, given, of_networks)
    drawn = [_drawn(half, given, of_networks) for half in halves]
    return Fitted(
        share * given + (1 - share) * best, best, share, molecules, np.cov(drawn, rowvar=False, ddof=0)
    )


def _drawn(unseen: Unseen, given: np.ndarray, of_networks: np.ndarray) -> np.ndarray:
    """Weights (f,) that are fitted and drawn back to the given ones."""
    share = luck(unseen, given, of_networks)
    return share * given + (1 - share) * fit(unseen, given)


def _as_given(given: np.ndarray, molecules: int, why: str) -> Fitted:
    """The given weights, and why there are no others."""
    return Fitted(given, given, 1.0, molecules, np.zeros((len(given), len(given))), why)


def _mean(replicates: np.ndarray) -> np.ndarray:
    """The mean over the first axis of what is not NaN; NaN where all is."""
    there = np.isfinite(replicates)
    total, number = np.where(there, replicates, 0.0).sum(axis=0), there.sum(axis=0)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def half_samples(replicates: np.ndarray, place: np.ndarray) -> list[np.ndarray]:
    """Predictions (f, n) by one of the two networks of each fold and family, in balanced choices.

    Their means vary as the mean of both networks does by chance (balanced half-samples, McCarthy 1969): of
    each two strata, folds times families, the four choices are equally frequent.

    Args:
        replicates: (2, f, n), NaN where a network diverged: the other one takes its place.
        place: the fold of each molecule, int (n,).
    """
    families, number = replicates.shape[1], int(place.max()) + 1
    size = 2 ** math.ceil(math.log2(number * families + 1))
    # the first column of a Hadamard matrix is constant
    choices = (linalg.hadamard(size)[:, 1 : 1 + number * families] < 0).reshape(size, number, families)
    found = []
    for chosen in choices:
        second = chosen[place].T
        half = np.where(second, replicates[1], replicates[0])
        found.append(np.where(np.isfinite(half), half, np.where(second, replicates[0], replicates[1])))
    return found


def mixing_of(fitted: Sequence[Fitted], params: Params) -> Mixing:
    """How families are averaged with these weights, an endpoint each."""
    by_family: list[Share] = [
        tuple(float(weight) for weight in own) for own in zip(*(one.weights for one in fitted), strict=True)
    ]
    return Mixing(params.ensemble.class_average == "logit", tuple(by_family))


def as_json(fitted: Sequence[Fitted], params: Params) -> dict[str, Any]:
    """By endpoint, what weights.json and the manifest say."""
    names = [family.name for family in families_of(params)]
    return {
        endpoint: {
            "weights": dict(zip(names, one.weights.tolist(), strict=True)),
            "given": dict(zip(names, given_weights(params).tolist(), strict=True)),
            "unshrunk": dict(zip(names, one.unshrunk.tolist(), strict=True)),
            "luck": one.luck,
            "covariance": one.covariance.tolist(),
            "molecules": one.molecules,
            "why": one.why,
        }
        for endpoint, one in zip(params.data.endpoints, fitted, strict=True)
    }
