"""Columns that belong to a value and are none themselves: relations, units, names of records."""

import re
from collections.abc import Sequence

import pandas as pd

from manywalks import units
from manywalks.chemistry.missing import MISSING
from manywalks.data.cells import RELATION_WORDS
from manywalks.params.sections.endpoint import EndpointParams

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


def with_companions(
    frame: pd.DataFrame, endpoints: dict[str, EndpointParams]
) -> tuple[dict[str, EndpointParams], set[str], list[str]]:
    """Endpoints with their columns of relations and units, the columns used, and a sentence for each."""
    found, used, said = dict(endpoints), set(), []
    numeric = {name: one for name, one in endpoints.items() if one.kind == "regression"}
    values = {one.source(name) for name, one in endpoints.items()}
    for column in (c for c in map(str, frame.columns) if c not in values):
        cells = pd.Series(frame[column])
        what = "relation" if is_relation(cells) else "unit" if is_unit(cells, column) else ""
        if not what or not numeric:
            continue
        owner = owner_of(column, numeric)
        held = ", ".join(sorted(set(filled_cells(cells)))[:6])
        used.add(column)
        if owner is None:
            said.append(
                f"{what}s: column {column!r} holds {held}; whose {what}s they are is not known: name it as "
                f"{what}_column of its endpoint, or its values are taken as they are"
            )
        elif what == "relation":
            found[owner] = found[owner].model_copy(update={"relation_column": column})
            said.append(f"relations of {owner!r}: column {column!r} ({held})")
        else:
            found[owner], sentence = with_units(owner, found[owner], column, cells)
            said.append(sentence)
    return found, used, said


def is_relation(column: pd.Series) -> bool:
    """Whether a column holds =, >, < and the like, and nothing else."""
    cells = column.astype(str).str.strip().str.strip("'\" ").str.lower()
    cells = cells[~cells.isin(MISSING)]
    return bool(len(cells)) and set(cells) <= set(RELATION_WORDS)


def is_unit(column: pd.Series, name: str) -> bool:
    """Whether a column holds units: known ones, or texts under a name that says so.

    One letter is a unit where the name says so.
    """
    cells = set(filled_cells(column))
    words = words_of(name).lower().split()
    named = bool({"unit", "units", "uom"} & set(words))
    known = bool(cells) and all(units.parse_unit(c) and (named or len(c) > 1 or c == "%") for c in cells)
    # a business unit is none
    return known or (bool(cells) and named and (len(words) == 1 or any(map(units.parse_unit, cells))))


def owner_of(column: str, endpoints: dict[str, EndpointParams]) -> str | None:
    """The endpoint that relations or units belong to: the only one, or the one in the column's name."""
    if len(endpoints) == 1:
        return next(iter(endpoints))
    lowered = words_of(column).lower()
    named = [name for name, e in endpoints.items() if words_of(e.source(name)).lower() in lowered]
    return named[0] if len(named) == 1 else None


def with_units(
    name: str, endpoint: EndpointParams, column: str, cells: pd.Series
) -> tuple[EndpointParams, str]:
    """The endpoint with a column of units, and a sentence: converted to the commonest, or to pIC50 and so on.

    Where no unit is known nothing can be converted: if all are the same it is the endpoint's unit.
    """
    given = filled_cells(cells)
    known = pd.Series(given[given.map(units.parse_unit).notna()])
    odd = sorted(set(given) - set(known))
    if not len(known) and len(odd) == 1:
        changed = EndpointParams.model_validate(endpoint.model_dump(exclude_unset=True) | {"unit": odd[0]})
        return changed, f"unit of {name!r}: {odd[0]!r}, as column {column!r} says of all records"
    if not len(known):
        return endpoint, (
            f"units of {name!r}: column {column!r} holds {', '.join(odd[:6])}, which are not known and not "
            "converted: keep the records of one unit (data.where), or write known units (nM, uM, mg/L ...)"
        )
    common = str(known.mode().iloc[0])
    keys = {"unit_column": column, "unit": common}
    if f"p{name}" in units.P_NAMES and all(_is_linear_amount(unit) for unit in set(known)):
        keys |= {"unit": f"p{name}", "transform": "p"}
    sentence = f"units of {name!r}: column {column!r} ({', '.join(sorted(set(given))[:6])})"
    if odd:
        sentence += f"; records in {', '.join(odd[:6])} will be rejected because these units are not known"
    return EndpointParams.model_validate(endpoint.model_dump(exclude_unset=True) | keys), sentence


def _is_linear_amount(text: str) -> bool:
    """Whether a unit is mol/L or a part of it."""
    unit = units.parse_unit(text)
    return unit is not None and unit.dimension in ("amount", "mass") and not unit.sign
