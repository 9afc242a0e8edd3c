"""ChEMBL's activity exports: a column of values in many units, with relations, kinds and doubts."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from manywalks import units
from manywalks.chemistry.missing import MISSING
from manywalks.params.sections.data import RESERVED
from manywalks.params.sections.endpoint import EndpointParams


def free_name(column: str) -> str:
    """A name that an endpoint may have."""
    name = column.replace(":", " ")
    return f"{name} value" if name in RESERVED else name


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
    needed = [f"standard {what}" for what in ("value", "units", "relation")]
    if not all(name in known for name in needed):
        return None
    value, unit_column, relation = (known[name] for name in needed)
    measured = pd.Series(frame[value]).str.strip() != ""
    if not measured.any():
        return None
    kind_column = known.get("standard type", "")
    kinds = pd.Series(frame[kind_column]).str.strip()[measured] if kind_column else pd.Series(dtype="str")
    kind = str(pd.Series(kinds[kinds != ""]).mode().get(0, ""))
    where: dict[str, tuple[str, ...]] = {kind_column: (kind,)} if kinds.nunique() > 1 else {}
    # of the records that are used: those of another kind may have other marks and units
    used = measured & wanted(frame, where)
    for mark in ("data validity comment", "potential duplicate"):
        if (column := known.get(mark)) and (cells := _unmarked(pd.Series(frame.loc[used, column]))):
            where[column] = cells
            used &= wanted(frame, {column: cells})
    given = pd.Series(pd.Series(frame[unit_column]).str.strip()[used])
    unit = str(given.mode().get(0, ""))
    keys: dict[str, Any] = {"column": value, "relation_column": relation, "unit": unit}
    if unit:
        keys["unit_column"] = unit_column
    amount = units.parse_unit(unit)
    name = kind or value
    if f"p{kind}" in units.P_NAMES and amount is not None and not amount.sign:
        name = keys["unit"] = f"p{kind}"
        keys["transform"] = "p"
    elif not kind and given.nunique() > 1 and amount is not None and not amount.sign:
        # nM and uM of a table that does not say what was measured: -log10 of mol/L, as of IC50 and Ki
        keys["unit"], keys["transform"] = "-log10 M", "p"
    assumed = ["table: a ChEMBL export, its values with units and relations record by record"]
    assumed += [f"records: those whose {c!r} is {' or '.join(map(repr, w))}" for c, w in where.items()]
    if column := known.get("document year"):
        assumed.append(
            f"years: column {column!r} (split: {{method: time, column: {column}}} tests on the latest)"
        )
    return Export(
        {free_name(name): EndpointParams(**keys)}, where, [*where, value, unit_column, relation], assumed
    )


def wanted(frame: pd.DataFrame, where: Mapping[str, Sequence[str]]) -> pd.Series:
    """Which records data.where asks for, bool (n,)."""
    kept = pd.Series(True, index=frame.index)
    for column, cells in where.items():
        kept &= pd.Series(frame[column]).str.strip().isin(list(cells))
    return kept


def _unmarked(cells: pd.Series) -> tuple[str, ...]:
    """The cells of a column of doubts that say there is none: 0, False, None or nothing, by its source."""
    none = MISSING | {"0", "0.0", "false"}
    return tuple(sorted(cell for cell in set(cells.str.strip()) if cell.lower() in none))
