"""Records -> molecules: filter, standardize, read values, merge repeats; every record is accounted for."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import rdMolDescriptors

from manywalks.chemistry.standardize_many import standardize_smiles
from manywalks.data.card import data_card
from manywalks.data.cells import Cells, asks_molar_mass, convert_cells, plain_cell, read_cells
from manywalks.data.checks import check_table, common_cells
from manywalks.data.guess import split_columns
from manywalks.data.guess.split_columns import TAUTOMERS
from manywalks.data.merge import Merged, merge_classes, merge_repeats, without
from manywalks.data.records import Records, texts
from manywalks.data.refusals import refuse_mostly_rejected, refuse_one_class, refuse_one_class_left
from manywalks.params.load import Params
from manywalks.params.sections.endpoint import EndpointParams
from manywalks.runtime.resources import usable_cores
from manywalks.tables.frame import as_text

Progress = Callable[[int, int], None]


class Curated(NamedTuple):
    """The outcome of curation.

    Attributes:
        molecules: a row a molecule: id, smiles, record, records, flags; then per endpoint e: `e` in its unit,
            `e:relation`, `e:weight`, `e:repeats`, `e:repeat_sd`; `split:*` where the split needs a column.
        rejected: a row a rejected record: row (1 = first), id, smiles, reason (a code), detail (a sentence).
        card: what reports/data.json and the report say of the data; plain JSON.
    """

    molecules: pd.DataFrame
    rejected: pd.DataFrame
    card: dict[str, Any]


def curate_table(
    frame: pd.DataFrame,
    params: Params,
    *,
    faults: Mapping[int, str] | None = None,
    names: str | None = None,
    progress: Progress | None = None,
) -> Curated:
    """Curate a raw table of text cells; kept + merged + rejected records = records read.

    Faults of the table as a whole (a missing column, a declared check, an endpoint without numbers) are a
    ValueError; faults of a record are a rejection with a reason.

    Args:
        faults: row -> why the record does not fit the table, as `tables.read_whole` found it.
        names: the column that names the records (default: data.id).
    """
    frame = as_text(frame)
    check_table(frame, params)
    records = Records.of(frame, params, names)
    steps = {"read": len(records)}
    for row, fault in (faults or {}).items():
        records.reject(row, "malformed", fault)
    _filter(records)
    steps["filtered"] = int(records.open.sum())
    cells = _read(records)
    standard = _standardize(records, progress)
    steps["standardized"] = int(records.open.sum())
    _convert(records, cells, standard)
    steps["measured"] = int(records.open.sum())
    given, keys = split_columns.given_subsets(records), {}
    if given is not None:
        keys = split_columns.settle(records, standard.smiles, given)
    molecules, merged = _merge(records, cells, standard, given)
    if keys:
        molecules = molecules.assign(**{TAUTOMERS: texts(keys[smiles] for smiles in molecules["smiles"])})
    steps["used"] = int(molecules["records"].to_numpy().sum())
    steps["merged"] = len(molecules)
    rejected = records.rejected()
    if molecules.empty:
        raise ValueError(f"{params.data.path}: no molecule is left of {len(frame)} records; {_why(rejected)}")
    refuse_mostly_rejected(records, cells, molecules)
    refuse_one_class_left(records, molecules)
    return Curated(molecules, rejected, data_card(records, molecules, rejected, cells, merged, steps))


def _why(rejected: pd.DataFrame) -> str:
    """What took the records: those that data.where left out are not to blame for the others."""
    others = rejected.loc[rejected["reason"] != "filtered"]
    left = others if len(others) else rejected
    (reason, count), *_ = Counter(left["reason"].tolist()).most_common(1)
    detail = left["detail"].tolist()[left["reason"].tolist().index(reason)]
    of = f"the {len(left)} that data.where left" if len(left) < len(rejected) else f"{len(left)}"
    return f"{count} of {of} are rejected as {reason} ({detail})"


class _Structures(NamedTuple):
    """Each record's standardized SMILES and flags, object (n,); "" where the record is rejected."""

    smiles: np.ndarray
    flags: np.ndarray


