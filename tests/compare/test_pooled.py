"""Differences of two configurations whose predictions of all folds are scored together."""

import numpy as np
import pandas as pd
import pytest
import yaml

from manywalks.compare import pooled
from manywalks.compare.pooled import (
    MOST_BLOCKS,
    Parts,
    add_tested,
    blocks_of,
    covariance,
    difference_of,
    interval,
)
from manywalks.compare.scores import Scores, criteria_of
from manywalks.evaluate.infinite import closed_form
from manywalks.evaluate.scores import spearman
from manywalks.params.load import parse_params

FOLDS = 10


def scores_of(observed: np.ndarray, metric: str, kind: str = "regression") -> Scores:
    """Nothing scored yet."""
    unit = "kind: classification" if kind == "classification" else "unit: M"
    params = parse_params(yaml.safe_load(f"data: {{path: t.csv, endpoints: {{y: {{{unit}}}}}}}"))
    (endpoint,) = params.data.endpoints.values()
    terms = criteria_of("y", endpoint, params, tolerance=1.0, metric=metric, threshold=None)
    return Scores.of(terms, pd.DataFrame({"y": observed, "y:relation": "="}))


def predicted(
    rng: np.random.Generator, observed: np.ndarray, *, errors: tuple[float, float] = (0.5, 0.8), m: int = 8
) -> pooled.Tested:
    """Two configurations with errors of these sizes, a fifth of which is the replicates' own."""
    n = len(observed)
    fixed = np.stack([observed + size * rng.normal(size=n) for size in errors])
    replicates = fixed[:, None] + 0.2 * rng.normal(size=(2, m, n))
    return pooled.Tested(np.arange(n), np.arange(n) % FOLDS, np.arange(n), replicates[..., None], 1e9)


def found(scores: Scores, one: pooled.Tested) -> pooled.Difference:
    """The difference with a 95 % interval."""
    add_tested([scores], one)
    return difference_of([scores], one, [0], scales=[1.0], confidence=0.95)


def test_the_jackknife_of_a_mean_is_its_variance() -> None:
    x = np.random.default_rng(0).normal(size=60)
    variance, freedom = covariance(lambda keep: x[keep].mean(), lambda keep: x[keep].mean(), np.arange(60))
    assert variance == pytest.approx(x.var(ddof=1) / 60)
    assert freedom == 59


def test_the_jackknife_of_blocks_of_unequal_size_is_near_the_variance_of_the_mean() -> None:
    """Blocks of 1 to 5 values that share a part: 400 draws of the mean say how much it varies."""
    rng = np.random.default_rng(1)
    blocks = np.repeat(np.arange(60), rng.integers(1, 6, 60))
    draws = rng.normal(size=(400, 60))[:, blocks] + rng.normal(size=(400, len(blocks)))
    truth = draws.mean(axis=1).var()
    guesses = [
        covariance(lambda keep, x=x: x[keep].mean(), lambda keep, x=x: x[keep].mean(), blocks)[0]
        for x in draws[:40]
    ]
    assert np.mean(guesses) == pytest.approx(truth, rel=0.15)


def test_blocks_hold_whole_groups_of_one_fold_and_are_not_too_many() -> None:
    rng = np.random.default_rng(2)
    groups = rng.integers(0, 700, 2000)
    folds = groups % FOLDS
    blocks = blocks_of(groups, folds)
    frame = pd.DataFrame({"group": groups, "fold": folds, "block": blocks})
    assert frame.groupby("group").block.nunique().max() == 1
    assert frame.groupby("block").fold.nunique().max() == 1
    assert len(set(blocks)) == MOST_BLOCKS
    assert len(set(blocks_of(np.arange(50), np.arange(50) % FOLDS))) == 50


def test_the_difference_is_that_of_the_scores_of_all_molecules_at_infinitely_many_replicates() -> None:
    rng = np.random.default_rng(3)
    observed = rng.normal(size=120)
    one = predicted(rng, observed)
    slow = [closed_form(own[:, :, 0], observed, root=True)[0] for own in one.predictions]
    assert found(scores_of(observed, "rmse"), one).difference == pytest.approx(slow[1] - slow[0])


def test_equal_predictions_differ_by_nothing_for_sure() -> None:
    rng = np.random.default_rng(4)
    observed = rng.normal(size=120)
    one = predicted(rng, observed)
    same = one._replace(predictions=np.stack([one.predictions[0]] * 2))
    got = found(scores_of(observed, "spearman"), same)
    assert got.difference == 0
    assert got.parts.molecules == 0
    assert got.p == 1


