"""Columns that belong to a value and are none themselves: relations, units, names of records."""

import re
from collections.abc import Sequence

import pandas as pd

from manywalks import units
from manywalks.data.cells import RELATIONS
from manywalks.params.endpoint import EndpointParams
from manywalks.tables.missing import MISSING

# words of a column's name that say that it names records, the surest first; the others count for texts alone
_ID = re.compile(r"\b(id|ids|cid|sid|identifier|chembl|inchikey)\b", re.IGNORECASE)
_NAME = re.compile(r"\b(name|title|code|compound|molecule|sample|cas|number|no|entry|key)\b", re.IGNORECASE)
# nearly: a table of repeats, or of some copies, has fewer ids than records
UNIQUE = 0.9


def filled_cells(column: pd.Series) -> pd.Series:
    """A column's cells, stripped, without the missing ones."""
    cells = column.astype(str).str.strip()
    return cells[~cells.str.lower().isin(MISSING)]


def words_of(name: str) -> str:
    """A column's name with its words apart: compound_ID and compoundId as compound ID."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("_", " ").replace("-", " "))


def find_id(frame: pd.DataFrame, columns: Sequence[str], smiles: pd.Series) -> str | None:
    """The column that names records: by its name, and with (nearly) no cell for two molecules."""
    for pattern in (_ID, _NAME):
        for column in columns:
            if pattern.search(words_of(column)) and _names_records(pd.Series(frame[column]), smiles):
                return column
    return None


def _names_records(column: pd.Series, smiles: pd.Series) -> bool:
    """Whether nearly all records have a cell and nearly no cell names two molecules; decimals never do."""
    cells = filled_cells(column)
    if len(cells) < UNIQUE * len(column) or cells.str.fullmatch(r"[+-]?\d*[.,]\d+").mean() > 0.5:
        return False
    return cells.nunique() >= UNIQUE * min(len(cells), pd.Series(smiles[cells.index]).nunique())


def is_relation(column: pd.Series) -> bool:
    """Whether a column holds =, >, < and the like, and nothing else."""
    cells = column.astype(str).str.strip().str.strip("'\" ")
    cells = cells[~cells.str.lower().isin(MISSING)]
    return bool(len(cells)) and set(cells) <= set(RELATIONS)


def is_unit(column: pd.Series, name: str) -> bool:
    """Whether a column holds units that are known; one letter is one where the name says so."""
    cells = set(filled_cells(column))
    named = bool(re.search(r"\bunits?\b", words_of(name), re.IGNORECASE))
    return bool(cells) and all(units.parse_unit(c) and (named or len(c) > 1 or c == "%") for c in cells)


def owner_of(column: str, endpoints: dict[str, EndpointParams]) -> str | None:
    """The endpoint that relations or units belong to: the only one, or the one in the column's name."""
    if len(endpoints) == 1:
        return next(iter(endpoints))
    lowered = words_of(column).lower()
    named = [name for name, e in endpoints.items() if words_of(e.source(name)).lower() in lowered]
    return named[0] if len(named) == 1 else None


def with_unit_column(name: str, endpoint: EndpointParams, column: str, cells: pd.Series) -> EndpointParams:
    """The endpoint with a column of units: converted to the commonest, or to pIC50 and the like."""
    given = filled_cells(cells)
    common = str(given.mode().iloc[0])
    keys = {"unit_column": column, "unit": common}
    if f"p{name}" in units.P_NAMES and all(_is_linear_amount(unit) for unit in set(given)):
        keys |= {"unit": f"p{name}", "transform": "p"}
    return EndpointParams.model_validate(endpoint.model_dump(exclude_unset=True) | keys)


def _is_linear_amount(text: str) -> bool:
    """Whether a unit is mol/L or a part of it."""
    unit = units.parse_unit(text)
    return unit is not None and unit.dimension in ("amount", "mass") and not unit.sign