def _filter(records: Records) -> None:
    """Reject the records that data.where does not ask for; it must leave some."""
    data = records.params.data
    for column, allowed in data.where.items():
        wanted = {plain_cell(value) for value in allowed}
        cells = records.column(column)
        left = cells[records.open]
        for row, cell in enumerate(cells):
            if plain_cell(cell) not in wanted:
                records.reject(row, "filtered", f"{column} is {cell!r}")
        if not records.open.any():
            raise ValueError(
                f"{data.path}: data.where leaves no record: column {column!r} shall hold "
                f"{' or '.join(map(repr, allowed))}, but in the {len(left)} records that come so far it "
                f"holds {common_cells(left)}"
            )


def _read(records: Records) -> dict[str, Cells]:
    """Every endpoint's cells of the open records; one without any number stops the run before long work."""
    data = records.params.data
    found = {}
    for name, endpoint in data.endpoints.items():
        cells = read_cells(records.frame, name, endpoint, decimal=data.decimal)
        cells.leave_out(np.flatnonzero(~records.open))
        if np.isnan(cells.value).all():
            example = next((detail for _, detail in cells.problems.values()), "all its cells are empty")
            kind = "numbers" if endpoint.kind == "regression" else "classes"
            column = endpoint.source(name)
            raise ValueError(f"{data.path}: column {column!r} of endpoint {name} holds no {kind} ({example})")
        if endpoint.positive is not None and not (cells.value == 1).any():
            held = common_cells(records.column(endpoint.source(name))[records.open])
            raise ValueError(
                f"{data.path}: data.endpoints.{name}.positive: {endpoint.positive!r} is in no cell of "
                f"column {endpoint.source(name)!r}, which holds {held}; name one of these"
            )
        if endpoint.kind == "classification":
            refuse_one_class(records, name, cells)
        found[name] = cells
    return found


def _standardize(records: Records, progress: Progress | None) -> _Structures:
    """Standardize the open records' structures; reject those that have none."""
    rows = np.flatnonzero(records.open)
    written = records.frame[records.params.data.smiles].to_numpy(dtype=object)[rows]
    cores = usable_cores(records.params.orchestrate.cores)
    outcomes = standardize_smiles(list(written), records.params.curate, cores=cores, progress=progress)
    found = _Structures(np.full(len(records), "", dtype=object), np.full(len(records), "", dtype=object))
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.smiles is None:
            records.reject(row, outcome.reason or "failed", outcome.detail or "")
        else:
            found.smiles[row], found.flags[row] = outcome.smiles, outcome.flags
    return found


def _convert(records: Records, cells: dict[str, Cells], standard: _Structures) -> None:
    """Values in the endpoints' units; reject the records that are left without a usable one."""
    endpoints = records.params.data.endpoints
    needed = any(asks_molar_mass(endpoint) for endpoint in endpoints.values())
    mass = _molar_mass(standard.smiles) if needed else np.full(len(records), np.nan)
    for name, endpoint in endpoints.items():
        convert_cells(cells[name], records.frame, name, endpoint, molar_mass=mass)
    usable = np.any([~np.isnan(one.value) for one in cells.values()], axis=0)
    for row in np.flatnonzero(records.open & ~usable):
        problems = [one.problems[int(row)] for one in cells.values() if int(row) in one.problems]
        code, detail = problems[0] if problems else ("unmeasured", "every endpoint cell is empty")
        records.reject(row, code, detail)


def _molar_mass(smiles: np.ndarray) -> np.ndarray:
    """g/mol of each parent molecule (n,); NaN where there is none."""
    mass = {"": np.nan}
    with rdBase.BlockLogs():
        for text in set(smiles) - {""}:
            mass[text] = rdMolDescriptors._CalcMolWt(Chem.MolFromSmiles(text))
    return np.array([mass[text] for text in smiles])


