"""An explanation as PNG: RDKit's own canvas, which needs no other program."""

import unicodedata
from typing import Any

from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D
from rdkit.Geometry import Point2D

from manywalks.report import drawing
from manywalks.report.explanations.explanation import MARGIN, Line, Mark, Picture

# pixels a unit of the drawing
SCALE = 2
_INK, _GREY = (0.11, 0.13, 0.15, 1.0), (0.35, 0.39, 0.43, 1.0)
_FILLS = {"more": (0.90, 0.62, 0.0, 0.75), "less": (0.34, 0.71, 0.91, 0.75)}
# of a dashed ring: so many dashes, each over so many degrees
_DASHES, _DASH = 12, 18
_PALETTE = {
    7: (0.12, 0.31, 0.82), 8: (0.78, 0.06, 0.18), 9: (0.04, 0.48, 0.23), 15: (0.70, 0.35, 0.0),
    16: (0.54, 0.43, 0.0), 17: (0.04, 0.48, 0.23), 35: (0.54, 0.23, 0.07), 53: (0.42, 0.11, 0.60),
    -1: _INK[:3],
}  # fmt: skip


def png(picture: Picture) -> bytes:
    """The picture as a PNG of SCALE pixels a unit, on white."""
    width = SCALE * (drawing.WIDTH + 2 * MARGIN)
    canvas = rdMolDraw2D.MolDraw2DCairo(
        width, int(SCALE * (picture.bottom - picture.top)), SCALE * drawing.WIDTH, SCALE * drawing.HEIGHT
    )
    mol = Chem.MolFromSmiles(picture.smiles)
    # drawn once to learn where the atoms come to lie, and again over the marks
    atoms = _draw_molecule(canvas, mol, picture.top)
    canvas.ClearDrawing()
    canvas.SetOffset(0, 0)
    for place, mark in enumerate(picture.marks):
        _draw_mark(canvas, mark, atoms[place] if place < len(atoms) else _at(mark.x, mark.y, picture.top))
    _draw_molecule(canvas, mol, picture.top)
    canvas.SetOffset(0, 0)
    canvas.SetColour(_INK)
    for line in picture.lines:
        _draw_line(canvas, line, picture.top)
    canvas.FinishDrawing()
    return canvas.GetDrawingText()


def _at(x: float, y: float, top: float) -> Point2D:
    """A point in pixels."""
    return Point2D(SCALE * (x + MARGIN), SCALE * (y - top))


def _draw_mark(canvas: Any, mark: Mark, centre: Point2D) -> None:
    """A disc, or a dashed ring."""
    canvas.SetFillPolys(mark.kind in _FILLS)
    r = SCALE * mark.radius
    if mark.kind in _FILLS:
        canvas.SetColour(_FILLS[mark.kind])
        canvas.DrawEllipse(centre - Point2D(r, r), centre + Point2D(r, r), True)
    elif mark.kind == "doubt":
        canvas.SetColour(_GREY)
        canvas.SetLineWidth(3)
        for start in range(0, 360, 360 // _DASHES):
            canvas.DrawArc(centre, r, start, start + _DASH, True)


def _draw_molecule(canvas: Any, mol: Chem.Mol, top: float) -> list[Point2D]:
    """The molecule about where `drawing.draw_mol` has it; its atoms' places in pixels."""
    options = canvas.drawOptions()
    options.clearBackground = False
    options.setAtomPalette(_PALETTE)
    drawing.set_sizes(options, SCALE)
    canvas.SetOffset(SCALE * MARGIN, int(-SCALE * top))
    canvas.DrawMolecule(rdMolDraw2D.PrepareMolForDrawing(mol))
    return [canvas.GetDrawCoords(index) for index in range(mol.GetNumAtoms())]


def _draw_line(canvas: Any, line: Line, top: float) -> None:
    """A line of text; RDKit's canvas has the letters of ASCII alone."""
    canvas.SetFontSize(SCALE * (16 if line.bold else 14))
    text = line.text.replace("µ", "u").replace("μ", "u").replace("–", "-").replace("−", "-")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    canvas.DrawString(plain, _at(line.x, line.y - 5, top), 1, True)
