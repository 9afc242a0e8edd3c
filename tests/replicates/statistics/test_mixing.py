"""The average of families, where one of them does not take a molecule."""

import numpy as np
import pytest

from manywalks.replicates.statistics.mixing import Mixing, average, mix

ONE, OTHER = np.array([[1.0], [np.nan], [np.nan]]), np.array([[4.0], [5.0], [np.nan]])


@pytest.mark.parametrize("weights", [(0.25, 0.75), None])
def test_the_others_share_the_weight_of_a_family_that_has_nothing_to_say(weights: tuple | None) -> None:
    first = 0.25 * 1 + 0.75 * 4 if weights else 2.5
    np.testing.assert_allclose(average([ONE, OTHER], Mixing(weights=weights)), [[first], [5.0], [np.nan]])


def test_three_families_share_by_their_own_weights() -> None:
    found = average([ONE, OTHER, np.full((3, 1), 8.0)], Mixing(weights=(0.5, 0.4, 0.1)))
    np.testing.assert_allclose(found[1:, 0], [(0.4 * 5 + 0.1 * 8) / 0.5, 8.0])


@pytest.mark.parametrize("logits", [True, False])
def test_a_class_has_the_others_probability(logits: bool) -> None:
    found = mix([ONE, OTHER], [0], Mixing(logits, (0.5, 0.5)))
    np.testing.assert_allclose(found[1], 1 / (1 + np.exp(-5.0)))
