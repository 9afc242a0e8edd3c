"""A table's rows for a benchmark: those to train on curated, the test rows as they are published.

Of the test rows none is merged or dropped but those that have no features (a structure that RDKit cannot
parse): each costs its own row, and they are counted.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from manywalks.benchmark.forms import Form, observed
from manywalks.data.curate import curate_table, standardize_smiles
from manywalks.features import Features
from manywalks.featurize.featurize import featurize_each
from manywalks.params.load import Params
from manywalks.params.sections.split import SplitParams
from manywalks.split.split import split_molecules

# seconds for one molecule: on a busy machine no published row may be lost to the limit of curation
LIMIT = 60.0


class Rows(NamedTuple):
    """What is trained on and what is scored, n molecules in all.

    Attributes:
        molecules: the curated table's columns; test rows come last and are unmeasured.
        subsets: (n,) of "train", "valid", "test".
        observed: (k, t) of the k test rows, NaN where not measured.
        cliff: bool (k,), whether a test row is an activity cliff; all false where the table does not say.
        rejected: how many records to train on curation rejected.
        unread: SMILES of the rows that have no features, train and test, as (subset, SMILES, why).
    """

    molecules: pd.DataFrame
    subsets: np.ndarray
    observed: np.ndarray
    cliff: np.ndarray
    rejected: int
    unread: tuple[tuple[str, str, str], ...] = ()


class Ready(NamedTuple):
    """Rows, and the raw features of all of them."""

    rows: Rows
    features: Features


def read_rows(frame: pd.DataFrame, form: Form, params: Params, cores: int) -> Rows:
    """Curate the rows to train on and put the test rows behind them, unmeasured."""
    is_test = (frame[form.split].astype(str).str.strip().str.lower() == "test").to_numpy()
    if not is_test.any() or is_test.all():
        raise ValueError(
            f"{params.data.path}: column {form.split} names no test row, or no other; tasks need both"
        )
    curated = curate_table(frame.iloc[np.flatnonzero(~is_test)].reset_index(drop=True), params)
    test = frame.iloc[np.flatnonzero(is_test)]
    standard = standardize_smiles(list(test[form.smiles]), params.curate, cores=cores)
    # a structure that curation would reject is still one of the published test rows
    smiles = [s.smiles or raw for s, raw in zip(standard, test[form.smiles], strict=True)]
    unmeasured = {"smiles": smiles}
    for name in form.endpoints:
        unmeasured |= {name: np.nan, f"{name}:weight": 0.0, f"{name}:relation": ""}
    behind = pd.DataFrame(unmeasured)
    known = curated.molecules
    molecules = pd.concat([known.loc[:, list(behind.columns)], behind], ignore_index=True)
    cliff = (test[form.cliff].astype(str) == "1") if form.cliff else pd.Series(False, index=test.index)
    return Rows(
        molecules,
        np.array([*_subsets_of(known, params), *["test"] * len(test)]),
        observed(test, form),
        cliff.to_numpy(dtype=bool),
        len(curated.rejected),
    )


def with_features(rows: Rows, params: Params, cores: int) -> Ready:
    """Featurize; rows without features leave, and are named."""
    smiles = list(rows.molecules["smiles"])
    features, failures = featurize_each(
        smiles,
        params.featurize.blocks,
        cores=cores,
        limit=max(LIMIT, params.curate.time_limit),
        always_workers=True,
    )
    kept = np.array([row for row in range(len(smiles)) if row not in failures], dtype=np.int64)
    tested = kept[rows.subsets[kept] == "test"] - (len(smiles) - len(rows.observed))
    unread = tuple((str(rows.subsets[row]), smiles[row], failures[row].detail) for row in sorted(failures))
    left = Rows(
        rows.molecules.iloc[kept].reset_index(drop=True),
        rows.subsets[kept],
        rows.observed[tested],
        rows.cliff[tested],
        rows.rejected,
        unread,
    )
    return Ready(left, features.take(kept))


def _subsets_of(known: pd.DataFrame, params: Params) -> list[str]:
    """Train, or valid for an eighth of the molecules by scaffold where training stops by it."""
    if params.train.early_stopping is None:
        return ["train"] * len(known)
    split = SplitParams.model_validate({"method": "scaffold", "test": 1 / 8, "valid": 0})
    return ["valid" if subset == "test" else "train" for subset in split_molecules(known, split)]
