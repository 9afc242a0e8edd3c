"""SDF: its records, their molecule blocks and data fields; a block as SMILES."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rdkit import Chem

from manywalks.chemistry.written import REPEAT_UNITS, group_type, polymer_fault, query_fault

# a name may hold > itself: Viability >24 h; a field may have the number of one alone, or an empty name
_FIELD = re.compile(r"^>[^<]*<(.*)>|^>[ \t]+(DT\d+)")
NAMELESS = "nameless field"
_COUNTS = re.compile(r"^ *(\d{1,3}) *(\d{1,3})")
_FLAGS = Chem.CXSmilesFields
_KEPT = _FLAGS.CX_ENHANCEDSTEREO | _FLAGS.CX_SGROUPS | _FLAGS.CX_POLYMER


def sdf_records(lines: Iterable[str]) -> Iterator[list[str]]:
    """The lines of each record; what follows the last $$$$ counts when it holds anything."""
    record: list[str] = []
    for line in lines:
        line = line.rstrip("\r\n")
        if line.startswith("$$$$"):
            yield record or [""]
            record = []
        else:
            record.append(line)
    if any(line.strip() for line in record):
        yield record


class SdfParts(NamedTuple):
    """A record's molecule block, its data fields, and the field that has two values ("": none has)."""

    block: str
    fields: dict[str, str]
    repeated: str


def sdf_parts(record: list[str]) -> SdfParts:
    """The parts of one record's lines."""
    end = next((i for i, line in enumerate(record) if line.startswith("M  END")), len(record) - 1)
    fields: list[tuple[str, list[str]]] = []
    for line in record[end + 1 :]:
        if header := _FIELD.match(line):
            fields.append(((header[1] or header[2] or "").strip() or NAMELESS, []))
        elif fields and line.strip():
            fields[-1][1].append(line.strip())
    values: dict[str, str] = {}
    repeated = ""
    for name, lines in fields:
        value = "\n".join(lines)
        if name in values and values[name] != value:
            repeated = name
        values.setdefault(name, value)
    return SdfParts("\n".join(record[: end + 1]) + "\n", values, repeated)


def block_smiles(block: str) -> str:
    """A molecule block as SMILES; chemistry is curation's to judge.

    Marks that change the meaning (repeat units, racemates) are kept as an extension. A block that no SMILES
    can write becomes a bracket that says why, and is rejected with that.
    """
    mol = _of_block(block)
    if mol is None:
        return f"(unparsable: the molecule block cannot be read: {block_fault(block)})"
    repeats = REPEAT_UNITS & {group_type(group) for group in Chem.GetMolSubstanceGroups(mol)}
    if not repeats and (fault := query_fault(mol)):
        return f"(query: {fault})"
    if not repeats and (fault := polymer_fault(mol)):
        return f"(polymer: {fault})"
    if repeats or mol.GetStereoGroups():
        return Chem.MolToCXSmiles(mol, Chem.SmilesWriteParams(), int(_KEPT))
    return Chem.MolToSmiles(mol)


def block_fault(block: str) -> str:
    """Why RDKit reads no molecule block here, as far as its lines say."""
    lines = block.splitlines()
    if not any(line.strip() for line in lines):
        return "it is empty"
    if not any(line.startswith("M  END") for line in lines):
        return "it has no line M  END"
    if len(lines) < 4 or not _COUNTS.match(lines[3]):
        return (
            f"its line 4 is no counts line ({lines[3].strip()[:40]!r})"
            if len(lines) > 3
            else "it has no atoms"
        )
    if any(not line.strip() for line in lines[4:]):
        return "a blank line before M  END"
    counts = _COUNTS.match(lines[3])
    needed = int(counts[1]) + int(counts[2]) if counts and "V3000" not in lines[3] else 0
    if len(lines) - 5 < needed:
        return f"it has {len(lines) - 5} of the {needed} lines of atoms and bonds that line 4 names"
    symbols = [line[31:34].strip() for line in lines[4 : 4 + needed] if len(line) > 34]
    known = {Chem.GetPeriodicTable().GetElementSymbol(number) for number in range(1, 119)}
    odd = next((symbol for symbol in symbols if symbol.isalpha() and symbol not in known), "")
    return f"an atom {odd!r}, which is no element" if odd else "RDKit does not say why"


def _of_block(block: str) -> Chem.Mol | None:
    """RDKit's molecule of a block; blank lines before M  END, which some editors write, are skipped."""
    mol = _parsed(block)
    lines = block.splitlines()
    if mol is not None or all(line.strip() for line in lines[4:]):
        return mol
    return _parsed("\n".join([*lines[:4], *(line for line in lines[4:] if line.strip())]) + "\n")


def _parsed(block: str) -> Chem.Mol | None:
    """RDKit's molecule; what cannot be sanitized is for curation to reject, which says the fault."""
    try:
        return Chem.MolFromMolBlock(block) or Chem.MolFromMolBlock(block, sanitize=False)
    except RuntimeError:  # of a symbol that is no element
        return None
