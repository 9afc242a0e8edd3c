"""reports/record.html and record.parquet: the promises of every night, and how they were kept."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from manywalks import files
from manywalks.evaluate.registry import SCORE_NAMES
from manywalks.formatting import count, percent, short
from manywalks.record.figures import figures
from manywalks.record.nights import Kept, read
from manywalks.record.summary import Summary, by_model, by_month, how_they_did, summary
from manywalks.record.warnings import Warned
from manywalks.report.html import Link, links_to, script, template_text, unescaped
from manywalks.workspace import Workspace

PAGE, TABLE = "record.html", "record.parquet"
# nights whose rows the page shows; the others are in record.parquet
SHOWN = 30


def write(workspace: Workspace) -> Summary:
    """Make both files from the nights that are kept."""
    kept = read(workspace)
    found = summary(kept)
    with files.atomic_path(workspace.reports / TABLE) as temporary:
        pd.DataFrame(found.runs).to_parquet(temporary, index=False)
    links = links_to(workspace.reports, "report.html", "churn.html", "card.md")
    files.write_text(workspace.reports / PAGE, page(kept, found, date.today().isoformat(), links))
    return found


def page(kept: Kept, found: Summary, written: str = "", links: Sequence[Link] = ()) -> str:
    """The whole page as HTML; `written` is a date."""
    changes = _changes(kept)
    context = {
        "style": Markup(template_text("report.css") + template_text("study.css")),
        "script": Markup(script("charts.js")),
        "written": written,
        "links": links,
        "nights": len(kept.nights),
        "first": kept.nights[0]["when"][:10] if kept.nights else "",
        "last": kept.nights[-1]["when"][:10] if kept.nights else "",
        "rebuilt": sum(bool(night.get("rebuilt")) for night in kept.nights),
        "damaged": kept.damaged,
        "endpoints": [_part(name, found, changes) for name in found.judged],
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"short": short, "count": count, "percent": percent}
    return environment.from_string(template_text("record.html.j2")).render(context)


def _part(name: str, found: Summary, changes: list[dict[str, str]]) -> dict[str, Any]:
    """One endpoint."""
    runs, judged, warnings = found.of(name), found.judged[name], found.warnings[name]
    now = runs[-1]["night"]
    words = {one: found.words(one, name).removeprefix(f"{name}: ") for one in warnings}
    return {
        "name": name,
        "unit": runs[-1]["unit"],
        "score": SCORE_NAMES.get(runs[-1]["metric"], "score"),
        "is_class": runs[-1]["kind"] == "classification",
        "nominal": runs[-1]["coverage"],
        "now": [said for one, said in words.items() if one.night == now],
        "before": [(one.night[:10], words[one]) for one in _firsts(warnings) if one.night != now],
        "whole": how_they_did(judged),
        "figures": [unescaped(figure) for figure in figures(runs, judged, warnings, changes)],
        "months": by_month(judged),
        "models": by_model(judged),
        "runs": runs[::-1][:SHOWN],
        "more": max(0, len(runs) - SHOWN),
    }


def _firsts(warnings: list[Warned]) -> list[Warned]:
    """The first warning of each stretch of one kind: a shift that lasts is raised again every night."""
    found: list[Warned] = []
    last: dict[str, str] = {}
    for one in warnings:
        if last.get(one.kind, "") < one.since:  # the former warning is not in this window
            found.append(one)
        last[one.kind] = one.night
    return found


def _changes(kept: Kept) -> list[dict[str, str]]:
    """When another model became the champion: when, name and reason."""
    found, before = [], None
    for night in kept.nights:
        if night["champion"] not in (before, None):
            reason = night["reason"] if night["promoted"] else "made the champion by hand"
            found.append({"when": night["when"], "name": night["champion"], "reason": reason})
        before = night["champion"]
    return found
