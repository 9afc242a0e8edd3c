"""What fitting the families' weights again would move, against ensembles whose weights were drawn."""

import re
from typing import Any

import numpy as np
import pytest
from scipy import special

from manywalks.evaluate.statement.weights_fitted import moved_by_refitting, weights_fitted
from manywalks.replicates.combine import MEAN, Combining

WEIGHTS = np.array([0.5, 0.3, 0.2])
ROOT = 0.01 * np.array([[1.0, 2.0], [1.0, -1.0], [-2.0, -1.0]])  # columns that sum to 0


def families(rng: np.random.Generator) -> list[np.ndarray]:
    """Replicates (5, 40) of three families."""
    return [rng.normal(size=40) + 0.1 * rng.normal(size=(5, 40)) for _ in WEIGHTS]


@pytest.mark.parametrize("logits", [False, True])
def test_it_is_the_difference_of_ensembles_with_drawn_weights(logits: bool) -> None:
    rng = np.random.default_rng(0)
    values = families(rng)
    given = [special.expit(one) for one in values] if logits else values
    told = moved_by_refitting(given, WEIGHTS, ROOT @ ROOT.T, Combining(logits=logits))
    squares = []
    for _ in range(4000):
        one, other = (WEIGHTS + ROOT @ rng.normal(size=2) for _ in range(2))
        mixes = [own @ np.stack([each.mean(axis=0) for each in values]) for own in (one, other)]
        if logits:
            mixes = [special.expit(mix) for mix in mixes]
        squares.append(np.mean((mixes[0] - mixes[1]) ** 2))
    assert told == pytest.approx(np.sqrt(np.mean(squares)), rel=0.05)


def test_molecules_that_a_family_does_not_take_are_left_out() -> None:
    values = families(np.random.default_rng(1))
    gap = [values[0], values[1], values[2].copy()]
    gap[2][:, :10] = np.nan
    rest = [one[:, 10:] for one in values]
    covariance = ROOT @ ROOT.T
    assert moved_by_refitting(gap, WEIGHTS, covariance, MEAN) == pytest.approx(
        moved_by_refitting(rest, WEIGHTS, covariance, MEAN)
    )


def entry(**changes: Any) -> dict[str, Any]:
    covariance = (ROOT @ ROOT.T).tolist()
    return {"luck": 0.4, "molecules": 90, "covariance": covariance, "why": None} | changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, r"with the same weights of the families\. Weights fitted again.* by about 0\.0\d+ nM\."),
        ({"luck": 1.0}, "which are the given ones: all that others would gain may be luck"),
        ({"why": "3 groups are too few"}, "have their given weights: 3 groups are too few"),
    ],
)
def test_the_sentence_says_what_was_done(changes: dict[str, Any], words: str) -> None:
    values = families(np.random.default_rng(2))
    found = weights_fitted(entry(**changes), values, WEIGHTS, MEAN, "nM")
    assert re.search(words, found["sentence"]), found["sentence"]
    none = np.zeros((3, 3)).tolist()
    assert "fitted again" not in weights_fitted(entry(covariance=none), values, WEIGHTS, MEAN, "")["sentence"]
