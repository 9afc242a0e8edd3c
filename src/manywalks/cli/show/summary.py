"""What `manywalks train` ends with on the terminal: accuracy first, then how reproducible it is."""

from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from manywalks import files, units
from manywalks.evaluate.registry import HIGHER_IS_BETTER, IN_UNITS, MAIN, MAIN_SCORES, SCORE_NAMES
from manywalks.evaluate.statement.sentences import (
    FEWEST,
    accuracy_sentences,
    cautions,
    limits_sentence,
    verdict_words,
)
from manywalks.formatting import count, told_apart, two_digits
from manywalks.workspace import Workspace

VERDICT_COLOURS = {"useful": "green", "weak": "yellow", "no better": "red", "unknown": "yellow"}
# of fewer training molecules it is said; a network learns little from them
FEWEST_TRAINED = 50
# more endpoints than that get a row each
MOST_IN_FULL = 2


def summary(workspace: Workspace) -> Group:
    """What a run ends with: how good the model is, how reproducible, and where everything lies."""
    metrics = files.read_json(workspace.reports / "metrics.json")
    statements = files.read_json(workspace.reports / "statement.json")
    told = _in_full if len(metrics) <= MOST_IN_FULL else _in_brief
    card = files.read_json(workspace.reports / "data.json")
    lines = [
        *_mostly_rejected(card),
        *_odd_units(card),
        *_odd_split(files.read_json(workspace.reports / "split.json")),
        *told(metrics, statements),
        Text(_records(card, _shown(workspace, workspace.rejected))),
        *_left_out(card),
        Text(f"model   {_shown(workspace, workspace.ensemble)}"),
        Text(f"report  {_shown(workspace, workspace.reports / 'report.html')}"),
    ]
    return Group(*lines)


def _mostly_rejected(card: dict[str, Any]) -> list[Any]:
    """A warning where one reason took more than half of the records, with an example: a wrong unit, say."""
    reasons = {code: one for code, one in card["reasons"].items() if code != "filtered"}
    used = card["records"] - card["reasons"].get("filtered", {}).get("count", 0)
    worst = max(reasons.values(), key=lambda one: one["count"], default=None)
    if worst is None or 2 * worst["count"] <= used:
        return []
    first = worst["examples"][0]
    said = f"{worst['count']:,} of {count(used, 'record')} were rejected, such as row {first['row']}"
    return [Text(f"Check the table: {said}: {first['detail'] or worst['sentence']}.", style="yellow"), Text()]


def _odd_units(card: dict[str, Any]) -> list[Any]:
    """A warning for each endpoint of potencies such as no assay measures: a wrong unit."""
    said = []
    for name, one in card.get("endpoints", {}).items():
        if (spread := one.get("distribution")) and (
            doubt := units.unlike_potencies(one["unit"], spread["q1"], spread["q3"])
        ):
            keys = f"unit, source_unit or unit_column under data.endpoints.{name}"
            said += [Text(f"Check the unit of {name}: {doubt} ({keys}).", style="yellow"), Text()]
    return said


def _odd_split(split: dict[str, Any]) -> list[Any]:
    """A warning where few molecules train, or fewer than test."""
    train, test = split["train"], split["test"]
    if train >= max(FEWEST_TRAINED, test):
        return []
    why = "more molecules test than train" if test > train else "hardly any molecules train"
    said = f"Check the split: {why} ({train:,} train, {split['valid']:,} valid, {test:,} test)."
    return [Text(said, style="yellow"), Text()]


def _records(card: dict[str, Any], rejected: str) -> str:
    """What became of the table's records; the file `rejected` says why some were not used."""
    text = f"data    {count(card['records'], 'record')}: {card['molecules']:,} molecules kept"
    if card["merged"]:
        text += f", {count(card['merged'], 'repeat')} merged"
    if card["rejected"]:
        reasons = ", ".join(f"{one['count']:,} {code}" for code, one in list(card["reasons"].items())[:4])
        text += f", {card['rejected']:,} rejected ({reasons}): {rejected}"
    return text


def _left_out(card: dict[str, Any]) -> list[Text]:
    """Cells that are no value of their endpoint and not empty either, with an example of each endpoint."""
    lines = []
    for name, one in card.get("endpoints", {}).items():
        if number := sum(one["ignored_cells"].values()):
            first = one["ignored_examples"][0]
            why = first["detail"].removeprefix(f"{name}: ")
            said = f"{count(number, 'cell')} of {name} left out, such as row {first['row']}: {why}"
            lines.append(Text(f"        {said}"))
    return lines


def _limits(metrics: dict[str, Any]) -> list[Any]:
    """Which test molecules of many endpoints are known only as limits, and how RMSE counts them."""
    known = [
        f"{name} {one['n_limits']:,} of {one['n_test']:,}"
        for name, one in metrics.items()
        if one.get("n_limits")
    ]
    if not known:
        return []
    said = f"Test molecules known only as a limit (>100): {', '.join(known)}. RMSE counts an error there only"
    return [Text(f"{said} beyond the limit.", style="dim"), Text()]


