"""Markdown whose words come from the data: names, units and paths are never markup."""

import re
from collections.abc import Sequence

# an underscore inside a word is no emphasis: chembl_structure_pipeline reads better as it is
_MARKS = re.compile(r"[\\`*\[\]|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def plain(text: str) -> str:
    """Words as Markdown that shows them as they are: no emphasis, link, code, cell or HTML."""
    one_line = re.sub(r"[\r\n]+", " ", text)
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        one_line = one_line.replace(sign, name)
    return _MARKS.sub(lambda found: f"\\{found.group()}", one_line)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