def _merge(
    records: Records, cells: dict[str, Cells], standard: _Structures, given: np.ndarray | None
) -> tuple[pd.DataFrame, dict[str, Merged]]:
    """Merge the open records into molecules; reject those of molecules that keep no value."""
    rows = np.flatnonzero(records.open)
    code, found = pd.factorize(standard.smiles[rows])
    names = np.asarray(found, dtype=object)
    doubts = _doubts(standard.flags[rows], code)
    why: dict[int, tuple[str, str]] = {}
    merged = {}
    for name in records.params.data.endpoints:
        merged[name] = _merge_endpoint(records, cells[name], rows, code, name, why, doubts)
    kept = np.any([~np.isnan(one.value) for one in merged.values()], axis=0)
    for place in np.flatnonzero(~kept[code]):
        records.reject(rows[place], *why[int(code[place])])
    table = _table(records, rows, code, names, doubts)
    table |= {column: values for name, one in merged.items() for column, values in _columns(name, one)}
    table |= split_columns.split_columns(records, given, rows, code)
    return pd.DataFrame(table).loc[kept].reset_index(drop=True), merged


def _merge_endpoint(
    records: Records,
    cells: Cells,
    rows: np.ndarray,
    code: np.ndarray,
    name: str,
    why: dict[int, tuple[str, str]],
    doubts: dict[int, set[str]],
) -> Merged:
    """Merge one endpoint; note in `why` and `doubts` what speaks against a molecule's repeats."""
    endpoint, curate = records.params.data.endpoints[name], records.params.curate
    values, relations, weights = cells.value[rows], cells.relation[rows], cells.weight[rows]
    if endpoint.kind == "classification":
        merged = merge_classes(code, values, weights, int(code.max(initial=-1)) + 1)
    else:
        merged = merge_repeats(
            code, values, relations, weights, int(code.max(initial=-1)) + 1, how=curate.merge
        )
    for molecule in np.flatnonzero(merged.conflict):
        why[int(molecule)] = ("conflict", f"{name}: its repeats contradict each other")
    wide = _wide(merged, endpoint)
    for molecule in np.flatnonzero(wide):
        detail = (
            f"{name}: its repeats are {merged.extent[molecule]:.3g} apart, over {endpoint.spread_limit:g}"
        )
        why[int(molecule)] = ("spread", detail)
        doubts.setdefault(int(molecule), set()).add(f"{name} repeats apart")
    return (
        without(merged, merged.conflict | wide)
        if curate.spread == "reject"
        else without(merged, merged.conflict)
    )


def _wide(merged: Merged, endpoint: EndpointParams) -> np.ndarray:
    """The molecules (m,) whose exact repeats are further apart than the endpoint allows."""
    limit = endpoint.spread_limit
    return np.zeros(len(merged.value), dtype=bool) if limit is None else merged.extent > limit


def _doubts(flags: np.ndarray, code: np.ndarray) -> dict[int, set[str]]:
    """The flags of the molecules whose records have some."""
    doubts: dict[int, set[str]] = {}
    for place in np.flatnonzero(flags != ""):
        doubts.setdefault(int(code[place]), set()).update(flags[place].split(";"))
    return doubts


def _table(
    records: Records, rows: np.ndarray, code: np.ndarray, names: np.ndarray, doubts: dict[int, set[str]]
) -> dict[str, Any]:
    """The columns that say which molecule it is."""
    first = rows[np.unique(code, return_index=True)[1]]
    return {
        "id": texts(records.ids()[first]),
        "smiles": texts(names),
        "record": first.astype(np.int64) + 1,
        "records": np.bincount(code, minlength=len(names)).astype(np.int64),
        "flags": texts(";".join(sorted(doubts.get(molecule, ()))) for molecule in range(len(names))),
    }


def _columns(name: str, merged: Merged) -> list[tuple[str, Any]]:
    """The columns of one endpoint."""
    return [
        (name, merged.value),
        (f"{name}:relation", texts(merged.relation)),
        (f"{name}:weight", merged.weight),
        (f"{name}:repeats", merged.repeats),
        (f"{name}:repeat_sd", merged.sd),
    ]
