"""Time and memory beside replicates, where networks of several sizes are compared."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manywalks.compare.folds import FoldPredictions, FoldStore, load_fold_predictions, save_fold_predictions
from manywalks.compare.report.words import costs
from tests.conftest import run


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


def in_a_process(text: str) -> int:
    """What a Python program prints, a number of MiB."""
    begin = "from manywalks.runtime.resources import forget_peak, peak_bytes\n"
    done = run([sys.executable, "-c", f"{begin}{text}\nprint(peak_bytes() // 2**20)"])
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says how much a process has taken")
def test_memory_is_that_of_the_process_and_not_of_the_one_that_started_it() -> None:
    large = np.ones(2**26)  # 512 MiB
    assert in_a_process("") < 256
    assert large.sum() == 2**26


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says how much a process has taken")
def test_memory_that_a_process_took_before_does_not_count() -> None:
    take = "taken = bytearray(b'1') * 2**29; "
    assert in_a_process(f"{take}pass") > 512
    assert in_a_process(f"{take}del taken; forget_peak()") < 256
