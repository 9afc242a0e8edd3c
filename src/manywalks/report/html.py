"""What every page shares: templates, styles and drawn figures."""

from importlib import resources
from typing import Any

from markupsafe import Markup

from manywalks.report.endpoint import Figure


def unescaped(figure: Figure) -> dict[str, Any]:
    """A figure whose SVG is not escaped."""
    return {**figure._asdict(), "svg": Markup(figure.svg)}


def template_text(name: str) -> str:
    """A file of report/templates."""
    return resources.files("manywalks.report").joinpath("templates", name).read_text(encoding="utf-8")


def script(*names: str) -> str:
    """Scripts of report/templates as one, whose names no other script of the page sees."""
    return "(() => {\n" + "\n".join(template_text(name) for name in names) + "})();"
