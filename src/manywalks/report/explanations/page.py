"""The page of a series: the explanations of many molecules, on one scale."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from manywalks import files
from manywalks.ensemble.explain import Explanation
from manywalks.formatting import count, number
from manywalks.report import drawing
from manywalks.report.explanations.explanation import STYLE, largest, picture, svg_of, unit_of
from manywalks.report.html import template_text


class Explained(NamedTuple):
    """One molecule of a series: its name, what is written of it, and its explanation or why it has none."""

    id: str
    smiles: str
    explanation: Explanation | None
    rejected: str = ""


def write_page(series: Sequence[Explained], path: Path, title: str, endpoint: str | None = None) -> None:
    """Write the page of a series as one HTML file that needs no network."""
    files.write_text(path, page(series, title, endpoint, date.today().isoformat()))


def page(series: Sequence[Explained], title: str, endpoint: str | None = None, written: str = "") -> str:
    """The whole page as HTML; every disc is on the scale of the largest contribution of all molecules."""
    shown = [(one, one.explanation) for one in series if one.explanation is not None]
    if not shown:
        why = f"{series[0].id}: {series[0].rejected}" if series else "the table is empty"
        raise ValueError(f"{title}: no molecule can be explained ({why})")
    first = shown[0][1]
    most = max(largest(explanation, endpoint) for _, explanation in shown)
    context = {
        "title": title,
        "style": Markup(template_text("report.css") + STYLE + drawing.STYLE),
        "endpoint": first.endpoints[first.column(endpoint)],
        "legend": first.legend(endpoint),
        "count": count(len(shown), "molecule"),
        "most": f"{number(most, 2)} {unit_of(first, endpoint)}".rstrip(),
        "written": written,
        "molecules": [_molecule(*one, endpoint, most) for one in shown],
        "rejected": [one for one in series if one.explanation is None],
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(template_text("explanations.html.j2")).render(context)


def _molecule(one: Explained, explanation: Explanation, endpoint: str | None, most: float) -> dict[str, Any]:
    """What the page shows of one molecule."""
    first, second = explanation.headline(endpoint)
    laid_out = picture(explanation, endpoint, most=most)
    atoms = explanation.atoms(endpoint)
    # the page says once what each picture would say above and below the molecule
    alone = laid_out._replace(
        marks=laid_out.marks[: len(atoms)],
        lines=[],
        top=-10,
        bottom=drawing.HEIGHT + 10,
    )
    return {
        "id": one.id,
        "smiles": one.smiles,
        "first": first,
        "second": second,
        "svg": Markup(svg_of(alone)),
        "doubtful": int((~atoms["trusted"].to_numpy(dtype=bool)).sum()),
        "n": len(atoms),
        "atoms": [
            {
                "name": f"{row['symbol']}{row['atom']}",
                "contribution": f"{row['contribution']:+.3g}",
                "spread": f"{row['spread']:.2g}",
                "agreement": f"{100 * row['agreement']:.0f} %",
                "trusted": "yes" if row["trusted"] else "no",
            }
            for row in atoms.to_dict("records")
        ],
    }
