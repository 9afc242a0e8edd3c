"""A comparison in words, for its page and for the terminal."""

from string import ascii_uppercase
from typing import Any

from manywalks.compare.design import Design
from manywalks.evaluate.registry import SCORE_NAMES
from manywalks.formatting import count, number, two_digits

# Tanimoto similarity from which a neighbour is of the same series
NEAR = 0.5
# with fewer degrees of freedom Student's interval is 1.3 times as wide as with many, and as uncertain
FREEDOM = 5
WORDS = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}

COSTS = ["", "parameters", "seconds per replicate", "replicates needed", "seconds for all", "memory (MiB)"]


def label_of(endpoint: dict[str, Any]) -> dict[str, str]:
    """A letter for each configuration, by its name, for narrow tables and figures."""
    return {row["name"]: letter_of(place) for place, row in enumerate(endpoint["scores"])}


def letter_of(place: int) -> str:
    """The letter of the configuration at that place: A, B ... Z, then numbers."""
    return ascii_uppercase[place] if place < 26 else str(place + 1)


def metric_name(endpoint: dict[str, Any]) -> str:
    """The metric with its unit."""
    unit = f" ({endpoint['unit']})" if endpoint["unit"] else ""
    return SCORE_NAMES[endpoint["metric"]] + unit


def best_of(endpoint: dict[str, Any]) -> str:
    """The configuration with the best score at the infinite ensemble."""
    sign = 1 if endpoint["higher_is_better"] else -1
    return max(endpoint["scores"], key=lambda row: sign * row["infinite"])["name"]


def against(endpoint: dict[str, Any], name: str, best: str) -> tuple[float, float, float, str]:
    """Difference, interval and verdict of a configuration minus the best one."""
    for pair in endpoint["pairs"]:
        if (pair["one"], pair["other"]) == (name, best):
            return pair["difference"], pair["low"], pair["high"], pair["verdict"]
        if (pair["one"], pair["other"]) == (best, name):
            word: str = {"better": "worse", "worse": "better"}.get(pair["verdict"]) or pair["verdict"]
            return -pair["difference"], -pair["high"], -pair["low"], word
    return 0.0, 0.0, 0.0, "best"


def first_lines(endpoint: dict[str, Any]) -> list[str]:
    """What the endpoint's part begins with: how all stand to the one with the best score, by the verdicts."""
    best, metric = best_of(endpoint), metric_name(endpoint)
    groups: dict[str, list[str]] = {}
    for row in endpoint["scores"]:
        if row["name"] != best:
            groups.setdefault(against(endpoint, row["name"], best)[3], []).append(row["name"])
    threshold = f"± {number(endpoint['threshold'], 3)}"
    if list(groups) == ["equivalent"]:
        who = "Both" if len(endpoint["scores"]) == 2 else "All"
        return [f"{who} are equivalent: their {metric} differs by less than what matters ({threshold})."]
    if list(groups) == ["undecided"]:
        return [f"Undecided: {best} has the best {metric}, but not surely."]
    lines = [f"{best} has the best {metric}."]
    for word, said in (
        ("equivalent", f"Equivalent to it (within {threshold})"),
        ("undecided", "Not surely different from it"),
        ("worse", "Worse"),
    ):
        if word in groups:
            lines.append(f"{said}: {', '.join(groups[word])}.")
    return lines


def few_splits(endpoint: dict[str, Any], design: dict[str, Any]) -> str:
    """A warning where so few splits leave the intervals wide and unsure; "" where they are enough."""
    whole = [pair for pair in endpoint["pairs"] if pair["splits"] == design["splits"]]
    least = min(whole, key=lambda pair: pair["freedom"], default=None)
    if least is None or least["freedom"] >= FREEDOM:
        return ""
    usual = Design()
    more = [
        f"--{name} {wanted}"
        for name, wanted in (("repeats", usual.repeats), ("replicates", usual.replicates))
        if design[name] < wanted
    ]
    splits = f"Only {count(design['splits'], 'split')} ({least['freedom']:.2g} degrees of freedom)"
    wide = f"{least['wider']:.1f} times as wide as with many splits"
    return (
        f"{splits}: the intervals are {wide}, and rough estimates themselves. "
        f"Do not rely on these verdicts; run again with {' '.join(more) or 'more --repeats'}."
    )


