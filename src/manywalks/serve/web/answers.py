"""What a client gets: rows of predictions as JSON, CSV or SDF."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from pydantic import BaseModel, Field

from manywalks.predict.columns import Record
from manywalks.predict.molecule_worker import Standard
from manywalks.predict.output_columns import input_columns, result_table, schema
from manywalks.predict.written import csv_frame
from manywalks.serve.live import Live
from manywalks.serve.predicting import Nearest, Row

NOTHING = Row(Standard("", None, ""))


class Value(BaseModel):
    """One endpoint of one molecule."""

    mean: float | None = Field(description="the ensemble's prediction; of a class, its probability")
    unit: str
    spread: float | None = Field(description="standard deviation over the replicates")
    low: float | None = Field(description="lower end of the calibrated interval")
    high: float | None
    bound: float | None = Field(description="how far a retrained ensemble would be from this one at most")
    decision: int | None = Field(default=None, description="0 or 1, of a class or by a cut-off")
    label: str | None = Field(default=None, description="the same as the training table calls it, of a class")
    flip_probability: float | None = Field(
        default=None, description="share of single replicates that would decide otherwise"
    )


class NearestMolecule(BaseModel):
    """A training molecule."""

    smiles: str | None = Field(description="null where the service does not know the training molecules")
    similarity: float
    measured: dict[str, float | None]
    relation: dict[str, str | None] = Field(
        description="= of a measured value, < or > of one that is known only as a limit"
    )


class Prediction(BaseModel):
    """One molecule: predictions, or the reason why there are none."""

    id: str
    smiles: str
    standardized: str | None
    endpoints: dict[str, Value] | None
    in_domain: bool | None
    on_graph: bool | None = Field(
        default=None,
        description="false where the molecule is too large for the model's network on graphs, if it has one",
    )
    similarity: float | None = Field(description="Tanimoto, to the nearest training molecule")
    nearest: NearestMolecule | None
    rejected: str | None


class Answer(BaseModel):
    """The molecules in the order given, and which model answered."""

    model: str
    version: str
    champion: str | None
    data_version: str
    coverage: float = Field(description="of the intervals")
    predictions: list[Prediction]


def answer(live: Live, records: Sequence[Record], rows: Sequence[Row | None]) -> dict[str, Any]:
    """As JSON: an `Answer`."""
    predictions = [prediction(live, *pair) for pair in zip(records, rows, strict=True)]
    coverage = live.ensemble.about["params"]["evaluate"]["coverage"]
    return {**live.about, "coverage": coverage, "predictions": predictions}


def prediction(live: Live, record: Record, row: Row | None) -> dict[str, Any]:
    """One molecule: a `Prediction`."""
    row = row or NOTHING
    said: dict[str, Any] = {
        "id": record.id,
        "smiles": record.text if record.kind == "smiles" else row.standard.smiles,
        "standardized": row.standard.standardized,
        "endpoints": None, "in_domain": None, "similarity": None, "nearest": None,
        "rejected": (f"malformed: {record.fault}" if record.fault else row.standard.rejected) or None,
    }  # fmt: skip
    if row.values is None:
        return said
    values = row.values
    said["endpoints"] = {name: _value(live, values, name) for name in live.endpoints}
    for name in ("in_domain", "on_graph"):
        if name in values:
            said[name] = bool(values[name])
    said["similarity"] = _number(values["similarity"])
    if row.nearest is not None:
        said["nearest"] = nearest(live, row.nearest)
    return said


def nearest(live: Live, near: Nearest) -> dict[str, Any]:
    """A training molecule: a `NearestMolecule`."""
    if live.training is None:
        return {"smiles": None, "similarity": near.similarity, "measured": {}, "relation": {}}
    row = live.training[near.row]
    measured = {name: _number(row[name]) for name in live.endpoints}
    return {
        "smiles": str(row["smiles"]),
        "similarity": near.similarity,
        "measured": measured,
        # an archive of a former version has no relations
        "relation": {
            name: None if value is None else str(row.get(f"{name}:relation", "="))
            for name, value in measured.items()
        },
    }


def _value(live: Live, values: dict[str, Any], name: str) -> dict[str, Any]:
    """One endpoint: a `Value`."""
    said: dict[str, Any] = {"mean": _number(values[name]), "unit": live.endpoints[name]["unit"]}
    for key in ("spread", "low", "high", "bound"):
        said[key] = _number(values[f"{name}:{key}"])
    if f"{name}:decision" in values:
        said["decision"] = int(values[f"{name}:decision"])
        if words := live.ensemble.labels.get(name):  # of a class; a number may have a cut-off
            said["label"] = words[said["decision"]]
        said["flip_probability"] = _number(values[f"{name}:flip"])
    return said


def _number(value: Any) -> float | None:
    """A number as JSON has it: seven digits, which float32 holds; null for none."""
    return float(f"{value:.7g}") if value is not None and math.isfinite(value) else None


def as_frame(live: Live, records: Sequence[Record], rows: Sequence[Row | None]) -> pd.DataFrame:
    """The columns that `manywalks predict` writes, as it writes them to CSV."""
    fields = schema(live.ensemble)
    columns = live.ensemble.predicted_columns
    found = [row or NOTHING for row in rows]
    given = input_columns(records, [row.standard for row in found])
    kept = [row.values for row in found if row.values is not None]
    predicted = pd.DataFrame(kept, columns=pd.Index(list(columns)))
    places, count = [], 0
    for row in found:
        places.append(-1 if row.values is None else count)
        count += row.values is not None
    return csv_frame(result_table(given, predicted, places, fields), fields)


def as_sdf(frame: pd.DataFrame, blocks: Sequence[str | None]) -> str:
    """Molecule blocks with the columns as fields; a molecule that was not predicted has an empty block."""
    empty = "\n     manywalks\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n"
    parts = []
    for row, block in zip(frame.to_dict("records"), blocks, strict=True):
        name = _cell(row["id"])[:80]
        lines = (block or empty).split("\n", 1)[1]
        fields = "".join(
            f">  <{key}>\n{_cell(value)}\n\n" for key, value in row.items() if not _is_empty(value)
        )
        parts.append(f"{name}\n{lines}{fields}$$$$\n")
    return "".join(parts)


def _cell(value: Any) -> str:
    """A cell on one line; what would end the record or begin a field is moved by a space."""
    text = f"{value:.7g}" if isinstance(value, float) else " ".join(str(value).split())
    return f" {text}" if text.startswith(("$$$$", ">")) else text


def _is_empty(value: Any) -> bool:
    """Whether a cell holds nothing."""
    return value is None or value == "" or value is pd.NA or (isinstance(value, float) and math.isnan(value))
