"""The drawing of an explanation: a molecule with each atom's contribution as a disc, as SVG or PNG."""

import textwrap
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from rdkit import Chem

from manywalks import files
from manywalks.ensemble.explain import AGREEMENT, SURE, Explanation
from manywalks.formatting import number
from manywalks.report import drawing

# around the molecule, and a line of text, in the drawing's units
MARGIN, LINE = 24, 20
# letters of a bold and of a plain line: about 8.4 and 7 units each
BOLD, PLAIN = int((drawing.WIDTH + 2 * MARGIN) / 8.4), int((drawing.WIDTH + 2 * MARGIN) / 7.1)
FORMATS = (".svg", ".png")
STYLE = (
    ".more{fill:#e69f00;fill-opacity:.75}.less{fill:#56b4e9;fill-opacity:.75}"
    ".nothing{fill:#fff;fill-opacity:0}"
    ".doubt{fill:none;stroke:#59636e;stroke-width:1.6;stroke-dasharray:4 3}"
    "text.h,.k text{font:14px Helvetica,Arial,sans-serif;fill:#1c2127}"
    "text.h{font-weight:bold;font-size:16px}"
)


class Mark(NamedTuple):
    """A disc or an open ring, in the drawing's units; `words` for a pointer that rests on it."""

    x: float
    y: float
    radius: float
    kind: str
    words: str = ""


class Line(NamedTuple):
    """A line of text in the drawing's units."""

    x: float
    y: float
    text: str
    bold: bool = False


class Picture(NamedTuple):
    """An explanation laid out; the molecule takes drawing.WIDTH x drawing.HEIGHT from (0, 0) on.

    Attributes:
        smiles: the molecule.
        marks: under the molecule, and in the legend.
        lines: the title above, the legend below.
        top, bottom: of the whole picture.
    """

    smiles: str
    marks: list[Mark]
    lines: list[Line]
    top: float
    bottom: float


def picture(explanation: Explanation, endpoint: str | None = None, *, most: float | None = None) -> Picture:
    """Lay out an explanation.

    Orange adds to the prediction, blue takes from it, on one scale; an open dashed ring is an atom whose sign
    is not to be trusted, since single replicates differ about it or about its size.

    Args:
        most: the contribution that the largest disc stands for (default: that of this molecule).
    """
    if reason := drawing.why_not():
        raise ValueError(reason)
    atoms = explanation.atoms(endpoint)
    drawn = drawing.draw_mol(Chem.MolFromSmiles(explanation.smiles))
    most = most or largest(explanation, endpoint) or 1.0
    rows = zip(drawn.atoms, atoms.to_dict("records"), strict=True)
    marks = [_mark(place, row, most) for place, row in rows]
    first, second = explanation.headline(endpoint)
    heads = [(part, True) for part in textwrap.wrap(first, BOLD)]
    heads += [(part, False) for part in textwrap.wrap(second, PLAIN)]
    top = -16.0 - LINE * len(heads)
    titles = [Line(0, top + 22 + LINE * place, *head) for place, head in enumerate(heads)]
    keys, legend = _legend(atoms, most, unit_of(explanation, endpoint))
    return Picture(explanation.smiles, marks + keys, titles + legend, top, legend[-1].y + 12)


def largest(explanation: Explanation, endpoint: str | None = None) -> float:
    """The largest contribution of an atom, of either sign."""
    return float(np.nanmax(np.abs(explanation.atoms(endpoint)["contribution"].to_numpy()), initial=0.0))


def unit_of(explanation: Explanation, endpoint: str | None) -> str:
    """The unit of contributions, as it follows a number."""
    column = explanation.column(endpoint)
    return "in probability" if explanation.kinds[column] == "classification" else explanation.units[column]


def svg(explanation: Explanation, endpoint: str | None = None) -> str:
    """The picture as one SVG, of its own colours."""
    style = f"<style>svg{{background:#fff;color:#1c2127}}{STYLE}{drawing.STYLE}</style>"
    return svg_of(picture(explanation, endpoint), style)


