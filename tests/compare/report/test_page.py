"""The page of a comparison."""

import itertools

import numpy as np
import pandas as pd
import pytest

from manywalks.compare.report.figures import spread_out
from manywalks.compare.report.page import page, shown_setting
from manywalks.compare.report.words import first_lines
from manywalks.compare.scores import Scores, criteria_of, judge
from manywalks.params.load import parse_params


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({"b": "equivalent", "c": "equivalent"}, ["All are equivalent: "]),
        ({"b": "undecided", "c": "undecided"}, ["Undecided: a has the best RMSE (nM), but not surely."]),
        ({"b": "worse", "c": "equivalent"}, ["a has the best", "Equivalent to it", "Worse: b."]),
        ({"b": "worse", "c": "worse"}, ["a has the best RMSE (nM).", "Worse: b, c."]),
    ],
)
def test_the_first_lines_say_what_the_verdicts_say(verdicts: dict[str, str], said: list[str]) -> None:
    endpoint = {
        "metric": "rmse",
        "unit": "nM",
        "higher_is_better": False,
        "threshold": 0.1,
        "scores": [{"name": name, "infinite": place} for place, name in enumerate("abc")],
        "pairs": [
            {"one": name, "other": "a", "difference": -1.0, "low": -2.0, "high": 0.0, "verdict": verdict}
            for name, verdict in verdicts.items()
        ],
    }
    lines = first_lines(endpoint)
    assert len(lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([16, 8], [16, 8]),
        ([], "none"),
        ([{"kind": "rdkit2d"}, {"kind": "function", "name": "mine"}], "rdkit2d; mine"),
        ([{"name": "a", "blocks": ["erg", "maccs"]}], "a (erg, maccs)"),
    ],
)
def test_settings_that_differ_are_shown_by_name(value: list, shown: object) -> None:
    assert shown_setting(value) == shown


def test_three_networks_and_a_class_make_a_whole_page() -> None:
    rng = np.random.default_rng(0)
    observed = (rng.random(200) < 0.4) * 1.0
    params = parse_params({"data": {"path": "t", "endpoints": {"active": {"kind": "classification"}}}})
    terms = criteria_of(
        "active", params.data.endpoints["active"], params, tolerance=0.05, metric=None, threshold=None
    )
    scores = Scores.of(terms, pd.DataFrame({"active": observed, "active:relation": "="}))
    for split, c in itertools.product(range(5), range(3)):
        test = np.arange(split, 200, 5)
        logits = (1 + c) * (observed[test] - 0.5) + rng.normal(size=40)
        scores.add(split, c, test, 1 / (1 + np.exp(-logits - rng.normal(size=(4, 40)))))
    names = ["small", "middle", "large"]
    endpoint = judge(
        scores, names, splits=5, ratio=0.25, confidence=0.95, design={"replicates": 4, "folds": 5}
    )
    assert endpoint["metric"] == "auroc"
    assert endpoint["scores"][2]["infinite"] > endpoint["scores"][0]["infinite"]
    found = {
        "design": {
            "repeats": 1,
            "folds": 5,
            "splits": 5,
            "method": "random",
            "molecules": 200,
            "replicates": 4,
            "trained": 60,
            "similarity": [{"median": 0.4}, {"median": 0.52}],
        },
        "configurations": [
            {"name": name, "differs": {}, "parameters": 10**place, "stopped": None, "present": place == 3}
            for place, name in enumerate(names, start=2)
        ],
        "endpoints": {"active": endpoint},
    }
    text = page(found)
    assert "0.40 to 0.52, depending on the split" in text
    assert text.count("present settings") == 2  # in the scores, and in what differs
    assert text.count("<svg") == 5  # intervals, convergence, and three of size
    assert "NaN" not in text
    assert "A is worse than C" in text  # pairs are told by the letters of the table


def test_words_beside_the_ends_of_lines_keep_apart_and_above_the_axis() -> None:
    places = np.array([100.0, 104.0, 60.0, 103.0])
    moved = spread_out(places, gap=14.0, foot=106.0)
    assert moved.max() <= 106
    assert np.diff(np.sort(moved)).min() >= 14
    assert list(np.argsort(moved)) == list(np.argsort(places))
    np.testing.assert_array_equal(spread_out(np.array([10.0, 50.0])), [10, 50])
