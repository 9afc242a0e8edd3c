"""Look at a raw table: which column holds the SMILES, which are endpoints, and what was assumed."""

import re
from typing import Any, Literal, NamedTuple

import pandas as pd
from rdkit import Chem, rdBase

from manywalks import units
from manywalks.data.cells import MISSING, read_numbers
from manywalks.params.data import RESERVED, DataParams
from manywalks.params.endpoint import EndpointParams
from manywalks.params.load import Params
from manywalks.params.split import SplitParams

SMILES_NAMES = ("smiles", "canonical_smiles", "drug", "mol", "structure", "molecule")
PARTS = {"train", "train_val", "trainval", "training", "valid", "val", "validation", "test"}
# Columns that describe a molecule or a row; not what an assay measured.
NOT_MEASURED = re.compile(
    r"\b(id|cid|index|row|number of|minimum degree|molecular weight"
    r"|mw|mass|alogp|clogp|xlogp|tpsa|psa"
    r"|polar surface area|ring|rings|rotatable|hbd|hba|predicted|prediction|weight|year|date"
    r"|max phase|violations|ligand efficiency|duplicate)\b"
    r"|^unnamed|_id$|^id_",
    re.IGNORECASE,
)
LOOKED_AT = 200
CLASSES = ({"0", "1"}, {"0.0", "1.0"}, {"true", "false"}, {"active", "inactive"}, {"yes", "no"})


class Guess(NamedTuple):
    """Parameters for a table, and a sentence for each thing that was assumed."""

    params: Params
    assumed: list[str]


def guess_params(frame: pd.DataFrame, path: str, name: str) -> Guess:
    """Parameters for the raw table `frame` (strings); `path` is what params.yaml will say.

    Raises:
        ValueError: no column of SMILES, or none of measurements; `name` stands in the message.
    """
    smiles = find_smiles(frame, name)
    part = find_split_column(frame)
    assumed = [f"SMILES: column {smiles!r}"]
    others = [column for column in frame.columns if column not in (smiles, part)]
    rest = pd.DataFrame(frame[others])
    decimal = find_decimal(rest)
    export = guess_chembl(frame)
    endpoints = export.endpoints if export else guess_endpoints(rest, decimal)
    if not endpoints:
        raise ValueError(f"{name}: no column of measurements among {', '.join(map(repr, others))}; add one")
    if decimal == ",":
        assumed.append("numbers: with a decimal comma")
    assumed += export.assumed if export else []
    assumed += [_sentence(column, endpoint) for column, endpoint in endpoints.items()]
    split = SplitParams(method="random")
    if part:
        split = SplitParams(method="column", column=part)
        assumed.append(f"split: column {part!r} says train and test")
    else:
        assumed.append("split: random, 20 % test (split.method: scaffold is the harder test)")
    used = {endpoint.source(name) for name, endpoint in endpoints.items()}
    used |= set(export.used) if export else set()
    identity = next((c for c in others if c not in used and re.search(r"\bid\b|_id$|^id|cid", c, re.I)), None)
    ignored = [column for column in others if column not in used and column != identity]
    if ignored:
        assumed.append("left alone: " + ", ".join(map(repr, ignored)))
    data = DataParams(
        path=path,
        smiles=smiles,
        id=identity,
        decimal=decimal,
        where=export.where if export else {},
        endpoints=endpoints,
    )
    return Guess(Params(data=data, split=split), assumed)


def find_decimal(frame: pd.DataFrame) -> Literal[".", ","]:
    """The decimal mark of a table: a comma where most numbers with a mark have that."""
    cells = frame.head(LOOKED_AT).to_numpy(dtype=object).ravel()
    number = r"[<>=~ ]*[+-]?\d+{}\d+"
    points, commas = (
        [cell for cell in cells if re.fullmatch(number.format(mark), cell.strip())] for mark in (r"\.", ",")
    )
    # 1,234 alone is one thousand or so
    decimals = any(not re.search(r",\d{3}$", cell.strip()) for cell in commas)
    return "," if decimals and len(commas) > len(points) else "."


class Export(NamedTuple):
    """What a ChEMBL export measures: endpoints, the records wanted, the columns used, what was assumed."""

    endpoints: dict[str, EndpointParams]
    where: dict[str, tuple[str, ...]]
    used: list[str]
    assumed: list[str]


