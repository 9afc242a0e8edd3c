"""The report's table of series: error, intervals and bound for molecules with one scaffold, worst first."""

from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from manywalks.formatting import count, percent, short, two_digits
from manywalks.report import drawing
from manywalks.report.endpoint import View
from manywalks.report.html import template_text

SHOWN = 10


def series_section(view: View) -> Markup:
    """The section as HTML; empty where no series has enough measured molecules, or a former run knew none."""
    found = view.statement.get("by_series")
    if not found or not found["worst"]:
        return Markup("")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"short": short, "percent": percent}
    context = {
        "rows": [_row(one) for one in found["worst"][:SHOWN]],
        "unit": view.unit.strip(" ()") or ("probability" if view.is_class else ""),
        "is_class": view.is_class,
        "coverage": view.coverage,
        "sentence": sentence(view),
        "confidence": view.statement["confidence"],
    }
    return Markup(environment.from_string(template_text("series.html.j2")).render(context))


def sentence(view: View) -> str:
    """How many series there are, and how much they say."""
    found = view.statement["by_series"]
    alone = count(found["alone"], "molecule")
    return (
        f"{count(view.statement['molecules'], f'{view.over} molecule')} belong to "
        f"{found['series']:,} series by their Murcko scaffold; {alone} "
        f"{'is' if found['alone'] == 1 else 'are'} alone in theirs. Molecules of a series are hard or easy "
        f"together, so they tell about as much as {two_digits(found['effective'])} independent series."
    )


def _row(one: dict[str, Any]) -> dict[str, Any]:
    """A series with its scaffold drawn."""
    scaffold = one["scaffold"]
    picture = drawing.framed(drawing.draw(scaffold), f"Scaffold {scaffold}") if scaffold else ""
    return {**one, "name": scaffold or "no ring", "picture": Markup(picture)}
