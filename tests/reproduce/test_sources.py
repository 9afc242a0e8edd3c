"""Where replicates part: which source brings spread, on a small problem."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from manywalks.params.sections.model import TransformParams
from manywalks.replicates.draws import Draws, on_draw
from manywalks.replicates.fresh import fresh_replicates
from manywalks.reproduce.geometry import Geometry
from manywalks.reproduce.sources import ROWS, STUDIES, StudyDesign, study_sources
from manywalks.train.engines import train_pack
from manywalks.train.prepare import Groups, Prepared
from manywalks.train.problem import Pack, Problem
from manywalks.train.scaling import FeatureScaler
from manywalks.train.streams import SOURCES
from manywalks.train.targets import TargetStep, TargetTransform
from tests.support.problems import small_problem

NETWORK = {"widths": (16, 8), "dropout": 0.2}
TRAIN = {"epochs": 6, "batch_size": 32}
PLAIN = TargetTransform(tuple(TargetStep(name, "none") for name in ("a", "b")))
COUNT = 6


def alone(problem: Problem) -> Prepared:
    """The only family, without scaling."""
    raw = problem.features
    return Prepared(problem, FeatureScaler.fit(raw, TransformParams()), PLAIN)


def bent(problem: Problem, shift: float) -> Geometry:
    """Replicates whose descriptors differ by noise of that size, as those of other conformers do."""
    rng = np.random.default_rng(3)
    features = problem.features
    own = tuple(
        dataclasses.replace(
            features,
            dense=(features.dense + rng.normal(0, shift, features.dense.shape)).astype(np.float32),
        )
        for _ in range(COUNT)
    )
    return Geometry(tuple((one,) for one in own), (0,) * COUNT)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    problem = small_problem(NETWORK, TRAIN)
    return study_sources([alone(problem)], ["a", "b"], StudyDesign(COUNT, 11, 2, bent(problem, 0.2)))


def test_every_source_has_a_spread_and_a_share_within_their_intervals(found: dict[str, Any]) -> None:
    assert list(found["endpoints"]["a"]) == [name for name in STUDIES if name != ROWS]
    for row in found["endpoints"]["a"].values():
        assert 0 < row["low"] < row["spread"] < row["high"]
        assert row["share_low"] <= row["share"] <= row["share_high"]


def test_rounding_moves_least_and_everything_together_is_the_whole(found: dict[str, Any]) -> None:
    for rows in found["endpoints"].values():
        assert rows["numerics"]["spread"] < rows["initial weights"]["spread"]
        assert rows["numerics"]["spread"] < rows["geometry"]["spread"]
        assert rows["all"]["share"] == 1


def test_the_same_seed_agrees_here_and_parts_elsewhere(found: dict[str, Any]) -> None:
    for name, one in found["same_seed"].items():
        assert one["here"] == 0
        assert 0 < one["low"] < one["elsewhere"] < one["high"]
        assert one["elsewhere"] == pytest.approx(2**0.5 * found["endpoints"][name]["numerics"]["spread"])
        assert one["largest"] > one["elsewhere"]


def test_features_that_do_not_differ_are_no_source() -> None:
    problem = small_problem(NETWORK, TRAIN)
    rows = study_sources([alone(problem)], ["a", "b"], StudyDesign(COUNT, 11, 2, bent(problem, 0.0)))[
        "endpoints"
    ]
    assert rows["a"]["geometry"]["spread"] == 0
    assert rows["a"]["geometry"]["share"] == 0


def test_without_conformers_geometry_is_no_row() -> None:
    rows = study_sources([alone(small_problem(NETWORK, TRAIN))], ["a", "b"], StudyDesign(4, 11, 2))[
        "endpoints"
    ]
    assert list(rows["b"]) == [name for name in STUDIES if name not in ("geometry", ROWS)]


def test_what_each_replicate_draws_is_a_source_of_its_own_and_part_of_all() -> None:
    problem = small_problem(NETWORK, TRAIN)
    groups, draws = Groups(np.arange(len(problem.targets.values)), problem.train), Draws(11, bootstrap=True)
    design = StudyDesign(4, 11, 1, groups=groups)
    rows = study_sources([alone(problem)], ["a", "b"], design)["endpoints"]["a"]
    for study, vary in ((ROWS, ()), ("all", SOURCES)):
        still = alone(dataclasses.replace(problem, vary=vary))
        made = [next(fresh_replicates([on_draw(still, groups, draws, k)], [k], 11)) for k in range(4)]
        variance = np.stack([one.predictions[:, 0] for one in made]).var(axis=0, ddof=1).mean()
        assert rows[study]["spread"] == pytest.approx(np.sqrt(variance), rel=1e-5)


def test_what_does_not_vary_gives_the_same_replicate() -> None:
    problem = dataclasses.replace(small_problem(NETWORK, TRAIN), vary=())
    one, other = sorted(train_pack(Pack(problem, [3, 4], 11, threads=1)))
    np.testing.assert_array_equal(one.predictions, other.predictions)
