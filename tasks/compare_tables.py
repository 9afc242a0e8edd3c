"""What a comparison says on the terminal."""

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


def stopped_sentence(one: dict[str, Any]) -> str:
    """Why a configuration got no more walks."""
    stopped = one["stopped"]
    return (
        f"{one['name']} was stopped after {stopped['splits']} splits: worse than {stopped['by']} beyond "
        f"doubt ({100 * stopped['confidence']:.3g} % simultaneous intervals at that look)."
    )


def design_sentence(design: dict[str, Any]) -> str:
    """How it was made."""
    return (
        f"{design['repeats']} x {design['folds']}-fold ({design['method']}), {design['molecules']} "
        f"molecules, {design['replicates']} replicates of every configuration on every split, "
        f"{design['walks']} walks."
    )


def _scores(name: str, endpoint: dict[str, Any], configurations: list[dict[str, Any]]) -> Table:
    """A row a configuration."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    labels = label_of(endpoint)
    table.title = f"{name}: {metric_name(endpoint)}, mean over splits"
    table.add_column("")
    table.add_column("configuration")
    for title in ("single walk", "ensemble", "infinite ensemble", "spread", "needs", "parameters"):
        table.add_column(title, justify="right")
    for row, one in zip(endpoint["scores"], configurations, strict=True):
        single = row["single"]
        needed = "" if row["replicates_needed"] is None else str(row["replicates_needed"])
        table.add_row(
            labels[row["name"]], row["name"],
            f"{single['mean']:.4f} ± {single['sd_walks']:.4f}", f"{row['ensemble']:.4f}",
            f"{row['infinite']:.4f} ± {row['infinite_error']:.4f}", f"{row['spread_rms']:.3g}", needed,
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
        table.add_column(title, justify="left" if title in ("pair", "verdict") else "right")
    for pair in endpoint["pairs"][:MOST_PAIRS]:
        chance = pair["single_walks"]
        table.add_row(
            f"{labels[pair['one']]} − {labels[pair['other']]}", f"{pair['difference']:+.4f}",
            f"{pair['low']:+.4f} to {pair['high']:+.4f}",
            f"{chance['chance']:.2f} ({chance['low']:.2f} to {chance['high']:.2f})",
            Text(verdict_sentence(pair, endpoint), style=COLOURS[pair["verdict"]]),
        )  # fmt: skip
    if len(endpoint["pairs"]) > MOST_PAIRS:
        table.caption = f"and {len(endpoint['pairs']) - MOST_PAIRS} more pairs in the report"
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
