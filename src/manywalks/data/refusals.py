"""Endpoints that are not worth training: one class alone, or nearly all values rejected for one reason."""

from collections import Counter

import numpy as np
import pandas as pd

from manywalks.data.cells import Cells
from manywalks.data.records import Records
from manywalks.params.sections.endpoint import EndpointParams

# molecules: so many are worth training on, whatever became of the other records; fewer lost are a small table
FEW = 50
# what params.yaml asks for, or what says nothing against the table
ASKED_FOR = {"filtered", "unmeasured", "censored", "spread", "other_subset"}


def refuse_one_class(records: Records, name: str, cells: Cells) -> None:
    """Refuse an endpoint whose readable cells are all of one class, and say what the others hold."""
    found = set(cells.value[records.open & ~np.isnan(cells.value)])
    if len(found) != 1:
        return
    column = records.params.data.endpoints[name].source(name)
    unread = Counter(records.column(column)[[row for row in cells.problems if records.open[row]]])
    only = int(found.pop())
    if not unread:
        remedy = "add records of the other class, or remove the endpoint"
        raise ValueError(f"{_place(records, name)} holds class {only} alone; {remedy}")
    held = ", ".join(f"{cell!r} ({count} cells)" for cell, count in unread.most_common(5))
    word = unread.most_common(1)[0][0]
    shown = records.column(column)[int(np.flatnonzero(cells.value == only)[0])]
    keys = f"positive: {shown!r} and negative: [{word!r}]"
    if only == 0:
        keys = f"positive: {word!r}"
    raise ValueError(f"{_place(records, name)} holds class {only} alone; {held} says no class: set {keys}")


def refuse_one_class_left(records: Records, molecules: pd.DataFrame) -> None:
    """Refuse an endpoint of which the molecules that are kept have one class alone."""
    for name, endpoint in records.params.data.endpoints.items():
        values = molecules[name].to_numpy(dtype=np.float64)
        kept = set(values[~np.isnan(values)])
        if endpoint.kind != "classification" or len(kept) != 1:
            continue
        reasons = Counter(code for code, _ in records.reasons.values())
        lost = ", ".join(f"{code} ({count})" for code, count in reasons.most_common(3)) or "none"
        raise ValueError(
            f"{_place(records, name)} has class {int(kept.pop())} alone in the {len(values)} molecules that "
            f"are kept (rejected records: {lost}); add records of the other class, or remove the endpoint"
        )


def _place(records: Records, name: str) -> str:
    """Table, column and endpoint."""
    column = records.params.data.endpoints[name].source(name)
    return f"{records.params.data.path}: column {column!r} of endpoint {name}"


def refuse_mostly_rejected(records: Records, cells: dict[str, Cells], molecules: pd.DataFrame) -> None:
    """Refuse an endpoint that loses more than curate.max_rejected of its values for one reason and keeps few.

    Else a table of which a few rows happen to be readable trains, and a nightly run replaces a good model.
    """
    data, most = records.params.data, records.params.curate.max_rejected
    for name, endpoint in data.endpoints.items():
        left = int(np.isfinite(molecules[name].to_numpy(dtype=np.float64)).sum())
        found = _outcomes(records, cells[name], endpoint)
        lost = Counter(code for code, _ in found.values() if code)
        code, count = max(lost.items(), key=lambda one: one[1], default=("", 0))
        if left >= FEW or count < FEW or count <= most * len(found):
            continue
        row = next(row for row, (reason, _) in found.items() if reason == code)
        raise ValueError(
            f"{data.path}: {count:,} of {len(found):,} values of endpoint {name} are rejected as {code}, "
            f"such as that of record {row + 1} ({found[row][1]}), which leaves {left} molecules; correct the "
            "table or params.yaml, or set curate.max_rejected: 1 to train on these"
        )


def _outcomes(records: Records, cells: Cells, endpoint: EndpointParams) -> dict[int, tuple[str, str]]:
    """Each record that has something in the endpoint's cell -> why it is of no use; ("", "") where it is."""
    filled = set(map(int, np.flatnonzero(~np.isnan(cells.value)))) | cells.problems.keys()
    found = {row: cells.problems.get(row) or records.reasons.get(row, ("", "")) for row in sorted(filled)}
    # with `negative` the other cells are left out on purpose
    asked = ASKED_FOR | ({"not_a_class"} if endpoint.negative is not None else set())
    return {row: ("", "") if reason[0] in asked else reason for row, reason in found.items()}
