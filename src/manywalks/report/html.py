"""What every page shares: templates, styles and drawn figures."""

from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from manywalks.report.endpoint import Figure

# pages of a reports folder, by what a link to them says
PAGES = {
    "report.html": "Report",
    "compare.html": "Comparison",
    "reproduction.html": "Retraining",
    "churn.html": "What changed last",
    "card.md": "Model card",
}


class Link(NamedTuple):
    """A link to another page of the same folder."""

    file: str
    name: str


def links_to(reports: Path, *files: str) -> list[Link]:
    """Links to those of the pages that have been made."""
    return [Link(file, PAGES[file]) for file in files if (reports / file).is_file()]


def unescaped(figure: Figure) -> dict[str, Any]:
    """A figure whose SVG is not escaped."""
    return {**figure._asdict(), "svg": Markup(figure.svg)}


def template_text(name: str) -> str:
    """A file of report/templates."""
    return resources.files("manywalks.report").joinpath("templates", name).read_text(encoding="utf-8")


def script(*names: str) -> str:
    """Scripts of report/templates as one, whose names no other script of the page sees."""
    return "(() => {\n" + "\n".join(template_text(name) for name in names) + "})();"
