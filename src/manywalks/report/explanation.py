"""The drawing of an explanation: a molecule with each atom's contribution as a disc, as one SVG file."""

import textwrap
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from manywalks import files
from manywalks.ensemble.explain import AGREEMENT, SURE, Explanation
from manywalks.formatting import number
from manywalks.report import drawing


def svg(explanation: Explanation, endpoint: str | None = None) -> str:
    """The molecule with each atom's contribution as a disc: its size and colour, or an open ring.

    Orange adds to the prediction, blue takes from it, on one scale; an open dashed ring is an atom whose sign
    is not to be trusted, since single replicates differ about it or about its size.
    """
    if reason := drawing.why_not():
        raise ValueError(reason)
    column = explanation.column(endpoint)
    atoms = explanation.atoms(endpoint)
    drawn = drawing.draw_mol(Chem.MolFromSmiles(explanation.smiles))
    most = float(np.nanmax(np.abs(atoms["contribution"].to_numpy()), initial=0.0)) or 1.0
    discs = "".join(
        _disc(place, row, most) for place, row in zip(drawn.atoms, atoms.to_dict("records"), strict=True)
    )
    unit = "in probability" if explanation.kinds[column] == "classification" else explanation.units[column]
    return _page(
        explanation.headline(endpoint), discs, drawn.inside, _legend(atoms, most, unit), explanation.smiles
    )


def check_svg(path: Path) -> None:
    """A picture of another format would be an SVG under a false name."""
    if path.suffix.lower() != ".svg":
        raise ValueError(f"{path}: {path.suffix!r} is no format of explanations; end it in .svg")


def write_svg(explanation: Explanation, path: Path, endpoint: str | None = None) -> None:
    """Write the drawing as one SVG file."""
    check_svg(path)
    files.write_text(path, svg(explanation, endpoint) + "\n")


def _disc(place: tuple[float, float], row: dict[Any, Any], most: float) -> str:
    """One atom's mark, with its numbers for a pointer that rests on it."""
    x, y = place
    value = row["contribution"]
    if np.isnan(value):
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" class="doubt"><title>not known</title></circle>'
    radius = 7 + 17 * (abs(value) / most) ** 0.5
    sure = "more" if value > 0 else "less" if value < 0 else "nothing"
    kind = sure if row["trusted"] else "doubt"
    words = (
        f"{row['symbol']}{row['atom']}: {value:+.3g}, SD of single replicates {row['spread']:.2g}; "
        f"{100 * row['agreement']:.0f} % of replicates agree on the sign"
    )
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" class="{kind}"><title>{words}</title></circle>'
    )


def _legend(atoms: pd.DataFrame, most: float, unit: str) -> str:
    """What the marks mean."""
    doubtful = int((~atoms["trusted"].to_numpy(dtype=bool)).sum())
    entries = (
        ("more", 12, 28, "adds"),
        ("less", 84, 28, "takes away"),
        ("", 190, 28, f"largest disc, of either sign: {number(most, 2)} {unit}".rstrip()),
        ("doubt", 12, 54, f"not to be trusted ({doubtful} of {len(atoms)} atoms): less than {SURE:g} SD of"),
        (
            "",
            12,
            74,
            f"single replicates from zero, or fewer than {100 * AGREEMENT:g} % of them agree on the sign",
        ),
    )
    return "".join(
        (f'<circle cx="{x}" cy="{drawing.HEIGHT + y - 5}" r="8" class="{kind}"/>' if kind else "")
        + f'<text x="{x + 14}" y="{drawing.HEIGHT + y}">{escape(text)}</text>'
        for kind, x, y, text in entries
    )


def _page(titles: tuple[str, str], discs: str, inside: str, legend: str, smiles: str) -> str:
    """The whole SVG."""
    style = (
        "svg{background:#fff;color:#1c2127}"
        ".more{fill:#e69f00;fill-opacity:.75}.less{fill:#56b4e9;fill-opacity:.75}"
        ".nothing{fill:#fff;fill-opacity:0}"
        ".doubt{fill:none;stroke:#59636e;stroke-width:1.6;stroke-dasharray:4 3}"
        "text.h,.k text{font:14px Helvetica,Arial,sans-serif;fill:#1c2127}"
        "text.h{font-weight:bold;font-size:16px}"
    )
    # about 8.4 of the drawing's units a bold letter, 7 a plain one: a long name takes another line
    lines = [
        (text, kind)
        for title, letter, kind in zip(titles, (8.4, 7.0), ("h", "k"), strict=True)
        for text in textwrap.wrap(title, int((drawing.WIDTH + 24) / letter))
    ]
    top = 16 + 20 * len(lines)
    heads = "".join(
        f'<g class="k"><text{" class=" + chr(34) + "h" + chr(34) if kind == "h" else ""} x="0" '
        f'y="{20 * place - top + 22}">{escape(text)}</text></g>'
        for place, (text, kind) in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="-24 {-top} {drawing.WIDTH + 48} {drawing.HEIGHT + top + 86}" '
        f'width="640" role="img" aria-label="Atom contributions of {escape(smiles)}">'
        f"<style>{style}{drawing.STYLE}</style>"
        f'{heads}{discs}<g class="mol">{inside}</g>'
        f'<g class="k">{legend}</g></svg>'
    )
