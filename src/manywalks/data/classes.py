"""A classification needs both classes: what is said where one is missing, before anything is trained."""

from collections import Counter

import numpy as np
import pandas as pd

from manywalks.data.cells import Cells
from manywalks.data.records import Records


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
