"""The largest series of the test rows: found by hand, scored as plain NumPy does."""

import numpy as np
import pandas as pd
import pytest

from manywalks.benchmark.rows import Rows
from manywalks.benchmark.series import series_scores, series_words

# pyridines are the series; toluene is no test row's, and chains have no scaffold at all
TRAIN = ["Cc1ccncc1", "Cc1ccccc1", "CCO", "CCCO"]
TEST = ["CCc1ccncc1", "Cc1cccnc1", "Cc1ccccn1", "CCCCO", "CCCCCO", "CCCCCCO", "CCCCCCCO"]


@pytest.fixture
def rows() -> Rows:
    subsets = np.array(["train"] * len(TRAIN) + ["test"] * len(TEST))
    observed = np.arange(len(TEST), dtype=float)[:, None]
    return Rows(pd.DataFrame({"smiles": TRAIN + TEST}), subsets, observed, np.zeros(len(TEST), bool), 0)


def test_the_series_and_the_others_have_their_own_scores(rows: Rows) -> None:
    predicted = rows.observed[:, 0] + np.array([1, 2, 3, 0.5, 0.5, 0.5, 0.5])
    found = series_scores(rows, [predicted], ["mae"])
    assert found == {"test": 3, "train": 1, "inside": [2.0], "outside": [0.5]}
    result = {"name": "a", "test": 7, "endpoints": {"y": {"metric": "mae"}}, "series": found}
    assert series_words(result) == (
        "a: 3 of 7 test molecules share one scaffold, which 1 training molecule has: mae 2.000 among them, "
        "0.500 for the others"
    )
    assert "scaffold, which no training molecule has: mae" in series_words(
        {**result, "series": {**found, "train": 0}}
    )


def test_no_series_is_told_of_where_it_is_small_or_without_a_score(rows: Rows) -> None:
    chains = rows.molecules["smiles"].str.contains("O")
    alone = rows._replace(
        molecules=rows.molecules[chains], subsets=rows.subsets[chains], observed=rows.observed[3:]
    )
    assert series_scores(alone, [alone.observed[:, 0]], ["mae"]) == {}
    classes = rows._replace(observed=np.ones_like(rows.observed))
    found = series_scores(classes, [rows.observed[:, 0]], ["auroc"])
    assert found["inside"] == [None]
    assert series_words({"endpoints": {"y": {"metric": "auroc"}}, "series": found}) == ""