def test_the_part_of_the_molecules_is_what_other_molecules_would_give() -> None:
    """Spearman of other molecules, with so many replicates that these do not matter."""
    rng = np.random.default_rng(5)

    def drawn() -> tuple[np.ndarray, pooled.Tested]:
        observed = rng.normal(size=150)
        return observed, predicted(rng, observed, m=40)

    guesses = [
        found(scores_of(y, "spearman"), one).parts.molecules for y, one in (drawn() for _ in range(10))
    ]
    gaps = []
    for y, one in (drawn() for _ in range(600)):
        ensembles = one.predictions[..., 0].mean(axis=1)
        gaps.append(spearman(y, ensembles[0]) - spearman(y, ensembles[1]))  # pyright: ignore
    assert np.mean(guesses) == pytest.approx(np.var(gaps), rel=0.2)


def test_the_part_of_the_replicates_is_what_other_replicates_would_give() -> None:
    """Replicates of a fold move its molecules together; too large moves would make the jackknife cautious."""
    rng = np.random.default_rng(6)
    observed = rng.normal(size=150)
    fixed = np.stack([observed + 0.5 * rng.normal(size=150) for _ in range(2)])
    folds, slopes = np.arange(150) % FOLDS, rng.normal(size=150)

    def drawn() -> np.ndarray:
        together = rng.normal(size=(2, 8, FOLDS))[:, :, folds] * slopes
        return fixed[:, None] + 0.2 * together + 0.1 * rng.normal(size=(2, 8, 150))

    def made(replicates: np.ndarray) -> pooled.Tested:
        return pooled.Tested(np.arange(150), folds, np.arange(150), replicates[..., None], 1e9)

    guesses = [found(scores_of(observed, "rmse"), made(drawn())).parts.replicates for _ in range(20)]
    gaps = [found_gap(drawn(), observed) for _ in range(400)]
    assert np.mean(guesses) == pytest.approx(np.var(gaps), rel=0.25)


def found_gap(replicates: np.ndarray, observed: np.ndarray) -> float:
    """The difference in RMSE of two ensembles."""
    rmse = np.sqrt(np.mean((replicates.mean(axis=1) - observed) ** 2, axis=1))
    return float(rmse[1] - rmse[0])


def test_what_folds_train_on_widens_the_interval() -> None:
    rng = np.random.default_rng(7)
    observed = rng.normal(size=120)
    wide = predicted(rng, observed)._replace(train=300.0)
    got = found(scores_of(observed, "mae"), wide)
    assert got.parts.training == pytest.approx(1.5 * 120 / 300 * got.parts.molecules)
    assert got.error**2 == pytest.approx(sum(got.parts))


def test_molecules_without_a_value_take_no_part() -> None:
    rng = np.random.default_rng(8)
    observed = rng.normal(size=150)
    one = predicted(rng, observed)
    measured = one._replace(
        rows=one.rows[:120], folds=one.folds[:120], groups=one.groups[:120],
        predictions=one.predictions[:, :, :120],
    )  # fmt: skip
    some = np.where(np.arange(150) < 120, observed, np.nan)
    a, b = found(scores_of(observed, "mae"), measured), found(scores_of(some, "mae"), one)
    assert a.difference == pytest.approx(b.difference)
    assert a.error == pytest.approx(b.error, rel=0.15)


def test_a_class_of_few_molecules_is_never_left_out_whole() -> None:
    rng = np.random.default_rng(9)
    observed = np.zeros(3000)
    observed[:FOLDS] = 1.0  # one in each fold
    logits = observed + rng.normal(size=(2, 4, 3000))
    one = pooled.Tested(np.arange(3000), np.arange(3000) % FOLDS, np.arange(3000), logits[..., None], 1e4)
    got = found(scores_of(observed, "auroc", "classification"), one)
    assert got.low < got.difference < got.high


def test_an_interval_from_few_replicates_has_few_degrees_of_freedom() -> None:
    many = interval(0.1, Parts(1e-4, 0.0, 1e-12), (100.0, 3.0), 0.95)
    few = interval(0.1, Parts(1e-12, 0.0, 1e-4), (100.0, 3.0), 0.95)
    assert many.high - many.difference == pytest.approx(1.984 * 0.01, rel=1e-3)
    assert few.high - few.difference == pytest.approx(3.182 * 0.01, rel=1e-3)


def test_endpoints_count_by_their_scales_and_share_the_luck_of_molecules() -> None:
    rng = np.random.default_rng(10)
    observed = rng.normal(size=150)
    one = predicted(rng, observed)
    twice = one._replace(predictions=np.repeat(one.predictions, 2, axis=3))
    alone = found(scores_of(observed, "mae"), one)
    both = [scores_of(observed, "mae"), scores_of(observed, "mae")]
    add_tested(both, twice)
    joint = difference_of(both, twice, [0, 1], scales=[1.0, 2.0], confidence=0.95)
    assert joint.difference == pytest.approx(0.75 * alone.difference)
    assert joint.error == pytest.approx(0.75 * alone.error, rel=1e-3)