def svg_of(laid_out: Picture, style: str = "") -> str:
    """A picture as an SVG element; a page has the STYLE itself."""
    inside = drawing.draw_mol(Chem.MolFromSmiles(laid_out.smiles)).inside
    height = laid_out.bottom - laid_out.top
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-{MARGIN} {laid_out.top:g} '
        f'{drawing.WIDTH + 2 * MARGIN} {height:g}" width="640" role="img" '
        f'aria-label="Atom contributions of {escape(laid_out.smiles)}">{style}'
        f"{''.join(map(_text, laid_out.lines))}{''.join(map(_circle, laid_out.marks))}"
        f'<g class="mol">{inside}</g></svg>'
    )


def check_picture(path: Path) -> None:
    """A picture of another format would be an SVG under a false name."""
    if path.suffix.lower() not in FORMATS:
        raise ValueError(
            f"{path}: {path.suffix!r} is no format of explanations; end it in {', '.join(FORMATS)}, or .html "
            "for a page"
        )


def write_picture(explanation: Explanation, path: Path, endpoint: str | None = None) -> None:
    """Write the drawing as SVG or PNG."""
    check_picture(path)
    if path.suffix.lower() == ".png":
        from manywalks.report.explanations.png import png

        files.write_bytes(path, png(picture(explanation, endpoint)))
        return
    files.write_text(path, svg(explanation, endpoint) + "\n")


def _mark(place: tuple[float, float], row: dict[Any, Any], most: float) -> Mark:
    """One atom's mark, with its numbers."""
    value = row["contribution"]
    if np.isnan(value):
        return Mark(*place, 9, "doubt", "not known")
    sure = "more" if value > 0 else "less" if value < 0 else "nothing"
    words = (
        f"{row['symbol']}{row['atom']}: {value:+.3g}, SD of single replicates {row['spread']:.2g}; "
        f"{100 * row['agreement']:.0f} % of replicates agree on the sign"
    )
    return Mark(*place, 7 + 17 * (abs(value) / most) ** 0.5, sure if row["trusted"] else "doubt", words)


def _legend(atoms: pd.DataFrame, most: float, unit: str) -> tuple[list[Mark], list[Line]]:
    """What the marks mean."""
    doubtful = int((~atoms["trusted"].to_numpy(dtype=bool)).sum())
    size = f"the largest disc, of either sign, is {number(most, 2)} {unit}".rstrip()
    doubt = (
        f"not to be trusted ({doubtful} of {len(atoms)} atoms): less than {SURE:g} SD of single replicates "
        f"from zero, or fewer than {100 * AGREEMENT:g} % of them agree on the sign"
    )
    y = drawing.HEIGHT + 28.0
    marks = [Mark(12, y - 5, 8, "more"), Mark(84, y - 5, 8, "less")]
    lines = [Line(26, y, "adds"), Line(98, y, "takes away")]
    lines += [Line(4, y + LINE * (1 + n), text) for n, text in enumerate(textwrap.wrap(size, PLAIN))]
    y = lines[-1].y + LINE + 4
    marks.append(Mark(12, y - 5, 8, "doubt"))
    wrapped = textwrap.wrap(doubt, PLAIN - 4)
    return marks, lines + [Line(26, y + LINE * place, text) for place, text in enumerate(wrapped)]


def _text(line: Line) -> str:
    """A line of text as SVG."""
    head = '<text class="h"' if line.bold else "<text"
    return f'<g class="k">{head} x="{line.x:g}" y="{line.y:g}">{escape(line.text)}</text></g>'


def _circle(mark: Mark) -> str:
    """A mark as SVG."""
    start = f'<circle cx="{mark.x:.1f}" cy="{mark.y:.1f}" r="{mark.radius:.1f}" class="{mark.kind}"'
    return f"{start}><title>{escape(mark.words)}</title></circle>" if mark.words else f"{start}/>"
