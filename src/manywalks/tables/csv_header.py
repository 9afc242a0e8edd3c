"""The first lines of a CSV: Excel's `sep=`, the delimiter, the column names; what is no line of names."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from rdkit import Chem, rdBase

from manywalks.chemistry.missing import MISSING
from manywalks.tables.csv_rows import BLANK, parsed

DELIMITERS = (",", ";", "\t", "|")
SMILES_NAMES = ("smiles", "canonical_smiles", "drug", "mol", "structure", "molecule")
# words of a line of names above a list of SMILES
_NAMES = re.compile(r"smiles|structure|\b(id|name|title|mol|compound|molecule|drug)\b", re.IGNORECASE)
_SEP = re.compile(r"\ufeff?\"?sep=(.)\"?\s*$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+([eE][+-]?\d+)?")
_LINE_END = re.compile(r"\r\n|\r|\n")


class Layout(NamedTuple):
    """How a CSV is laid out: its delimiter, and how many lines stand above the column names (`sep=`)."""

    delimiter: str
    above: int


def find_layout(sample: str, delimiter: str | None) -> Layout:
    """From the first lines; the delimiter that is given, or that `sep=` names, needs no search."""
    lines = _LINE_END.split(sample)
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if named := _SEP.match(lines[first]):
        return Layout(delimiter or named[1], first + 1)
    return Layout(delimiter or find_delimiter(sample), 0)


def find_delimiter(sample: str) -> str:
    """The delimiter under which most of the first lines have as many cells as the header (comma if none)."""
    lines = [line for line in _LINE_END.split(sample)[:101] if line.strip()]
    lines = lines[:-1] if len(lines) > 2 and len(sample) >= 1 << 16 else lines  # the last may be cut off

    def agreement(delimiter: str) -> tuple[float, int]:
        widths = [len(cells) for cells in (parsed(line, delimiter) for line in lines) if cells]
        if not widths or widths[0] < 2:
            return 0.0, 0
        return Counter(widths)[widths[0]] / len(widths), widths[0]

    best = max(DELIMITERS, key=agreement)
    if agreement(best)[1]:
        return best
    # blanks part columns where every line has as many words; else they are part of a name
    return BLANK if lines and agreement(BLANK)[0] > 0.9 and _are_names(lines[0].split()) else ","


def column_names(line: str, delimiter: str) -> list[str]:
    """The names in a line; columns without one are numbered, as pandas numbers them."""
    names = [name.strip() for name in parsed(line, delimiter)]
    return [name or f"Unnamed: {place}" for place, name in enumerate(names)]


def refuse_repeated(names: Sequence[str], name: str) -> None:
    """Two columns of one name: nothing says which is meant."""
    repeated = [name for name, count in Counter(names).items() if count > 1 and name]
    if repeated:
        raise ValueError(
            f"{name}: has more than one column {', '.join(map(repr, repeated))}; rename all but one of them"
        )


def refuse_no_header(names: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> None:
    """A first line that is a title, a comment or a molecule; `rows` are the cells of the first records."""
    shown = next((cell for cell in names if not cell.startswith("Unnamed: ")), "")
    unnamed = [place for place, cell in enumerate(names) if cell.startswith("Unnamed: ") and place]
    filled = [place for place in unnamed if any(len(row) > place and row[place].strip() for row in rows)]
    wide = sum(len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]) for row in rows)
    later = next((place for place, row in enumerate(rows[:10]) if _are_names(row)), None)
    titled = later is not None and not _are_names(names)
    if len(filled) >= len(names) - len(unnamed) or titled or (shown.startswith("#") and wide):
        what = "a comment" if shown.startswith("#") else "no line of column names"
        raise ValueError(f"{name}: line 1 ({shown!r}) is {what}; remove the lines above the column names")
    if wide > len(rows) / 2:
        raise ValueError(
            f"{name}: line 1 names {len(names)} columns, but most records have more; name every column, "
            "quote cells that hold the delimiter, or remove lines above the column names"
        )
    # beside a number even methane is no name
    least = 1 if any(_NUMBER.fullmatch(cell) for cell in names) else 2
    for place, cell in enumerate(names):
        below = [row[place] for row in rows if len(row) > place]
        if is_molecule(cell, atoms=least) and _holds_molecules(below, cell):
            raise ValueError(
                f"{name}: its first line, {cell!r}, is a molecule; put a line of column names above"
            )


def is_molecule(text: str, *, atoms: int = 2) -> bool:
    """Whether a text is a SMILES of so many atoms; C, N or I are names as well."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(text) if text and not any(c.isspace() for c in text) else None
    return molecule is not None and molecule.GetNumAtoms() >= atoms


def _are_names(cells: Sequence[str]) -> bool:
    """Whether cells are a line of names: one of them is a usual name of the SMILES column."""
    return any(cell.strip().lower() in SMILES_NAMES[:2] for cell in cells)


def is_list(lines: Sequence[str]) -> bool:
    """Whether lines are a list of SMILES without column names: the first words of nearly all are molecules.

    A first line that is none is one of names where it says so (smiles, name ...), else a bad molecule.
    """
    words = [line.split()[0] for line in lines if line.strip()]
    if not words or (_NAMES.search(lines[0]) and not is_molecule(words[0], atoms=1)):
        return False
    return sum(is_molecule(word, atoms=1) for word in words) >= 0.8 * len(words)


def _holds_molecules(cells: list[str], name: str) -> bool:
    """Whether the cells below a molecule are molecules too: CO and NO are names as well."""
    filled = [cell.strip() for cell in cells if cell.strip().lower() not in MISSING][:50]
    with rdBase.BlockLogs():
        good = sum(Chem.MolFromSmiles(cell) is not None for cell in filled)
    sure = is_molecule(name, atoms=3) or any(mark in cell for cell in filled for mark in "()=#1")
    if not cells:
        return is_molecule(name, atoms=3)
    return bool(filled) and sure and good > 0.8 * len(filled)
