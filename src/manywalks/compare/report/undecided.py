"""Pairs that a comparison could not decide: what would decide them."""

from typing import Any

from manywalks.compare.design import Design
from manywalks.compare.report.words import verdict_sentence
from manywalks.formatting import count

TOO_LITTLE = "the difference may be too small to matter"


def remedies(pair: dict[str, Any]) -> str:
    """What alone would decide an undecided pair: "50 splits or 4 times the molecules"; "" if nothing."""
    needs = pair["needs"]
    signs = {
        "splits": "{:g} splits",
        "replicates": "{:g} replicates",
        "molecules": "{:g} times the molecules",
    }
    return " or ".join(sign.format(needs[key]) for key, sign in signs.items() if needs[key] is not None)


def undecided_sentence(pair: dict[str, Any], design: dict[str, Any], confidence: float) -> str:
    """What an undecided pair can do about it; `design` is how the comparison was made."""
    said, would = "This comparison cannot tell.", "would"
    if surely_apart(pair, confidence):
        said = f"The two surely differ, since the interval does not contain 0, but {TOO_LITTLE}."
        would = "would tell"
    if ways := remedies(pair):
        return f"{said} If the estimates stay as they are, {ways} {would}."
    return f"{said} {no_remedy(design)}"


def surely_apart(pair: dict[str, Any], confidence: float) -> bool:
    """Whether an undecided pair surely differs, so that the difference may be too small to matter.

    Where verdicts are by ranks, an interval on one side of 0 is not enough: a few splits may make it.
    """
    return _on_one_side(pair) and pair["p"] < 1 - confidence


def _on_one_side(pair: dict[str, Any]) -> bool:
    """Whether the interval does not contain 0."""
    return pair["low"] > 0 or pair["high"] < 0


def no_remedy(design: dict[str, Any]) -> str:
    """What is left where none of the remedies alone would settle it."""
    usual = Design()
    splits, replicates = usual.repeats * usual.folds, usual.replicates
    said = "Neither more splits, nor more replicates, nor more molecules alone would settle it. "
    if design["splits"] >= splits and design["replicates"] >= replicates:
        return said + "Together they narrow the interval."
    return (
        f"{said}Together they narrow the interval: this run has only {count(design['splits'], 'split')} and "
        f"{design['replicates']} replicates; the default is {splits} and {replicates}."
    )


def short_verdict(pair: dict[str, Any], labels: dict[str, str]) -> str:
    """The verdict in the width of a column; `labels` gives configurations other names."""
    if pair["verdict"] != "undecided":
        return verdict_sentence(pair, labels)
    ways = remedies(pair)
    return f"undecided, needs {ways}" if ways else "undecided"


def undecided(pairs: list[dict[str, Any]], design: dict[str, Any], confidence: float) -> str:
    """What undecided verdicts mean, and what decides them."""
    if len(pairs) == 1:
        return undecided_sentence(pairs[0], design, confidence)
    named = [pair for pair in pairs if remedies(pair)]
    said = ["Undecided: this comparison cannot tell."]
    outside = [pair for pair in pairs if _on_one_side(pair)]
    if outside and all(surely_apart(pair, confidence) for pair in outside):
        said.append(f"Where the interval does not contain 0, the two surely differ, but {TOO_LITTLE}.")
    if named:
        said.append(
            "If the estimates stay as they are, each of what is named as needed would decide alone: so many "
            "splits (--repeats), replicates on each split (--replicates), or times the molecules."
        )
    if len(named) < len(pairs):
        said.append(f"{'Where nothing is named: ' if named else ''}{no_remedy(design)}")
    return " ".join(said)
