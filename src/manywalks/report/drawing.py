"""Molecules as small SVG: RDKit draws, and what it repeats for every bond is said once.

A drawing of RDKit's is about 10 kB; merged by colour and rounded it is about 1 kB, so a page can hold
thousands. Colours become classes (`o` oxygen, `n` nitrogen ...), so that a page sets them for its background.
"""

import re
from functools import cache
from html import escape
from typing import Any, NamedTuple

from rdkit import Chem, rdBase

WIDTH, HEIGHT = 480, 360
# at most so many units a bond, or benzene would fill the frame that a steroid needs
_BOND = 62
_STROKE = 3
_TEXT = 26
_PALETTE = {
    6: (0.0, 0.0, 0.0),
    7: (0.0, 0.0, 1.0),
    8: (1.0, 0.0, 0.0),
    9: (0.0, 1.0, 0.0),
    15: (1.0, 0.5, 0.0),
    16: (1.0, 1.0, 0.0),
    17: (0.0, 1.0, 0.0),
    35: (0.5, 0.3, 0.1),
    53: (0.5, 0.0, 0.5),
}
_CLASSES = {
    "#000000": "c",
    "#0000FF": "n",
    "#FF0000": "o",
    "#00FF00": "l",
    "#FF7F00": "p",
    "#FFFF00": "s",
    "#7F4C19": "b",
    "#7F007F": "i",
}
STYLE = (
    ".mol path{fill:none;stroke:currentColor;stroke-width:3;stroke-linejoin:round;stroke-linecap:round}"
    ".mol path.f{fill:currentColor;stroke-width:1}.mol text{fill:currentColor;stroke:none}"
    ".mol{font:26px Helvetica,Arial,sans-serif}"
    ".mol .n{color:var(--mol-n,#1f4fd1)}.mol .o{color:var(--mol-o,#c8102e)}"
    ".mol .l{color:var(--mol-l,#0b7a3b)}.mol .p{color:var(--mol-p,#b35900)}"
    ".mol .s{color:var(--mol-s,#8a6d00)}.mol .b{color:var(--mol-b,#8a3b12)}"
    ".mol .i{color:var(--mol-i,#6a1b9a)}"
)
# paths without a class only round the corners where bonds meet, which the page's line joins do
_PATH = re.compile(r"<path class='[^>]*? d='([^']*)' style='([^']*)'")
_TEXTS = re.compile(r"<text x='([\d.-]+)' y='([\d.-]+)'[^>]*?style='([^']*)'\s*>([^<]*)</text>")
_POINT = re.compile(r"([ML])?\s*([\d.-]+),([\d.-]+)")


class Drawn(NamedTuple):
    """A drawn molecule: the inside of an SVG of WIDTH x HEIGHT, and where each atom stands in it."""

    inside: str
    atoms: list[tuple[float, float]]


@cache
def why_not() -> str:
    """Why this machine cannot draw; empty where it can."""
    try:
        from rdkit.Chem.Draw import rdMolDraw2D  # noqa: F401
    except ImportError as error:
        return f"RDKit cannot draw here ({error}); on Debian: apt-get install libxrender1 libxext6 libexpat1"
    return ""


def draw(smiles: str) -> str:
    """The inside of a molecule's SVG; empty where it does not parse or nothing can be drawn here."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        if mol is None or mol.GetNumAtoms() == 0:
            # what does not sanitize can often be drawn as it was written
            mol = Chem.MolFromSmiles(smiles, sanitize=False)
            if mol is None or mol.GetNumAtoms() == 0:
                return ""
            mol.UpdatePropertyCache(strict=False)
        return "" if why_not() else draw_mol(mol).inside


def draw_mol(mol: Chem.Mol) -> Drawn:
    """Draw a molecule."""
    from rdkit.Chem.Draw import rdMolDraw2D

    drawer = rdMolDraw2D.MolDraw2DSVG(WIDTH, HEIGHT, -1, -1, True)
    options: Any = drawer.drawOptions()
    options.clearBackground = False
    set_sizes(options)
    options.setAtomPalette({**_PALETTE, -1: (0.0, 0.0, 0.0)})
    # what came without sanitizing has no ring information to kekulize or to mark stereo by
    prepared = rdMolDraw2D.PrepareMolForDrawing(mol, kekulize=mol.NeedsUpdatePropertyCache() is False)
    drawer.DrawMolecule(prepared)
    atoms = [drawer.GetDrawCoords(index) for index in range(mol.GetNumAtoms())]
    drawer.FinishDrawing()
    return Drawn(compact(drawer.GetDrawingText()), [(point.x, point.y) for point in atoms])


def set_sizes(options: Any, scale: int = 1) -> None:
    """RDKit's options for a molecule in a frame of WIDTH x HEIGHT units of so many pixels."""
    options.fixedBondLength = scale * _BOND
    options.minFontSize, options.maxFontSize = scale * 10, scale * _TEXT
    options.bondLineWidth = scale * _STROKE
    options.padding = 0.04


def compact(svg: str) -> str:
    """RDKit's SVG, its strokes merged by colour, coordinates whole numbers."""
    strokes: dict[str, list[str]] = {}
    for data, style in _PATH.findall(svg):
        filled = "fill:none" not in style
        colour = re.search(r"(?:stroke|fill):(#[0-9A-F]{6})", style)
        name = _CLASSES.get(colour.group(1), "c") if colour else "c"
        strokes.setdefault(f"{name} f" if filled else name, []).append(_relative(data, closed=filled))
    paths = "".join(f"<path{_class(name)} d='{''.join(parts)}'/>" for name, parts in strokes.items())
    return paths + "".join(_letter(*found) for found in _TEXTS.findall(svg))


def framed(inside: str, label: str) -> str:
    """A whole SVG element, for a page whose style sheet holds STYLE."""
    if not inside:
        return '<div class="mol none">not drawn</div>'
    frame = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}"'
    return f'<svg class="mol" {frame}>{inside}</svg>'


def _relative(data: str, *, closed: bool) -> str:
    """Path data with whole numbers, relative after the first point."""
    text, last = "", (0, 0)
    for command, x, y in _POINT.findall(data):
        here = (round(float(x)), round(float(y)))
        if command == "M" or not text:
            text += f"M{here[0]} {here[1]}"
        elif here != last:
            dx, dy = here[0] - last[0], here[1] - last[1]
            text += f"l{dx} {dy}" if dy >= 0 else f"l{dx}{dy}"
        last = here
    return text + ("z" if closed else "")


def _letter(x: str, y: str, style: str, text: str) -> str:
    """One letter of an atom's label."""
    colour = re.search(r"fill:(#[0-9A-F]{6})", style)
    size = re.search(r"font-size:(\d+)px", style)
    name = _CLASSES.get(colour.group(1), "c") if colour else "c"
    points = int(size.group(1)) if size else _TEXT
    shown = f" font-size='{points}'" if points != _TEXT else ""
    return f"<text{_class(name)} x='{round(float(x))}' y='{round(float(y))}'{shown}>{escape(text)}</text>"


def _class(name: str) -> str:
    """The class attribute; carbon needs none."""
    return (
        "" if name == "c" else f" class='{name.removeprefix('c ')}'" if name == "c f" else f" class='{name}'"
    )
