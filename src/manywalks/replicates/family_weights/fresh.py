"""Weights of families fitted in this process, nothing kept: for benchmarks, comparisons and studies."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from manywalks.features import Features
from manywalks.params.load import Params
from manywalks.params.sections.families import families_of
from manywalks.replicates.family_weights.drawing import draw_folds
from manywalks.replicates.family_weights.folds import Folds
from manywalks.replicates.family_weights.kept import are_fitted
from manywalks.replicates.family_weights.problem import prepare_fold
from manywalks.replicates.family_weights.weights import Heard, How, fit_all, mixing_of, out_of_fold
from manywalks.replicates.fresh import fresh_replicates
from manywalks.replicates.statistics.mixing import Mixing

# the groups of the molecules (n,): asked for only where weights are fitted, since working them out takes time
GroupsOf = Callable[[], np.ndarray]


def mixing_for(
    curated: pd.DataFrame,
    features: Features,
    subsets: np.ndarray,
    params: Params,
    groups: GroupsOf,
    *,
    entropy: int,
    threads: int = 1,
) -> Mixing:
    """How the families are averaged on this split: as given, or fitted inside its train subset.

    Args:
        curated: the curated table, n rows.
        features: raw ones of the same rows.
        subsets: str (n,), "train", "valid", "test", or "" where left out.
        params: all parameters.
        groups: gives the groups of the n molecules that belong together.
        entropy: what the networks' streams are spawned from.
        threads: of the engine.
    """
    if not are_fitted(params):
        return Mixing.of(params)
    together = groups()
    folds = draw_folds(curated, subsets, together, params)
    predictions = unseen_predictions(curated, features, folds, params, entropy=entropy, threads=threads)
    return mixing_of(fit_all(predictions, curated, folds, together, params), params)


def unseen_predictions(
    curated: pd.DataFrame,
    features: Features,
    folds: Folds,
    params: Params,
    *,
    entropy: int,
    threads: int = 1,
) -> np.ndarray:
    """What networks predict of the molecules of their fold, which they have not seen: as `out_of_fold`."""
    families = families_of(params)
    heard = []
    for number in range(len(folds.subsets)):
        prepared = [prepare_fold(curated, features, folds, number, family) for family in families]
        indices = [index for index in folds.indices if folds.fold_of(index) == number]
        for one in fresh_replicates(prepared, indices, entropy, threads=threads):
            values = [
                None if part.diverged else family.values(part.predictions)
                for family, part in zip(prepared, one.parts, strict=True)
            ]
            heard.append(Heard(one.index, values))
    shape = (len(families), len(curated), len(params.data.endpoints))
    return out_of_fold(heard, folds, shape, How.of(params))
