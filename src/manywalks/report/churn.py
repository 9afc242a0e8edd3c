"""reports/churn.html: how predictions changed from one model to the next, and which molecules moved most."""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from manywalks.formatting import count, number, short
from manywalks.report import drawing
from manywalks.report.html import Link, template_text

NAME = "churn.html"


def page(found: dict[str, Any], written: str = "", links: Sequence[Link] = ()) -> str:
    """The whole page as HTML.

    Args:
        found: former and new (what the models are called), endpoints, and perhaps left_out (molecules).
        written: a date.
        links: to other pages of the folder.
    """
    context = {
        "style": Markup(template_text("report.css") + drawing.STYLE),
        "found": found,
        "written": written,
        "links": links,
        "left_out": found.get("left_out", 0),
        "endpoints": [_part(name, one) for name, one in found["endpoints"].items()],
        "cannot_draw": drawing.why_not(),
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"short": short, "count": count}
    return environment.from_string(template_text("churn.html.j2")).render(context)


def _part(name: str, one: dict[str, Any]) -> dict[str, Any]:
    """One endpoint."""
    return {
        "name": name,
        "unit": "probability before calibration" if one["kind"] == "classification" else one["unit"],
        "sentences": [text.removeprefix(f"{name}: ") for text in one["sentences"]],
        "moved": [_card(moved) for moved in one.get("moved_most", [])],
        "beyond": one.get("beyond", {"molecules": 0, "named": []}),
    }


def _card(moved: dict[str, Any]) -> dict[str, Any]:
    """A molecule with its picture."""
    name = moved["id"]
    return {
        **moved,
        "picture": Markup(drawing.framed(drawing.draw(moved["smiles"]), f"Structure of {name}")),
        "difference": ("+" if moved["change"] > 0 else "") + number(moved["change"], 2),
    }
