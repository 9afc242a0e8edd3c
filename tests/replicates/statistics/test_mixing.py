"""The average of families, where one of them does not take a molecule."""

import numpy as np
import pytest

from manywalks.replicates.statistics.mixing import Mixing, average, mix, shares_of

ONE, OTHER = np.array([[1.0], [np.nan], [np.nan]]), np.array([[4.0], [5.0], [np.nan]])


@pytest.mark.parametrize("weights", [(0.25, 0.75), None])
def test_the_others_share_the_weight_of_a_family_that_has_nothing_to_say(weights: tuple | None) -> None:
    first = 0.25 * 1 + 0.75 * 4 if weights else 2.5
    np.testing.assert_allclose(average([ONE, OTHER], Mixing(weights=weights)), [[first], [5.0], [np.nan]])


def test_each_endpoint_may_have_weights_of_its_own() -> None:
    one, other = np.arange(6.0).reshape(3, 2), 10 + np.arange(6.0).reshape(3, 2)
    how = Mixing(weights=((0.25, 1.0), (0.75, 0.0)))
    expected = np.stack([0.25 * one[:, 0] + 0.75 * other[:, 0], one[:, 1]], axis=1)
    np.testing.assert_allclose(average([one, other], how), expected)
    np.testing.assert_allclose(average([one[:, 1:], other[:, 1:]], how.at([1])), expected[:, 1:])
    other[2, 0] = np.nan
    expected[2, 0] = one[2, 0]
    np.testing.assert_allclose(average([one, other], how), expected)


def test_weights_become_shares() -> None:
    assert shares_of([2.0, 1.0, 1.0]) == (0.5, 0.25, 0.25)
    assert shares_of([[2.0, 1.0], [2.0, 3.0]]) == ((0.5, 0.25), (0.5, 0.75))


def test_three_families_share_by_their_own_weights() -> None:
    found = average([ONE, OTHER, np.full((3, 1), 8.0)], Mixing(weights=(0.5, 0.4, 0.1)))
    np.testing.assert_allclose(found[1:, 0], [(0.4 * 5 + 0.1 * 8) / 0.5, 8.0])


@pytest.mark.parametrize("logits", [True, False])
def test_a_class_has_the_others_probability(logits: bool) -> None:
    found = mix([ONE, OTHER], [0], Mixing(logits, (0.5, 0.5)))
    np.testing.assert_allclose(found[1], 1 / (1 + np.exp(-5.0)))
