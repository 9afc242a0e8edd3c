"""SDF as a frame: one record a molecule block, its data fields as columns, its structure as SMILES."""

import re
from collections.abc import Iterable, Iterator

import pandas as pd
from rdkit import Chem, rdBase

_FIELD = re.compile(r"^>.*<([^<>]+)>")
UNREADABLE = "(unreadable molecule block)"


def read_sdf(lines: Iterable[str]) -> pd.DataFrame:
    """Read every record: columns `smiles`, `name` (the block's first line) and the data fields, all text.

    A block that RDKit cannot read is a record all the same, so that curation rejects it with a reason.
    """
    rows = []
    with rdBase.BlockLogs():
        for record in sdf_records(lines):
            block, fields = sdf_parts(record)
            rows.append({"smiles": block_smiles(block), "name": record[0].strip(), **fields})
    return pd.DataFrame(rows, dtype=str).fillna("")


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


def sdf_parts(record: list[str]) -> tuple[str, dict[str, str]]:
    """The molecule block and the data fields of one record."""
    end = next((i for i, line in enumerate(record) if line.startswith("M  END")), len(record) - 1)
    fields: dict[str, list[str]] = {}
    name = None
    for line in record[end + 1 :]:
        if header := _FIELD.match(line):
            name = header.group(1).strip()
            fields[name] = []
        elif name is not None and line.strip():
            fields[name].append(line.strip())
    values = {("smiles field" if key == "smiles" else key): "\n".join(v) for key, v in fields.items()}
    return "\n".join(record[: end + 1]) + "\n", values


def block_smiles(block: str) -> str:
    """A molecule block as SMILES, polymer brackets kept as an extension; chemistry is curation's to judge."""
    mol = Chem.MolFromMolBlock(block)
    if mol is None:
        # valence and aromaticity faults: curation shall reject the molecule and say which fault
        mol = Chem.MolFromMolBlock(block, sanitize=False)
    if mol is None:
        return UNREADABLE
    if any(group.HasProp("TYPE") and group.GetProp("TYPE") in POLYMERS for group in _groups(mol)):
        return Chem.MolToCXSmiles(mol)
    return Chem.MolToSmiles(mol)


POLYMERS = ("SRU", "MON", "COP", "CRO", "GRA", "MOD", "MER", "ANY")


def _groups(mol: Chem.Mol) -> list:
    return list(Chem.GetMolSubstanceGroups(mol))
