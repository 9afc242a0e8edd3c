"""The raw table against what params declare of it: every violation is listed at once."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from manywalks.chemistry.missing import MISSING
from manywalks.data.cells import plain_cell, read_numbers
from manywalks.data.dates import decimal_years
from manywalks.data.numbers import Mark
from manywalks.params.load import Params
from manywalks.params.sections.data import CheckParams
from manywalks.tables.names import hint

# ranges of records that a fault names, at most: one broken column of a large table is not a page each
RANGES = 200


def check_table(frame: pd.DataFrame, params: Params) -> None:
    """Refuse a table that lacks a column or breaks a declared check; one line lists all faults."""
    path = params.data.path
    if frame.empty:
        raise ValueError(f"{path}: holds no records")
    faults = _missing(frame, params)
    if params.data.checks:
        faults += _violations(frame, params.data.checks, params.data.decimal)
    if faults:
        raise ValueError(f"{path}: {'; '.join(faults)}")


def check_columns(names: Sequence[str], params: Params) -> None:
    """Refuse a table with these columns if it lacks one that the parameters name."""
    if faults := _missing(pd.DataFrame(columns=pd.Index(names)), params):
        raise ValueError(f"{params.data.path}: {'; '.join(faults)}")


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


def common_cells(cells: np.ndarray) -> str:
    """What a column (n,) mostly holds, for a message: its commonest cells with their counts."""
    found = Counter(cells).most_common()
    shown = ", ".join(f"{cell!r} ({count})" for cell, count in found[:6])
    return shown + (f" and {len(found) - 6} others" if len(found) > 6 else "")


def _missing(frame: pd.DataFrame, params: Params) -> list[str]:
    """A sentence a missing column, with the column that it may have meant."""
    there = [str(column) for column in frame.columns]
    faults = []
    for column, key in needed_columns(params).items():
        if column in there:
            continue
        fault = f"no column {column!r} ({key}); {hint(column, there)}"
        if key == f"data.endpoints.{column}":  # a name of the user's own, perhaps
            fault += f"; if {column!r} is a new name of yours, add {key}.column with the table's"
        faults.append(fault)
    return faults


def _violations(frame: pd.DataFrame, checks: dict[str, CheckParams], decimal: Mark) -> list[str]:
    """What pandera finds, a sentence a column and check: the first such cell, and the records of all."""
    import pandera.pandas as pandera  # takes 0.3 s to import, and few tables declare checks

    schema = pandera.DataFrameSchema(
        {
            column: pandera.Column(
                required=declared.required, nullable=True, checks=_checks(declared, decimal)
            )
            for column, declared in checks.items()
        }
    )
    try:
        schema.validate(frame.astype(object), lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return _sentences(errors.failure_cases)
    return []


def _checks(declared: CheckParams, decimal: Mark) -> list:
    """pandera checks of one column of text; an empty cell is judged by `empty` alone.

    Cells are read as curation reads them: NA is an empty number, and >5 the number 5.
    """
    import pandera.pandas as pandera

    words = {""} if declared.type == "text" else MISSING

    def empty(cells: pd.Series) -> pd.Series:
        return cells.str.strip().str.lower().isin(words)

    def over_filled(test):
        return lambda cells: empty(cells) | test(cells.str.strip())

    def number(cells: pd.Series) -> pd.Series:
        return pd.Series(read_numbers(cells.to_numpy(dtype=object), "", decimal).value, index=cells.index)

    rules = []
    if not declared.empty:
        rules.append((lambda cells: ~empty(cells), "is empty"))
    if declared.type == "number":
        rules.append((over_filled(lambda c: number(c).notna()), "is not a number"))
    if declared.type == "integer":
        rules.append((over_filled(lambda c: number(c) % 1 == 0), "is not an integer"))
    if declared.type == "date":
        rules.append((over_filled(_is_date), "is not a date"))
    if declared.min is not None:
        rules.append((over_filled(lambda c: ~(number(c) < declared.min)), f"is under {declared.min:g}"))
    if declared.max is not None:
        rules.append((over_filled(lambda c: ~(number(c) > declared.max)), f"is over {declared.max:g}"))
    if declared.allowed is not None:
        allowed = {plain_cell(cell) for cell in declared.allowed}
        rules.append(
            (
                over_filled(lambda c: c.map(plain_cell).isin(allowed)),
                f"is not one of {', '.join(declared.allowed)}",
            )
        )
    if declared.pattern is not None:
        pattern = declared.pattern
        rules.append((over_filled(lambda c: c.str.fullmatch(pattern)), f"does not match {pattern}"))
    if declared.unique:
        rules.append((over_filled(lambda c: ~c.duplicated(keep="first")), "is there more than once"))
    return [pandera.Check(rule, name=sentence, error=sentence) for rule, sentence in rules]


def _is_date(cells: pd.Series) -> pd.Series:
    return pd.Series(~decimal_years(cells.to_numpy(dtype=object)).bad, index=cells.index)


def _sentences(failures: pd.DataFrame) -> list[str]:
    """pandera's failure cases, a sentence a column and check."""
    sentences = []
    for key, cases in failures.groupby(["column", "check"], sort=False, dropna=False):
        column, rule = tuple(key)  # pyright: ignore[reportArgumentType]
        if rule == "column_in_dataframe":
            sentences.append(f"no column {cases['failure_case'].iloc[0]!r} (data.checks)")
            continue
        cases = cases.sort_values("index")
        rows = cases["index"].to_numpy(dtype=np.int64) + 1
        more = f" (and {len(rows) - 1} more, in {_ranges(rows[1:])})" if len(rows) > 1 else ""
        sentences.append(
            f"column {column!r}: {cases['failure_case'].iloc[0]!r} in record {rows[0]} {rule}{more}"
        )
    return sentences


def _ranges(rows: np.ndarray) -> str:
    """Ascending record numbers as a text: records 2, 5-9, 12."""
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    shown = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs[:RANGES]]
    left = sum(len(run) for run in runs[RANGES:])
    return f"record{'s' if len(rows) > 1 else ''} {', '.join(shown)}" + (
        f" and {left} others" if left else ""
    )
