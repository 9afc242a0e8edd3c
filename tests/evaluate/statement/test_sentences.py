"""What a person reads of a model's accuracy and of its statement."""

from typing import Any

import pytest

from manywalks.evaluate.statement.sentences import (
    accuracy_sentences,
    cautions,
    limits_sentence,
    verdict_words,
)


def entry(word: str, against: str, low: float, *, kind: str = "regression", **more: Any) -> dict[str, Any]:
    """An endpoint's entry of metrics.json."""
    metric = "auroc" if kind == "classification" else "rmse"
    constant = "majority" if kind == "classification" else "mean"
    return {
        "kind": kind,
        "unit": "" if kind == "classification" else "nM",
        "n_test": 100,
        "n_valid": 50,
        "ensemble": {metric: 0.61},
        "baselines": {constant: {metric: 2.0}, "neighbours": {metric: 1.1}},
        "verdict": {"word": word, "against": against, "gain": 0.49, "low": low, "high": 0.6},
        **more,
    }


def test_the_score_stands_beside_both_baselines() -> None:
    assert accuracy_sentences(entry("useful", "neighbours", 0.38), "logS") == (
        "logS: useful. RMSE on 100 test molecules: 0.61 nM (the mean of the training molecules: 2; the 5 "
        "nearest "
        "training molecules: 1.1). It is better than the 5 nearest training molecules by 0.38 to 0.6 nM (95 "
        "% sure)."
    )


@pytest.mark.parametrize(
    ("found", "words", "said"),
    [
        (
            entry("no better", "mean", -0.1),
            "not surely better than the mean",
            "the difference is \u22120.1 to 0.6",
        ),
        (
            entry("no better", "mean", -0.7)
            | {"verdict": {"word": "no better", "against": "mean", "low": -0.7, "high": -0.1}},
            "no better than the mean",
            "It is worse than the mean of the training molecules by 0.1 to 0.7 nM (95 % sure).",
        ),
        (
            entry("no better", "majority", -0.1, kind="classification"),
            "not surely better than guessing",
            "the difference is \u22120.1 to 0.6",
        ),
        (
            entry("weak", "neighbours", -0.1),
            "weak",
            "not surely better than the 5 nearest training molecules: the difference is \u22120.1 to 0.6 nM",
        ),
        (entry("weak", "mean", 0.1), "weak", "falls short of an error 10 % below that of the mean"),
        (
            entry("weak", "majority", 0.1, kind="classification"),
            "weak",
            "falls short of an AUROC of 0.7",
        ),
        (entry("unknown", "mean", 0.1, n_test=0), "accuracy unknown", "no test molecule was measured."),
    ],
)
def test_the_verdict_and_its_reason(found: dict[str, Any], words: str, said: str) -> None:
    assert verdict_words(found) == words
    assert said in accuracy_sentences(found, "y")


def test_what_is_not_calibrated_at_all_is_said_with_the_remedy() -> None:
    (said,) = cautions(entry("useful", "mean", 0.1, n_valid=0))
    assert said.startswith("No valid molecule: do not trust intervals and probabilities")
    assert "set replicates.rows: bootstrap" in said
    bagged = {"reference": "out of bag", "fitted_on": 400}
    assert cautions(entry("useful", "mean", 0.1, n_valid=0, calibration=bagged)) == []
    (few,) = cautions(entry("useful", "mean", 0.1, n_valid=0, calibration={**bagged, "fitted_on": 9}))
    assert few == "Only 9 training molecules: do not trust the intervals, which are calibrated on them."


def test_scores_on_molecules_that_were_left_out_follow_those_on_test() -> None:
    found = entry("useful", "mean", 0.1, out_of_bag={"sentence": "On 9 training molecules."})
    assert accuracy_sentences(found, "y").endswith(". On 9 training molecules.")


def test_a_calibration_that_test_molecules_contradict_is_said() -> None:
    worse = {"worse": True, "brier": 0.485, "uncalibrated": {"brier": 0.276}}
    (said,) = cautions(entry("useful", "majority", 0.1, kind="classification", calibration=worse))
    assert said.startswith("Do not trust probabilities and decisions") and "0.485, without it 0.276" in said
    assert not cautions(
        entry("useful", "majority", 0.1, kind="classification", calibration=worse | {"worse": False})
    )
    held = {"stated": 0.9, "covered": 0.7, "low": 0.6, "high": 0.79}
    (said,) = cautions(entry("useful", "mean", 0.1, calibration={"intervals": [held]}))
    assert "those of 90 % hold only 70 % of the test molecules" in said
    near = held | {"covered": 0.82, "high": 0.89}
    assert cautions(entry("useful", "mean", 0.1, calibration={"intervals": [near]})) == []


def test_probabilities_that_are_not_calibrated_are_not_called_so() -> None:
    why = "only 1 of 20 valid molecules is negative, so the probabilities are not calibrated"
    lacks = {"fitted_on": 20, "not_calibrated": why}
    found = entry("useful", "majority", 0.1, kind="classification", n_valid=20, calibration=lacks)
    assert cautions(found) == [f"Do not trust the probabilities: {why}."]


def test_which_scores_limits_count_in_is_said() -> None:
    assert limits_sentence(entry("useful", "mean", 0.1, n_limits=25), "y") == (
        "y: 25 of 100 test molecules are known only as a limit (>100). RMSE and MAE count an error there "
        "only beyond the limit; R² and rank correlations are over the other 75."
    )
    assert limits_sentence(entry("useful", "mean", 0.1, n_limits=0), "y") == ""
    assert limits_sentence(entry("useful", "mean", 0.1), "y") == ""


def test_few_molecules_are_named_with_what_not_to_trust() -> None:
    assert cautions(entry("useful", "mean", 0.1, n_test=30, n_valid=30)) == []
    few = cautions(entry("useful", "mean", 0.1, n_test=1, n_valid=29))
    assert few[0].startswith("Only 1 test molecule: do not trust the verdict or any score.")
    assert few[1] == "Only 29 valid molecules: do not trust the intervals, which are calibrated on them."
    assert (
        "do not trust the probabilities"
        in cautions(entry("useful", "majority", 0.1, kind="classification", n_valid=2))[0]
    )


def test_predictions_below_zero_of_what_is_never_negative_come_with_the_remedy() -> None:
    (said,) = cautions(entry("useful", "mean", 0.1, below_zero=14))
    assert said.startswith("14 of 100 test molecules are predicted below 0, where nothing was measured; ")
    assert "transform: log10" in said
    assert cautions(entry("useful", "mean", 0.1, below_zero=1)) == []
