"""Tables that the studies show on the terminal: comparisons, sources of randomness, changes of the data."""

import math
from typing import Any

import pandas as pd
from rich.console import Group
from rich.table import Table
from rich.text import Text

from manywalks import files
from manywalks.compare.report.undecided import short_verdict, undecided
from manywalks.compare.report.words import (
    COSTS,
    costs,
    design_sentence,
    few_for_shares,
    few_splits,
    first_lines,
    label_of,
    method,
    metric_name,
    share_interval,
    stopped_sentence,
    threshold_text,
)
from manywalks.formatting import count, number, with_error
from manywalks.workspace import Workspace

COLOURS = {"better": "green", "worse": "red", "equivalent": "cyan", "undecided": "yellow"}
# more pairs than anybody reads: the page has them all
MOST_PAIRS = 28


def tables(found: dict[str, Any]) -> Group:
    """Scores and verdicts of every endpoint, and the variance budget where it was asked for."""
    if "variance" in found:
        return Group(*(_budget(name, one, found["design"]) for name, one in found["variance"].items()))
    parts: list[Any] = []
    for name, endpoint in found["endpoints"].items():
        present = {one["name"] for one in found["configurations"] if one["present"]}
        named = (
            f"{label}:\u00a0{name}" + ("\u00a0(present\u00a0settings)" if name in present else "")
            for name, label in label_of(endpoint).items()
        )
        parts += [Text("\n".join(named)), Text()]
        parts += [_scores(name, endpoint, found["configurations"]), Text()]
        parts += [_pairs(endpoint, found["design"]), Text()]
        if rows := costs(endpoint, found["configurations"]):
            letters = label_of(endpoint)
            parts += [plain_table(COSTS, [[letters[row[0]], *row[1:]] for row in rows]), Text()]
        first, *rest = first_lines(endpoint)
        parts += [Text(f"{name}: {first}", style="bold"), *(Text(line) for line in rest)]
        if warning := few_splits(endpoint, found["design"]):
            parts.append(Text(warning, style="yellow"))
        parts.append(Text())
    for one in found["configurations"]:
        if one["stopped"]:
            parts.append(Text(stopped_sentence(one), style="dim"))
    return Group(*parts, Text(design_sentence(found["design"]), style="dim"))


def _scores(name: str, endpoint: dict[str, Any], configurations: list[dict[str, Any]]) -> Table:
    """One row per configuration."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    labels = label_of(endpoint)
    table.title = f"{name}: {metric_name(endpoint)}, mean over splits"
    table.add_column("", no_wrap=True)
    for title in (
        "single replicate",
        "ensemble",
        "infinitely many",
        "spread",
        "replicates\nneeded",
        "parameters",
    ):
        table.add_column(title, justify="right", no_wrap=True)
    for row, one in zip(endpoint["scores"], configurations, strict=True):
        single = row["single"]
        needed = "–" if row["replicates_needed"] is None else str(row["replicates_needed"])
        table.add_row(
            labels[row["name"]],
            with_error(single["mean"], single["sd_replicates"]), f"{row['ensemble']:.4f}",
            with_error(row["infinite"], row["infinite_error"]), f"{row['spread_rms']:.2g}", needed,
            f"{one['parameters']:,}", style="dim" if one["stopped"] else "",
        )  # fmt: skip
    table.caption = (
        "infinitely many: without the luck of training; spread: how far single replicates differ; "
        f"replicates needed: for the tolerance ({number(endpoint['tolerance'], 3)})"
    )
    table.caption_justify = "left"
    return table


def _pairs(endpoint: dict[str, Any], design: dict[str, Any]) -> Table:
    """One row per pair."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    labels = label_of(endpoint)
    level = f"{100 * endpoint['confidence']:g} %"
    table.title = (
        f"differences, positive: the first is better; intervals {level} sure for all pairs at once, "
        f"{method(endpoint)}"
    )
    for title in ("pair", "difference", "interval", "wins", "verdict"):
        right = title not in ("pair", "verdict")
        table.add_column(title, justify="right" if right else "left", no_wrap=title != "verdict")
    for pair in endpoint["pairs"][:MOST_PAIRS]:
        chance = pair["single_replicates"]
        table.add_row(
            f"{labels[pair['one']]} − {labels[pair['other']]}", _signed(pair["difference"]),
            f"{_signed(pair['low'])} to {_signed(pair['high'])}",
            f"{chance['chance']:.2f} ({chance['low']:.2f}–{chance['high']:.2f})",
            Text(short_verdict(pair, labels), style=COLOURS[pair["verdict"]]),
        )  # fmt: skip
    more = len(endpoint["pairs"]) - MOST_PAIRS
    notes = [f"{count(more, 'more pair')} in the report"] if more > 0 else []
    notes.append("wins: how often one replicate of the first beats one of the second")
    notes.append(f"smallest difference that matters: {threshold_text(endpoint)} (--threshold)")
    if open_pairs := [pair for pair in endpoint["pairs"][:MOST_PAIRS] if pair["verdict"] == "undecided"]:
        notes.append(undecided(open_pairs, design, endpoint["confidence"]))
    table.caption = "\n".join(notes)
    table.caption_justify = "left"
    return table