def _in_full(metrics: dict[str, Any], statements: dict[str, Any]) -> list[Any]:
    """Of one or two endpoints: the verdict, the table of scores, the statement."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("endpoint", "score (test)", "ensemble", "single replicates", "worst to best"):
        table.add_column(title, justify="left" if title in ("endpoint", "score (test)") else "right")
    lines: list[Any] = []
    for name, found in metrics.items():
        lines += [_accuracy(name, found), *_cautions(found), Text()]
        for place, (metric, row) in enumerate(_rows(found)):
            table.add_row("" if place else name, metric, *row)
    limits = (limits_sentence(found, name) for name, found in metrics.items())
    lines += [table, *(Text(said, style="dim") for said in limits if said), Text()]
    for statement in statements.values():
        lines += [Text(statement["sentence"]), Text(statement["data_draws"]["sentence"])]
        lines += [Text(statement["single_replicate"], style="dim"), Text()]
    return lines


def _in_brief(metrics: dict[str, Any], statements: dict[str, Any]) -> list[Any]:
    """Of many endpoints: a row each, then a paragraph for each that needs attention."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    titles = ["endpoint", "verdict", "test score", "baseline", "retrained\nwithin", "tolerance"]
    samples = any(one["data_draws"]["stated"] for one in statements.values())
    for title in [*titles, "another\nsample"] if samples else titles:
        table.add_column(title, justify="left" if title in ("endpoint", "verdict") else "right")
    notes: list[Any] = []
    for name, found in metrics.items():
        statement, metric = statements[name], MAIN[found["kind"]]
        bound, tolerance = told_apart(statement["difference_bound"], statement["tolerance"])
        better = max if metric in HIGHER_IS_BETTER else min
        simple = better((one[metric] for one in found["baselines"].values()), default=None)
        score = found["ensemble"][metric]
        table.add_row(
            name,
            Text(
                verdict_words(found) + (" (few)" if found["n_test"] < FEWEST else ""),
                style=VERDICT_COLOURS[found["verdict"]["word"]],
            ),
            "–" if score is None else f"{SCORE_NAMES[metric]} {score:.3g}",
            "–" if simple is None else f"{simple:.3g}",
            Text(bound if statement["met"] else f"{bound} *", style="" if statement["met"] else "yellow"),
            tolerance,
            *([_another_sample(statement["data_draws"])] if samples else []),
        )
        few = cautions(found)
        if few or found["verdict"]["word"] != "useful":
            notes += [Text(" ".join([accuracy_sentences(found, name), *few])), Text()]
    return [table, Text(), *notes, *_limits(metrics), *_not_met(statements)]


def _not_met(statements: dict[str, Any]) -> list[Text]:
    """The statement of an endpoint whose tolerance is not met; of several, how many replicates each takes."""
    found = {name: one for name, one in statements.items() if not one["met"]}
    if len(found) < 2:
        return [line for one in found.values() for line in (Text(one["sentence"]), Text())]
    needed = ", ".join(f"{name} {one['replicates_for_tolerance']}" for name, one in found.items())
    said = (
        f"The tolerance of {len(found)} endpoints is not met (*). Replicates that it would take: "
        f"{needed}. Set replicates.max (or count) higher, or replicates.tolerance wider."
    )
    return [Text(said), Text()]


def _another_sample(found: dict[str, Any]) -> str:
    """How far an ensemble trained on another sample would differ; a dash where that is not stated."""
    return two_digits(found["difference_expected"]) if found["stated"] else "–"


def _accuracy(name: str, found: dict[str, Any]) -> Text:
    """The sentence on an endpoint's accuracy, with the verdict in colour."""
    words = verdict_words(found)
    text = Text(accuracy_sentences(found, name))
    text.stylize(VERDICT_COLOURS[found["verdict"]["word"]], len(name) + 2, len(name) + 2 + len(words))
    return text


def _cautions(found: dict[str, Any]) -> list[Text]:
    """What not to trust, a line each."""
    return [Text(line, style="yellow") for line in cautions(found)]


def _rows(found: dict[str, Any]) -> list[tuple[str, tuple[str, str, str]]]:
    """(metric, (ensemble, single replicates, worst to best)) of one endpoint."""
    rows = []
    for metric in MAIN_SCORES[found["kind"]]:
        whole, replicates = found["ensemble"][metric], found["replicates"][metric]
        if whole is None or replicates["mean"] is None:
            continue
        low, high = replicates["min"], replicates["max"]
        worst, best = (low, high) if metric in HIGHER_IS_BETTER else (high, low)
        unit = f" ({found['unit']})" if metric in IN_UNITS and found["unit"] else ""
        cells = (
            f"{whole:.3f}",
            f"{replicates['mean']:.3f} ± {replicates['sd']:.3f}",
            f"{worst:.3f} to {best:.3f}",
        )
        rows.append((f"{SCORE_NAMES[metric]}{unit}", cells))
    return rows


def _shown(workspace: Workspace, path: Path) -> str:
    """A path as short as it can be typed from where the user stands."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
