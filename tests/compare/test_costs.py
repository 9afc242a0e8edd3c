"""Time and memory beside replicates, where networks of several sizes are compared."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manywalks.compare.folds import FoldPredictions, FoldStore, load_fold_predictions, save_fold_predictions
from manywalks.compare.report.words import costs


def case(seconds: float | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Three sizes."""
    names = ("a", "b", "c")
    scores = [{"name": name, "replicates_needed": 12 if name != "c" else None} for name in names]
    sizes = [{"parameters": 10**n, "seconds": seconds, "memory": 2**28} for n in (3, 4, 5)]
    return {"scores": scores}, sizes


def test_all_replicates_take_as_long_as_each_of_them() -> None:
    rows = costs(*case(1.5))
    assert rows[0] == ["a", "1,000", "1.5", "12", "18", "256"]
    assert rows[2][3:5] == ["–", "–"]


def test_nothing_is_said_of_times_that_were_not_kept() -> None:
    assert costs(*case(None)) == []


def test_networks_of_one_size_have_no_table() -> None:
    endpoint, sizes = case(1.5)
    assert costs(endpoint, [{**one, "parameters": 10} for one in sizes]) == []


def test_time_and_memory_are_kept_with_the_replicates(tmp_path: Path) -> None:
    store = FoldStore(tmp_path)
    save_fold_predictions(
        store, "0" * 16, FoldPredictions(np.ones((2, 3, 1), np.float32), [0, 1], 0, 7, 2.5, 99)
    )
    found = load_fold_predictions(store, "0" * 16)
    assert (found.seconds, found.memory) == pytest.approx((2.5, 99))
