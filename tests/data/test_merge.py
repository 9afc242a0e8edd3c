"""Repeats become one value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from manywalks.data.merge import MergeRule, merge_classes, merge_repeats, noise_of


def merge(records, how: MergeRule = "median", n=None):
    """records: (molecule, value, relation[, weight])"""
    molecule = np.array([r[0] for r in records])
    value = np.array([r[1] for r in records], dtype=float)
    relation = np.array([r[2] for r in records], dtype=object)
    weight = np.array([r[3] if len(r) > 3 else 1.0 for r in records])
    return merge_repeats(molecule, value, relation, weight, n or molecule.max() + 1, how=how)


def one(values, how: MergeRule = "median", weights=None):
    """Merge cells such as 5, '>7' of one molecule; a second one gives the assay's noise of 0.5."""
    records = []
    for i, cell in enumerate(values):
        text = str(cell)
        sign = text[0] if text[0] in "<>" else "="
        records.append((0, float(text.lstrip("<>")), sign, weights[i] if weights else 1.0))
    merged = merge([*records, (1, 0.0, "="), (1, 0.5 * np.sqrt(2), "=")], how)
    return merged.value[0], merged.relation[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5, 6, 9], (6, "=")),
        ([">7"], (7, ">")),
        ([">7", ">8"], (8, ">")),
        (["<3", "<2"], (2, "<")),
        ([5, 6, ">7"], (6, "=")),
        ([5, ">7"], (6, ">")),
        ([5, 6, ">3"], (5.5, "=")),
        ([5, "<8"], (5, "=")),
        ([5, "<4"], (4.5, "<")),
        ([">2", "<4"], (3, "=")),
    ],
)
def test_median_with_bounds(values, expected):
    value, relation = one(values)
    assert (value, relation) == (pytest.approx(expected[0]), expected[1])


def test_contradicting_bounds_are_a_conflict():
    merged = merge([(0, 7, ">"), (0, 5, "<")])
    assert merged.conflict[0]
    assert np.isnan(merged.value[0])
    assert (merged.relation[0], merged.weight[0], merged.repeats[0]) == ("", 0, 2)


def test_mean_uses_weights():
    assert one([1, 4], "mean", [2, 1])[0] == pytest.approx(2)


@given(
    st.lists(st.floats(3, 9), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(3, 9), st.sampled_from("<>")), min_size=1, max_size=4),
)
def test_censored_mean_is_the_most_likely_one(exact, bounds):
    cells = [*exact, *[f"{sign}{value}" for value, sign in bounds]]
    merged = merge([(0, float(str(c).lstrip("<>")), str(c)[0] if str(c)[0] in "<>" else "=") for c in cells]
                   + [(1, 0.0, "="), (1, 0.5 * np.sqrt(2), "=")], "tobit")  # fmt: skip
    noise = noise_of(merged).sd

    def surprise(mean):
        total = -stats.norm.logpdf(exact, mean, noise).sum()
        for value, sign in bounds:
            z = (mean - value) / noise
            total -= stats.norm.logcdf(z if sign == ">" else -z)
        return total

    best = optimize.minimize_scalar(surprise, bounds=(0, 12), method="bounded", options={"xatol": 1e-9})
    if noise > 0.05:
        assert surprise(merged.value[0]) <= best.fun + 1e-6
        assert merged.relation[0] == "="


def test_a_bound_that_is_met_hardly_moves_the_censored_mean():
    assert one([5, 5, ">1"], "tobit")[0] == pytest.approx(5, abs=1e-6)
    assert one([5, 5, ">5"], "tobit")[0] > 5


def test_noise_is_the_pooled_standard_deviation():
    rng = np.random.default_rng(1)
    molecule = np.repeat(np.arange(3000), 3)
    value = rng.normal(size=3000)[molecule] + 0.3 * rng.normal(size=9000)
    merged = merge(list(zip(molecule, value, ["="] * 9000, strict=True)))
    assert noise_of(merged).sd == pytest.approx(0.3, rel=0.05)
    assert noise_of(merged).freedom == 6000
    slow = np.sqrt(np.mean([np.var(value[molecule == m], ddof=1) for m in range(3000)]))
    assert noise_of(merged).sd == pytest.approx(slow)


def test_no_repeats_no_noise():
    noise = noise_of(merge([(0, 1.0, "="), (1, 2.0, "=")]))
    assert np.isnan(noise.sd)
    assert noise.freedom == 0


@given(st.randoms(use_true_random=False), st.sampled_from(["median", "mean", "tobit"]))
def test_order_of_records_does_not_matter_to_the_bit(random, how):
    records = [(i % 4, 0.1 * random.randrange(1, 90), random.choice("==<>"), 1.0) for i in range(16)]
    shuffled = random.sample(records, len(records))
    first, second = merge(records, how, 4), merge(shuffled, how, 4)
    for one_column, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one_column, other)


def test_unmeasured_molecules_stay_empty():
    merged = merge([(0, 1.0, "="), (1, np.nan, "=")], n=3)
    assert np.isnan(merged.value[1:]).all()
    assert list(merged.relation) == ["=", "", ""]
    assert list(merged.repeats) == [1, 0, 0]


def test_classes_by_majority():
    merged = merge_classes(
        np.array([0, 0, 0, 1, 1, 2, 3]), np.array([1, 1, 0, 1, 0, 0, np.nan]), np.ones(7), 4
    )
    np.testing.assert_array_equal(merged.value, [1, np.nan, 0, np.nan])
    assert list(merged.relation) == ["=", "", "=", ""]
    assert list(merged.conflict) == [False, True, False, False]
    assert merged.sd[0] == pytest.approx(np.std([1, 1, 0], ddof=1))
