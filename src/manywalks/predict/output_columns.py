"""The rows that `manywalks predict` writes: columns and types, from a chunk's parts to an Arrow table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from manywalks.ensemble.model import Ensemble
from manywalks.predict.columns import Record
from manywalks.predict.molecule_worker import Standard

GIVEN = ("id", "smiles", "standardized")
# a class as 0 or 1, and as the training table's own word, which the field of the schema knows
DECISION, LABEL = ":decision", ":label"


def schema(ensemble: Ensemble, keep: Sequence[str] = ()) -> pa.Schema:
    """Columns of the output: the input's, those kept of it, the predictions, and the rejection."""
    names = list(ensemble.predicted_columns)
    taken = {*GIVEN, *names, "rejected"}
    kept = []
    for name in keep:
        kept.append((f"input:{name}" if name in taken else name, pa.string()))
        taken.add(name)  # `file` of a folder, and a column of that name
    types: list[Any] = []
    for name, kind in ensemble.predicted_columns.items():
        types.append((name, {"f": pa.float64(), "i": pa.int8(), "b": pa.bool_()}[kind]))
        if kind == "i":
            endpoint = name.removesuffix(DECISION)
            if endpoint not in ensemble.labels:  # a number with a cut-off
                continue
            words = dict(zip("01", ensemble.labels[endpoint], strict=True))
            types.append(pa.field(f"{endpoint}{LABEL}", pa.string(), metadata=words))
    return pa.schema([*((name, pa.string()) for name in GIVEN), *kept, *types, ("rejected", pa.string())])


def input_columns(records: Sequence[Record], standards: Sequence[Standard]) -> dict[str, list[Any]]:
    """The columns of text of n records, from what became of each molecule.

    Args:
        records: (n,) of the input.
        standards: (n,); what belongs to a record with a fault is not looked at.
    """
    rejected = [
        f"malformed: {record.fault}" if record.fault else s.rejected
        for record, s in zip(records, standards, strict=True)
    ]
    return {
        "id": [record.id for record in records],
        "smiles": [
            record.text if record.kind == "smiles" else s.smiles
            for record, s in zip(records, standards, strict=True)
        ],
        "standardized": [
            None if record.fault else s.standardized for record, s in zip(records, standards, strict=True)
        ],
        "kept": [record.kept for record in records],
        "rejected": rejected,
    }


def result_table(
    given: dict[str, list[Any]], predicted: pd.DataFrame, places: Sequence[int], fields: pa.Schema
) -> pa.Table:
    """One row per record: `places` (n,) are rows of `predicted`, -1 where there is none."""
    rows = np.asarray(places, dtype=np.int64)
    missing = rows < 0
    labelled = {
        name: name.removesuffix(DECISION) + LABEL
        for name in predicted.columns
        if name.endswith(DECISION) and name.removesuffix(DECISION) + LABEL in fields.names
    }
    width = len(fields.names) - len(GIVEN) - predicted.shape[1] - len(labelled) - 1
    columns: list[pa.Array] = [pa.array(given[name], pa.string()) for name in GIVEN]
    columns += [pa.array([cells[k] for cells in given["kept"]], pa.string()) for k in range(width)]
    for name in predicted.columns:
        values = predicted[name].to_numpy()
        of_row = values[np.maximum(rows, 0)] if len(values) else np.zeros(len(rows), values.dtype)
        columns.append(pa.array(of_row, fields.field(name).type, mask=missing))
        if name in labelled:
            known = fields.field(labelled[name]).metadata or {}
            words = np.array([known[b"0"].decode(), known[b"1"].decode()], dtype=object)
            columns.append(pa.array(words[of_row.astype(np.int64)], pa.string(), mask=missing))
    columns.append(pa.array(given["rejected"], pa.string()))
    return pa.Table.from_arrays(columns, schema=fields)