def guess_chembl(frame: pd.DataFrame) -> Export | None:
    """The endpoint of a ChEMBL activity export (from its web page or its API); None where it is none.

    Its number stands in one column, in units and with relations that stand in others; read alone, nM and
    ug/mL would be mixed and bounds taken for values.
    """
    known = {column.lower().replace("_", " "): column for column in map(str, frame.columns)}
    needed = [f"standard {what}" for what in ("type", "value", "units", "relation")]
    if not all(name in known for name in needed):
        return None
    kind_column, value, unit_column, relation = (known[name] for name in needed)
    measured = pd.Series(frame[value]).str.strip() != ""
    if not measured.any():
        return None
    kinds, given = (pd.Series(frame[name]).str.strip()[measured] for name in (kind_column, unit_column))
    kind = str(kinds[kinds != ""].mode().get(0, ""))
    unit = str(given.mode().iloc[0])
    keys: dict[str, Any] = {"column": value, "relation_column": relation, "unit": unit}
    if unit:
        keys["unit_column"] = unit_column
    amount = units.parse_unit(unit)
    name = kind or value
    if f"p{kind}" in units.P_NAMES and amount is not None and not amount.sign:
        name = keys["unit"] = f"p{kind}"
        keys["transform"] = "p"
    where, assumed = {}, ["table: a ChEMBL export, its values with units and relations record by record"]
    if kinds.nunique() > 1:
        where[kind_column] = (kind,)
    for mark in ("data validity comment", "potential duplicate"):
        if (column := known.get(mark)) and (cells := _unmarked(pd.Series(frame.loc[measured, column]))):
            where[column] = cells
    assumed += [f"records: those whose {c!r} is {' or '.join(map(repr, w))}" for c, w in where.items()]
    if column := known.get("document year"):
        assumed.append(
            f"years: column {column!r} (split: {{method: time, column: {column}}} tests on the latest)"
        )
    return Export(
        {free_name(name): EndpointParams(**keys)}, where, [*where, value, unit_column, relation], assumed
    )


def _unmarked(cells: pd.Series) -> tuple[str, ...]:
    """The cells of a column of doubts that say there is none: 0, False, None or nothing, by its source."""
    none = MISSING | {"0", "0.0", "false"}
    return tuple(sorted(cell for cell in set(cells.str.strip()) if cell.lower() in none))


def guess_endpoints(frame: pd.DataFrame, decimal: str) -> dict[str, EndpointParams]:
    """The columns that measure something, under names that no other column has."""
    found = {}
    for column in map(str, frame.columns):
        guess = guess_endpoint(pd.Series(frame[column]), column, decimal)
        if guess is None:
            continue
        name = free_name(column)
        found[name] = guess if name == column else guess.model_copy(update={"column": column})
    return found


def free_name(column: str) -> str:
    """A name that an endpoint may have."""
    name = column.replace(":", " ")
    return f"{name} value" if name in RESERVED else name


def find_smiles(frame: pd.DataFrame, name: str) -> str:
    """The column whose cells RDKit reads as molecules; a well-known name decides between several."""
    shares = {
        column: share
        for column in frame.columns
        if (share := _share_molecules(pd.Series(frame[column]))) > 0.8
    }
    if not shares:
        raise ValueError(
            f"{name}: no column holds SMILES (columns: {', '.join(map(repr, frame.columns))}); "
            "name it in params.yaml as data.smiles"
        )
    known = [column for column in shares if column.lower() in SMILES_NAMES]
    return known[0] if known else max(shares, key=lambda column: shares[column])


def _share_molecules(column: pd.Series) -> float:
    """Share of the first cells that parse and hold more than letters of a word would."""
    cells = [cell for cell in column.astype(str).head(LOOKED_AT) if cell.strip()]
    if not cells:
        return 0.0
    with rdBase.BlockLogs():
        good = sum(
            1 for cell in cells if (mol := Chem.MolFromSmiles(cell)) is not None and mol.GetNumAtoms() > 0
        )
    varied = len(set(cells)) > len(cells) / 4
    # "C" and "CO" are words too: a column of SMILES has bonds and rings in it somewhere
    marked = any(any(mark in cell for mark in "()=#1") for cell in cells)
    return good / len(cells) if varied and marked else 0.0


def find_split_column(frame: pd.DataFrame) -> str | None:
    """The column whose cells are train, valid and test, under any of their usual names."""
    for column in frame.columns:
        cells = {cell.strip().lower() for cell in frame[column].astype(str) if cell.strip()}
        if cells and cells <= PARTS and len(cells) > 1:
            return str(column)
    return None


def guess_endpoint(column: pd.Series, name: str, decimal: str = ".") -> EndpointParams | None:
    """What a column measures, None where it seems to measure nothing."""
    if NOT_MEASURED.search(name.replace("_", " ")) or NOT_MEASURED.search(name):
        return None
    cells = column.astype(str).str.strip()
    cells = cells[(cells != "") & (cells.str.lower() != "nan")]
    if len(cells) == 0:
        return None
    values = set(cells.str.lower())
    if any(values <= pair and len(values) == 2 for pair in CLASSES):
        return EndpointParams(kind="classification")
    numbers = pd.Series(read_numbers(cells.to_numpy(dtype=object), name, decimal).value)
    if numbers.notna().mean() < 0.9 or numbers.nunique() < 5:
        return None
    unit = re.search(r"[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]\s*$", name)
    text = unit[1].strip() if unit else ""
    return EndpointParams(
        kind="regression", unit=f"log {text}" if text and name.lower().startswith("log") else text
    )


def _sentence(column: str, endpoint: EndpointParams) -> str:
    """What was assumed of one endpoint."""
    unit = f", unit {endpoint.unit!r}" if endpoint.unit else ", no unit (give one as unit:)"
    return f"endpoint {column!r}: {endpoint.kind}" + (unit if endpoint.kind == "regression" else "")
