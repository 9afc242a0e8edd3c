"""reports/reproduction.html: whether a retraining kept the promise, and what makes replicates differ.

It is a page of its own, not part of report.html: both studies run only when somebody asks for them, and a
page that the pipeline makes may not depend on what the pipeline does not record.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from manywalks import files
from manywalks.evaluate.registry import SCORE_NAMES
from manywalks.formatting import count, short
from manywalks.report.html import Link, links_to, script, template_text, unescaped
from manywalks.reproduce.agreement import verdict
from manywalks.reproduce.figures import against_bounds, both_ensembles, spreads

NAME = "reproduction.html"


def write(reports: Path) -> Path:
    """Write the page from reproduction.json and sources.json, as far as they are there."""
    found, points, sources = (
        files.read_json(path) if path.is_file() else None
        for path in (
            reports / "reproduction.json",
            reports / "plots" / "reproduction.json",
            reports / "sources.json",
        )
    )
    links = links_to(reports, "report.html", "compare.html", "card.md")
    files.write_text(reports / NAME, page(found, points or [], sources, date.today().isoformat(), links))
    return reports / NAME


def page(
    found: dict[str, Any] | None,
    points: list[dict[str, Any]],
    sources: dict[str, Any] | None,
    written: str = "",
    links: Sequence[Link] = (),
) -> str:
    """The whole page as HTML.

    Args:
        found: of reproduction.json; None where nothing was retrained.
        points: of plots/reproduction.json.
        sources: of sources.json; None where the sources were not studied.
        written: a date.
    """
    names = list((found or sources or {"endpoints": {}})["endpoints"])
    context = {
        "style": Markup(template_text("report.css") + template_text("study.css")),
        "script": Markup(script("charts.js")),
        "found": found,
        "written": written,
        "links": links,
        "sources": sources,
        "packages": [] if found is None else _packages(found),
        "endpoints": [
            {"name": name, **_retrained(name, found, points), **_parted(name, sources)} for name in names
        ],
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"short": short, "count": count}
    return environment.from_string(template_text("reproduction.html.j2")).render(context)


def same_seed_sentence(name: str, sources: dict[str, Any]) -> str:
    """What a fixed seed is worth, for one endpoint."""
    one, everything = sources["same_seed"][name], sources["endpoints"][name]["all"]["spread"]
    unit = f" {sources['units'][name]}" if sources["units"][name] else ""
    here = "to the last bit" if one["here"] == 0 else f"to within {short(one['here'], 2)}{unit}"
    return (
        f"{name}: two runs with the same seed agree {here} on this machine, with one thread and with all. "
        "On a machine that rounds differently (imitated by moving one initial weight by 1e-7) their "
        f"predictions would differ by {short(one['elsewhere'], 2)}{unit} ({short(one['low'], 2)} to "
        f"{short(one['high'], 2)}), root mean square, and by {short(one['largest'], 2)}{unit} at the worst "
        f"molecule. Two runs with different seeds differ by {short(everything * 2**0.5, 2)}{unit}."
    )


def _retrained(name: str, found: dict[str, Any] | None, points: list[dict[str, Any]]) -> dict[str, Any]:
    """One endpoint's part about the retraining."""
    if found is None or name not in found["endpoints"]:
        return {"verdict": None, "agrees": None, "retrained_figures": [], "metrics": []}
    one = found["endpoints"][name]
    own = [point for point in points if point["endpoint"] == name]
    drawn = [both_ensembles(own, one)] if own else []
    return {
        "verdict": verdict(one, name),
        "agrees": one["agrees"],
        "retrained_figures": [unescaped(figure) for figure in (*drawn, against_bounds(one))],
        "metrics": [{"name": SCORE_NAMES[metric], **row} for metric, row in one["metrics"].items()],
    }


def _parted(name: str, sources: dict[str, Any] | None) -> dict[str, Any]:
    """One endpoint's part about the sources."""
    if sources is None or name not in sources["endpoints"]:
        return {"same_seed": None, "data_draw": None, "spread_figure": None, "rows": []}
    rows = sources["endpoints"][name]
    return {
        "same_seed": same_seed_sentence(name, sources),
        "data_draw": sources.get("data_draws", {}).get(name, {}).get("sentence"),
        "spread_figure": unescaped(spreads(rows, sources["units"][name])),
        "rows": [{"name": source, **row} for source, row in rows.items()],
    }


def _packages(found: dict[str, Any]) -> list[dict[str, str]]:
    """Versions then and now."""
    now = found["retrained_with"]
    return [
        {"name": name, "then": then, "now": now.get(name, "–")}
        for name, then in found["trained_with"].items()
    ]
