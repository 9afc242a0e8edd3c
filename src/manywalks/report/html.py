"""What every page shares: templates, styles and drawn figures."""

from importlib import resources
from typing import Any

from markupsafe import Markup

from manywalks.report.endpoint import Figure

STYLE = (
    ".zone{fill:var(--line);opacity:.6}.range{stroke:var(--muted);stroke-width:2.5;fill:none}"
    ".at{fill:var(--muted)}.range.worse{stroke:var(--orange)}.at.worse{fill:var(--orange)}"
    ".range.equivalent{stroke:var(--blue)}.at.equivalent,.at.best{fill:var(--blue)}"
    ".curve{fill:none;stroke:currentColor;stroke-width:1.8}.curve.dashed{stroke-dasharray:3 3}"
    ".c0{color:#0072b2}.c1{color:#d55e00}.c2{color:#009e73}.c3{color:#cc79a7}"
    ".c4{color:#e69f00}.c5{color:#56b4e9}.c6{color:#8a6d3b}.c7{color:#7a7a7a}"
    ".chart circle:not(.at),.budget rect{fill:currentColor}.chart .tag{fill:currentColor;font-size:11px}"
    ".matrix td{text-align:center;white-space:nowrap}.matrix td small{display:block}"
    ".matrix .better{background:var(--good-wash);color:var(--good)}"
    ".matrix .worse{background:var(--bad-wash);color:var(--bad)}"
    ".pair{white-space:nowrap}.matrix .equivalent{background:var(--wash)}.budget{max-width:48rem}"
)


def unescaped(figure: Figure) -> dict[str, Any]:
    """A figure whose SVG is not escaped."""
    return {**figure._asdict(), "svg": Markup(figure.svg)}


def template_text(name: str) -> str:
    """A file of report/templates."""
    return resources.files("manywalks.report").joinpath("templates", name).read_text(encoding="utf-8")