def _signed(value: float) -> str:
    """A difference with its sign."""
    return f"{value:+.4f}".replace("-", "−")


def _budget(name: str, found: dict[str, Any], design: dict[str, Any]) -> Group:
    """The variance budget of one endpoint."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.title = f"{name}: where the variance of a single replicate's {found['metric_name']} comes from"
    for title in ("source", "share of the variance", "95 % interval", "SD if only this varies"):
        table.add_column(title, justify="left" if title == "source" else "right")
    for source, part in found["parts"].items():
        alone = found["alone"].get(source)
        table.add_row(
            source, f"{100 * part['value']:.0f} %", share_interval(part),
            "" if alone is None else f"{alone['value']:.4f}",
        )  # fmt: skip
    numerics = found["alone"]["numerics"]
    table.add_row("numerics", "", "", f"{numerics['value']:.4f}")
    warning = few_for_shares(design)
    warned = [Text(warning, style="yellow")] if warning else []
    return Group(table, Text(), Text(found["sentence"]), *warned, Text())


def plain_table(header: list[str], rows: list[list[str]]) -> Table:
    """Rows of text as a table without lines; what is not the first column stands to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, title in enumerate(header):
        table.add_column(title, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    return table


def fitted_table(header: list[str], rows: list[list[str]], width: int) -> Table:
    """`plain_table` where it fits into so many characters; else each row as a list of what it holds."""
    needed = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    if sum(needed) + 2 * (len(needed) - 1) <= width:
        return plain_table(header, rows)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for place, row in enumerate(rows):
        if place:
            table.add_row()
        table.add_row(Text(row[0], style="bold"))
        for title, cell in zip(header[1:], row[1:], strict=True):
            table.add_row(f"  {title}", cell)
    return table


def sources_table(workspace: Workspace) -> Table:
    """reports/sources.json for people: the spread that each source of randomness brings alone."""
    found = files.read_json(workspace.reports / "sources.json")
    rows = [
        [
            f"{name}: {source}" + (f" ({found['units'][name]})" if found["units"][name] else ""),
            f"{row['spread']:.3g}",
            f"{row['low']:.3g} to {row['high']:.3g}",
            f"{100 * row['share']:.0f} %"
            + (
                "" if source == "all" else f" ({100 * row['share_low']:.0f} to {100 * row['share_high']:.0f})"
            ),
        ]
        for name, sources in found["endpoints"].items()
        for source, row in sources.items()
    ]
    return plain_table(["what varies", "spread", "95 % interval", "of all variance"], rows)


def atoms_table(atoms: pd.DataFrame) -> str:
    """The table of an explanation; contributions of 1e-6 and of 100 both keep three digits."""
    largest = float(atoms[["contribution", "spread"]].abs().max().max())
    digits = 3 if not largest > 0 else max(1, min(12, 2 - math.floor(math.log10(largest))))

    def written(value: float) -> str:
        return f"{value:.{digits}f}" if digits < 7 else f"{value:.2e}"

    formats: dict[str | int, Any] = {"contribution": written, "spread": written}
    formats["agreement"] = "{:.2f}".format
    return atoms.to_string(index=False, formatters=formats)


def diff_lines(found: dict[str, Any], most: int | None = 10) -> list[str]:
    """`data.diff.diff_tables` for people: `most` molecules of each kind are named, all where None."""
    lines = [
        f"{found['before']} molecules before, {found['after']} after: "
        f"{len(found['added'])} added, {len(found['removed'])} removed"
    ]
    lines += _listed([f"+ {smiles}" for smiles in found["added"]], most)
    lines += _listed([f"- {smiles}" for smiles in found["removed"]], most)
    for name, change in found["endpoints"].items():
        lines.append(
            f"{name}: {change['changed']} values changed, {change['measured_since']} measured since, "
            f"{change['measured_no_more']} measured no more"
        )
        lines += _listed([_change(row) for row in change["changes"]], most)
    return lines


def _change(row: dict[str, Any]) -> str:
    """One molecule's change; a value that became a bound, or a bound a value, shows as one."""
    before, after = (
        f"{row[f'{when}_relation'].replace('=', '')}{row[when]:g}" for when in ("before", "after")
    )
    return f"{row['smiles']}  {before} -> {after}"


def _listed(lines: list[str], most: int | None) -> list[str]:
    """The lines, set in; the last one says how many are left out."""
    left = 0 if most is None else max(0, len(lines) - most)
    shown = lines[: len(lines) - left]
    return [f"  {line}" for line in shown] + ([f"  and {left} more (--all names them)"] if left else [])
