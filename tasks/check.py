"""The raw table against what params declare of it: every violation is listed at once."""

import difflib
from collections import Counter

import numpy as np
import pandas as pd

from manywalks.tasks.params import CheckParams, Params

SHOWN = 12


def check_table(frame: pd.DataFrame, params: Params) -> None:
    """Refuse a table that lacks a column or breaks a declared check; one line lists all faults."""
    path = params.data.path
    if frame.empty:
        raise ValueError(f"{path}: holds no records")
    faults = _missing(frame, params)
    if params.data.checks:
        faults += _violations(frame, params.data.checks)
    if not faults:
        return
    more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    raise ValueError(f"{path}: {'; '.join(faults[:SHOWN])}{more}")


def needed_columns(params: Params) -> dict[str, str]:
    """Columns that params name: column -> the key that names it."""
    data = params.data
    needed = {data.smiles: "data.smiles"}
    if data.id:
        needed[data.id] = "data.id"
    for name, endpoint in data.endpoints.items():
        key = f"data.endpoints.{name}"
        needed.setdefault(endpoint.source(name), f"{key}.column" if endpoint.column else key)
        for field in ("unit_column", "relation_column", "weight_column", "error_column"):
            if column := getattr(endpoint, field):
                needed.setdefault(column, f"{key}.{field}")
    for column in data.where:
        needed.setdefault(column, "data.where")
    if params.split.column and params.split.method in ("column", "group", "time"):
        needed.setdefault(params.split.column, "split.column")
    return needed


def plain_cell(cell: str) -> str:
    """A cell for comparison with one of params: stripped, 2.0 the same as 2, and TRUE as true."""
    cell = cell.strip()
    if cell.lower() in ("true", "false"):
        return cell.lower()
    try:
        return f"{float(cell):.15g}" if len(cell) < 15 else cell
    except ValueError:
        return cell


def common_cells(cells: np.ndarray) -> str:
    """What a column (n,) mostly holds, for a message: its commonest cells with their counts."""
    found = Counter(cells).most_common()
    shown = ", ".join(f"{cell!r} ({count})" for cell, count in found[:6])
    return shown + (f" and {len(found) - 6} others" if len(found) > 6 else "")


def _missing(frame: pd.DataFrame, params: Params) -> list[str]:
    """A sentence a missing column, with the column that it may have meant."""
    there = [str(column) for column in frame.columns]
    lowered = {column.lower(): column for column in there}
    faults = []
    for column, key in needed_columns(params).items():
        if column in there:
            continue
        near = difflib.get_close_matches(column.lower(), list(lowered), n=1, cutoff=0.6)
        hint = f"did you mean {lowered[near[0]]!r}" if near else f"it has {_listed(there)}"
        faults.append(f"no column {column!r} ({key}); {hint}")
    return faults


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _violations(frame: pd.DataFrame, checks: dict[str, CheckParams]) -> list[str]:
    """What pandera finds, a sentence a column and check: how many cells, the first of them, its record."""
    import pandera.pandas as pandera  # takes 0.3 s to import, and few tables declare checks

    schema = pandera.DataFrameSchema(
        {
            column: pandera.Column(required=declared.required, nullable=True, checks=_checks(declared))
            for column, declared in checks.items()
        }
    )
    try:
        schema.validate(frame.astype(object), lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return _sentences(errors.failure_cases)
    return []


def _checks(declared: CheckParams) -> list:
    """pandera checks of one column of text; an empty cell is judged by `empty` alone."""
    import pandera.pandas as pandera

    def over_filled(test):
        return lambda cells: (cells.str.strip() == "") | test(cells.str.strip())

    def number(cells: pd.Series) -> pd.Series:
        return pd.Series(pd.to_numeric(cells, errors="coerce"))

    rules = []
    if not declared.empty:
        rules.append((lambda cells: cells.str.strip() != "", "is empty"))
    if declared.type == "number":
        rules.append((over_filled(lambda c: np.isfinite(number(c))), "is not a number"))
    if declared.type == "integer":
        rules.append((over_filled(lambda c: number(c) % 1 == 0), "is not an integer"))
    if declared.type == "date":
        rules.append((over_filled(_is_date), "is not a date"))
    if declared.min is not None:
        rules.append((over_filled(lambda c: ~(number(c) < declared.min)), f"is under {declared.min:g}"))
    if declared.max is not None:
        rules.append((over_filled(lambda c: ~(number(c) > declared.max)), f"is over {declared.max:g}"))
    if declared.allowed is not None:
        allowed = declared.allowed
        rules.append((over_filled(lambda c: c.isin(allowed)), f"is not one of {', '.join(allowed)}"))
    if declared.pattern is not None:
        pattern = declared.pattern
        rules.append((over_filled(lambda c: c.str.fullmatch(pattern)), f"does not match {pattern}"))
    if declared.unique:
        rules.append((over_filled(lambda c: ~c.duplicated(keep="first")), "stands there more than once"))
    return [pandera.Check(rule, name=sentence, error=sentence) for rule, sentence in rules]


def _is_date(cells: pd.Series) -> pd.Series:
    return pd.to_datetime(cells, errors="coerce", format="mixed").notna()


def _sentences(failures: pd.DataFrame) -> list[str]:
    """pandera's failure cases, a sentence a column and check."""
    sentences = []
    for key, cases in failures.groupby(["column", "check"], sort=False, dropna=False):
        column, rule = tuple(key)  # pyright: ignore[reportArgumentType]
        if rule == "column_in_dataframe" or pd.isna(cases["index"].iloc[0]):
            sentences.append(f"no column {cases['failure_case'].iloc[0]!r} (data.checks)")
            continue
        first = cases.sort_values("index").iloc[0]
        more = f" (and {len(cases) - 1} more cells)" if len(cases) > 1 else ""
        sentences.append(
            f"column {column!r}: {first['failure_case']!r} in record {int(first['index']) + 1} {rule}{more}"
        )
    return sentences
