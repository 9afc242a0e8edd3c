"""Where walks part: which source brings spread, on a small problem."""

import dataclasses

import numpy as np
import pytest

from manywalks.tasks.sources import STUDIES, study_sources
from manywalks.tasks.targets import TargetStep, TargetTransform
from manywalks.tasks.walk import train_pack
from tests.problems import small_problem

NETWORK = {"widths": (16, 8), "dropout": 0.2}
TRAIN = {"epochs": 6, "batch_size": 32}
PLAIN = TargetTransform(tuple(TargetStep(name, "none") for name in ("a", "b")))


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, dict[str, float]]]:
    problem = small_problem(NETWORK, TRAIN)
    return study_sources(problem, PLAIN, ["a", "b"], count=6, entropy=11, threads=2)


def test_every_source_has_a_spread_within_its_interval(found: dict[str, dict[str, dict[str, float]]]) -> None:
    assert set(found["a"]) == set(STUDIES)
    for row in found["a"].values():
        assert 0 < row["low"] < row["spread"] < row["high"]


def test_rounding_moves_least_and_everything_together_is_the_whole(
    found: dict[str, dict[str, dict[str, float]]],
) -> None:
    for rows in found.values():
        assert rows["numerics"]["spread"] < rows["initial weights"]["spread"]
        assert rows["all"]["share"] == 1


def test_what_does_not_vary_gives_the_same_walk() -> None:
    problem = dataclasses.replace(small_problem(NETWORK, TRAIN), vary=())
    one, other = sorted(train_pack(problem, [3, 4], 11, threads=1))
    np.testing.assert_array_equal(one.predictions, other.predictions)
