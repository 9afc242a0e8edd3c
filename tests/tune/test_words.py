"""A search in words."""

from typing import Any

import pytest

from manywalks.tune.report.words import design_sentence, head, headline, not_excluded, optimism, sentences

MOLECULES = {"molecules": 4e-4, "training": 3e-4, "replicates": 1e-4}
REPLICATES = {"molecules": 1e-4, "training": 1e-4, "replicates": 6e-4}


def found(
    word: str, promised: float, low: float, high: float, parts: dict[str, float] = MOLECULES
) -> dict[str, Any]:
    """A search with a verdict."""
    return {
        "metric": {"name": "MAE", "unit": "log10 cm/s", "joint": False},
        "trials": [{"gain": promised, "low": promised - 0.01, "high": promised + 0.01}],
        "optimism": {"promised": promised},
        "verdict": {
            "word": word,
            "low": low,
            "high": high,
            "threshold": 0.003,
            "molecules": 290,
            "replicates": 8,
            "parts": parts,
        },
    }


def test_an_open_verdict_says_that_the_molecules_are_too_few_to_exclude_the_promise() -> None:
    assert not_excluded(found("undecided", 0.05, -0.04, 0.09)) == [
        "The gain may still be as large as the search promised (+0.050 log10 cm/s): 290 molecules are too "
        "few to tell."
    ]


def test_a_sure_gain_that_may_be_too_small_is_called_so() -> None:
    verdict = {"confidence": 0.95, "gain": 0.002, "worse_at": []}
    one = found("undecided", 0.05, 0.001, 0.004)
    one["verdict"] |= verdict
    said = headline(one)
    assert said.startswith("A gain, but perhaps too small to matter: MAE improves by 0.002")
    assert said.endswith("it matters from 0.003 log10 cm/s on. Keep params.yaml.")


def test_where_replicates_are_what_is_missing_it_says_so() -> None:
    assert not_excluded(found("undecided", 0.05, -0.04, 0.09, REPLICATES)) == [
        "The gain may still be as large as the search promised (+0.050 log10 cm/s): 8 replicates on each "
        "fold are too few to tell. Try --continue --replicates 32."
    ]


@pytest.mark.parametrize(
    ("trials", "stopped", "limit", "said"),
    [
        (
            12,
            0,
            1800.0,
            [
                "The search ended after 12 of 60 trials: the rest of --time 30m could not hold another trial "
                "and its verdict."
            ],
        ),
        (
            60,
            1,
            1800.0,
            [
                "The search ended after 59 of 60 trials: the rest of --time 30m could not hold another trial "
                "and its verdict."
            ],
        ),
        (60, 0, 1800.0, []),
        (60, 0, None, []),
    ],
)
def test_a_search_that_leaves_its_time_to_the_verdict_says_so(
    trials: int, stopped: int, limit: float | None, said: list[str]
) -> None:
    design = {
        "trials": trials,
        "asked": 60,
        "stopped": stopped,
        "limit": limit,
        "unjudged": [],
        "began": True,
    }
    _, *rest = sentences({"verdict": None, "design": design, "earlier": None})
    assert rest == said


def test_a_search_that_goes_on_without_time_for_a_trial_says_so() -> None:
    design = {"trials": 13, "asked": 60, "stopped": 1, "limit": 60.0, "unjudged": [], "began": False}
    _, said = sentences({"verdict": None, "design": design, "earlier": None})
    assert said == "No trial began: --time 1m is too short. Give more, and --continue."


def test_trials_that_were_too_slow_to_be_judged_are_named() -> None:
    design = {"trials": 5, "asked": 5, "stopped": 0, "limit": 120.0, "unjudged": [3], "began": True}
    _, said = sentences({"verdict": None, "design": design, "earlier": None})
    assert said == (
        "Trial 3 looked better still, but its verdict would have ended after --time 2m. Give more time and "
        "--continue."
    )


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (0, "1,000 replicates in 9 seconds."),
        (980, "1,000 replicates (980 kept from earlier runs) in 9 seconds."),
        (1000, "1,000 replicates, all kept from earlier runs."),
    ],
)
def test_replicates_of_earlier_runs_are_told_apart(kept: int, said: str) -> None:
    design = {
        "rungs": [{"splits": 2}], "trials": 3, "asked": 3, "beaten": 0, "failed": 0, "replicates": 1000,
        "kept": kept, "seconds": 9.0, "molecules": 90, "method": "random",
    }  # fmt: skip
    assert said in design_sentence({"design": design})


@pytest.mark.parametrize(
    ("word", "promised", "low", "high"),
    [
        ("better", 0.05, 0.01, 0.09),
        ("undecided", 0.05, -0.04, 0.03),  # the promise is excluded
        ("undecided", 0.001, -0.04, 0.03),  # it would not matter
        ("undecided", 0.05, 0.001, 0.09),  # surely better, at one endpoint worse or by too little
    ],
)
def test_other_verdicts_say_no_such_thing(word: str, promised: float, low: float, high: float) -> None:
    assert not_excluded(found(word, promised, low, high)) == []


def test_the_gain_on_fresh_molecules_is_the_one_to_expect() -> None:
    search = {**found("better", 0.176, 0.1, 0.14), "optimism": {"promised": 0.176, "fresh": 0.121}}
    assert optimism(search) == (
        "On the search's own folds the gain looked like +0.176; expect the figure on fresh molecules, "
        "+0.121 log10 cm/s."
    )


def test_the_first_line_of_the_tuned_file_names_its_search() -> None:
    search = found("better", 0.176, 0.1, 0.14) | {
        "design": {"journal": ".manywalks/tune/search-3/journal.log"},
        "winner": {"number": 12},
        "train": "manywalks train --params params.tuned.yaml",
    }
    search["verdict"]["gain"] = 0.121
    assert head(search, "2026-11-27") == (
        "Found by `manywalks tune` (search 3, trial 12, 2026-11-27, gain +0.121 log10 cm/s). "
        "Next: manywalks train --params params.tuned.yaml"
    )


@pytest.mark.parametrize(
    ("earlier", "written", "said"),
    [
        (None, None, []),
        ("search 2", None, ["in the workspace is an earlier result (search 2). This search has not changed"]),
        ("", None, ["in the workspace is an earlier result. This search has not changed it."]),
        ("search 2", "params.tuned.yaml", ["params.tuned.yaml replaces an earlier result (search 2)."]),
    ],
)
def test_an_earlier_result_is_spoken_of(earlier: str | None, written: str | None, said: list[str]) -> None:
    design = {"trials": 5, "asked": 5, "stopped": 0, "limit": None, "unjudged": [], "began": True}
    _, *rest = sentences({"verdict": None, "design": design, "earlier": earlier, "written": written})
    assert len(rest) == len(said)
    assert all(part in line for part, line in zip(said, rest, strict=True))
