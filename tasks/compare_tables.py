"""What a comparison says on the terminal."""

import math
from string import ascii_uppercase
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from manywalks.tasks.view import SCORE_NAMES

WORDS = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}
COLOURS = {"better": "green", "worse": "red", "equivalent": "cyan", "undecided": "yellow"}
# more pairs than anybody reads: the page has them all
MOST_PAIRS = 28


def tables(found: dict[str, Any]) -> Group:
    """Scores and verdicts of every endpoint, and the variance budget where it was asked for."""
    if "sources" in found:
        return Group(*(_budget(name, one) for name, one in found["sources"].items()))
    parts: list[Any] = []
    for name, endpoint in found["endpoints"].items():
        named = (f"{label}:\u00a0{configuration}" for configuration, label in label_of(endpoint).items())
        parts += [Text("   ".join(named)), Text()]
        parts += [_scores(name, endpoint, found["configurations"]), Text(), _pairs(endpoint), Text()]
    for one in found["configurations"]:
        if one["stopped"]:
            parts.append(Text(stopped_sentence(one), style="dim"))
    return Group(*parts, Text(design_sentence(found["design"]), style="dim"))


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


def short_verdict(pair: dict[str, Any], endpoint: dict[str, Any]) -> str:
    """`verdict_sentence` in the width of a column."""
    if pair["verdict"] != "undecided":
        return verdict_sentence(pair, endpoint)
    needs = pair["needs"]
    signs = {"splits": "{:g} splits", "replicates": "{:g} replicates", "molecules": "{:g}x data"}
    ways = [sign.format(needs[key]) for key, sign in signs.items() if needs[key] is not None]
    return f"undecided: {' or '.join(ways)}" if ways else "undecided"


def with_error(value: float, error: float) -> str:
    """Both to the error's second figure, four decimals at most."""
    if not (math.isfinite(error) and error > 0):
        return f"{value:.4f}"
    digits = min(4, max(0, 1 - math.floor(math.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def stopped_sentence(one: dict[str, Any]) -> str:
    """Why a configuration got no more walks."""
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
        f"{design['walks']} walks. Tanimoto similarity of a left-out molecule to the nearest trained on: "
        f"median {min(medians):.2f} to {max(medians):.2f} over the splits."
    )


def _scores(name: str, endpoint: dict[str, Any], configurations: list[dict[str, Any]]) -> Table:
    """A row a configuration."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    labels = label_of(endpoint)
    table.title = f"{name}: {metric_name(endpoint)}, mean over splits"
    table.add_column("", no_wrap=True)
    for title in ("single walk", "ensemble", "infinite", "spread", "needs", "parameters"):
        table.add_column(title, justify="right", no_wrap=True)
    for row, one in zip(endpoint["scores"], configurations, strict=True):
        single = row["single"]
        needed = "" if row["replicates_needed"] is None else str(row["replicates_needed"])
        table.add_row(
            labels[row["name"]],
            with_error(single["mean"], single["sd_walks"]), f"{row['ensemble']:.4f}",
            with_error(row["infinite"], row["infinite_error"]), f"{row['spread_rms']:.2g}", needed,
            f"{one['parameters']:,}", style="dim" if one["stopped"] else "",
        )  # fmt: skip
    return table


def _pairs(endpoint: dict[str, Any]) -> Table:
    """A row a pair."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    labels = label_of(endpoint)
    level = f"{100 * endpoint['confidence']:g} %"
    table.title = (
        f"differences, more is better for the first; simultaneous {level} intervals, {method(endpoint)}"
    )
    for title in ("pair", "difference", "interval", "P(single beats)", "verdict"):
        right = title not in ("pair", "verdict")
        table.add_column(title, justify="right" if right else "left", no_wrap=title != "verdict")
    for pair in endpoint["pairs"][:MOST_PAIRS]:
        chance = pair["single_walks"]
        table.add_row(
            f"{labels[pair['one']]} − {labels[pair['other']]}", f"{pair['difference']:+.4f}",
            f"{pair['low']:+.4f} to {pair['high']:+.4f}",
            f"{chance['chance']:.2f} ({chance['low']:.2f}–{chance['high']:.2f})",
            Text(short_verdict(pair, endpoint), style=COLOURS[pair["verdict"]]),
        )  # fmt: skip
    more = len(endpoint["pairs"]) - MOST_PAIRS
    rest = f"{more} more pairs are in the report; " if more > 0 else ""
    table.caption = f"{rest}undecided: more of what would decide it, where that is in reach"
    table.caption_justify = "left"
    return table


def method(endpoint: dict[str, Any]) -> str:
    """How the intervals were made."""
    return {
        "tukey": "Tukey for repeated measures" if len(endpoint["scores"]) > 2 else "paired t",
        "own variances": "each pair's own variance (not spherical)",
        "ranks": "verdicts by Conover and Holm (not normal)",
    }[endpoint["assumptions"]["method"]]


def _budget(name: str, found: dict[str, Any]) -> Group:
    """The variance budget of one endpoint."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.title = f"{name}: where the variance of a single walk's {found['metric_name']} comes from"
    for title in ("source", "share of the variance", "95 % interval", "varied alone: SD of the score"):
        table.add_column(title, justify="left" if title == "source" else "right")
    for source, part in found["parts"].items():
        alone = found["alone"].get(source)
        table.add_row(
            source, f"{100 * part['value']:.0f} %", f"{100 * part['low']:.0f} to {100 * part['high']:.0f} %",
            "" if alone is None else f"{alone['value']:.4f}",
        )  # fmt: skip
    numerics = found["alone"]["numerics"]
    table.add_row("numerics", "", "", f"{numerics['value']:.4f}")
    return Group(table, Text(), Text(found["sentence"]), Text())
