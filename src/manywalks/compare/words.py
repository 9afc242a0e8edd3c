"""What a comparison says on the terminal."""

from string import ascii_uppercase
from typing import Any

from manywalks.evaluate.registry import SCORE_NAMES

WORDS = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}


def label_of(endpoint: dict[str, Any]) -> dict[str, str]:
    """A short label a configuration: A, B ... Z, then numbers."""
    names = [row["name"] for row in endpoint["scores"]]
    return {name: ascii_uppercase[n] if n < 26 else str(n + 1) for n, name in enumerate(names)}


def metric_name(endpoint: dict[str, Any]) -> str:
    """The metric with its unit."""
    unit = f" ({endpoint['unit']})" if endpoint["unit"] else ""
    return SCORE_NAMES[endpoint["metric"]] + unit


def verdict_sentence(pair: dict[str, Any], endpoint: dict[str, Any]) -> str:
    """The verdict in words, with what would decide it."""
    if pair["verdict"] != "undecided":
        labels = label_of(endpoint)
        return f"{labels[pair['one']]} is {WORDS[pair['verdict']]} {labels[pair['other']]}"
    needs = pair["needs"]
    ways = [
        f"{needs[key]:g} {what}" if key != "molecules" else f"{needs[key]:g} times the molecules"
        for key, what in (("splits", "splits"), ("replicates", "replicates"), ("molecules", ""))
        if needs[key] is not None
    ]
    would = " or ".join(ways) if ways else "no number of splits, replicates or molecules"
    return f"undecided; {would} would decide" if ways else f"undecided; {would} tried would decide"


def stopped_sentence(one: dict[str, Any]) -> str:
    """Why a configuration got no more replicates."""
    stopped = one["stopped"]
    return (
        f"{one['name']} was stopped after {stopped['splits']} splits: worse than {stopped['by']} beyond "
        f"doubt ({100 * stopped['confidence']:.3g} % simultaneous intervals at that look)."
    )


def design_sentence(design: dict[str, Any]) -> str:
    """How it was made, and how far the left-out molecules are from those trained on."""
    medians = [fold["median"] for fold in design["similarity"]]
    return (
        f"{design['repeats']} x {design['folds']}-fold ({design['method']}), {design['molecules']} "
        f"molecules, {design['replicates']} replicates of every configuration on every split, "
        f"{design['trained']} replicates. "
        "Tanimoto similarity of a left-out molecule to the nearest trained on: "
        f"median {min(medians):.2f} to {max(medians):.2f} over the splits."
    )


def method(endpoint: dict[str, Any]) -> str:
    """How the intervals were made."""
    return {
        "tukey": "Tukey for repeated measures" if len(endpoint["scores"]) > 2 else "paired t",
        "own variances": "each pair's own variance (not spherical)",
        "ranks": "verdicts by Conover and Holm (not normal)",
    }[endpoint["assumptions"]["method"]]