def few_for_shares(design: dict[str, Any]) -> str:
    """A warning where shares of a variance come from so few splits that their intervals do not hold."""
    if design["splits"] >= FREEDOM:
        return ""
    return (
        f"Only {count(design['splits'], 'split')}: the intervals hold from {FREEDOM} splits on. Do not rely "
        "on these shares; run again with --repeats 5."
    )


def verdict_sentence(pair: dict[str, Any], shown: dict[str, str] | None = None) -> str:
    """The verdict in words; `shown` gives configurations other names."""
    if pair["verdict"] == "undecided":
        return "undecided"
    one, other = ((shown or {}).get(name, name) for name in (pair["one"], pair["other"]))
    return f"{one} is {WORDS[pair['verdict']]} {other}"


def threshold_text(endpoint: dict[str, Any]) -> str:
    """The smallest difference that matters, with its unit."""
    return f"{number(endpoint['threshold'], 3)} {endpoint['unit']}".strip()


def costs(endpoint: dict[str, Any], configurations: list[dict[str, Any]]) -> list[list[str]]:
    """What each takes: name, parameters, seconds per replicate, replicates needed, all of them, memory.

    Empty unless networks of several sizes were compared and their time is known.
    """
    if len({one["parameters"] for one in configurations}) < 3 or not all(
        one.get("seconds") and one.get("memory") for one in configurations
    ):
        return []
    rows = []
    for row, one in zip(endpoint["scores"], configurations, strict=True):
        needed = row["replicates_needed"]
        rows.append(
            [
                row["name"],
                f"{one['parameters']:,}",
                two_digits(one["seconds"]),
                "–" if needed is None else str(needed),
                "–" if needed is None else two_digits(needed * one["seconds"]),
                f"{one['memory'] / 2**20:,.0f}",
            ]
        )
    return rows


def share_interval(part: dict[str, Any]) -> str:
    """The interval of a share, in percent."""
    return f"{100 * part['low']:.0f} to {100 * part['high']:.0f} %".replace("-", "−")


def stopped_sentence(one: dict[str, Any]) -> str:
    """Why a configuration got no more replicates."""
    stopped = one["stopped"]
    return (
        f"{one['name']} was stopped after {stopped['splits']} splits: surely worse than {stopped['by']} "
        f"({100 * stopped['confidence']:.3g} % sure at that point)."
    )


def design_sentence(design: dict[str, Any]) -> str:
    """How the comparison was made, and how similar test molecules are to training molecules."""
    medians = [fold["median"] for fold in design["similarity"]]
    return (
        f"{count(design['molecules'], 'molecule')}{_left_out(design)}, "
        f"{design['repeats']} x {design['folds']}-fold splits ({split_words(design['method'])}), "
        f"{design['replicates']} replicates of every configuration on every split; "
        f"{count(design['trained'], 'replicate')} trained. Median Tanimoto similarity of a test molecule to "
        f"the nearest training molecule: {min(medians):.2f} to {max(medians):.2f}, depending on the split."
        f"{_near(design['method'], medians)}"
    )


def split_words(method: str) -> str:
    """The method that draws the folds; of a given split, what is drawn."""
    if method != "column":
        return f"split.method: {method}"
    return "split.method: column, so drawn at random from the given train and valid molecules"


def _left_out(design: dict[str, Any]) -> str:
    """Molecules of the table that are in no split, and why; reports of before do not have all of it."""
    without_features = design.get("without_features", 0)
    test = design.get("left_out", 0) - without_features
    parts = [f"{test:,} more, the test molecules, take no part"] if test else []
    parts += [f"{without_features:,} more have no features"] if without_features else []
    return f" ({'; '.join(parts)})" if parts else ""


def _near(method: str, medians: list[float]) -> str:
    """A warning where molecules of one series lie on both sides of the splits."""
    if method not in ("random", "stratified") or max(medians) < NEAR:
        return ""
    return (
        f" Most test molecules have a close neighbour (similarity {NEAR:g} or more) among the training "
        "molecules. Where they come in series, the verdicts are then too sure: in simulations with 10 per "
        "series, 27 % of the verdicts between equals were false, and 6 % with whole series left out. "
        "Set split.method to cluster or scaffold."
    )


def method(endpoint: dict[str, Any]) -> str:
    """How the intervals were made."""
    return {
        "tukey": "Tukey for repeated measures" if len(endpoint["scores"]) > 2 else "paired t",
        "own variances": "each pair by its own variance",
        "ranks": "verdicts by ranks (Conover and Holm)",
    }[endpoint["assumptions"]["method"]]
