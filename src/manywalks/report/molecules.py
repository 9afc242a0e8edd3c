"""What the page knows of each molecule: the store that its table, its charts and its downloads read.

Molecules of the valid and test subsets, in columns: a list an attribute, all in the same order. Every
molecule of the table has its numbers; only some are drawn: a drawing is as long as ten of the table's rows.
"""

from typing import Any

import numpy as np
import pandas as pd

from manywalks.report import drawing
from manywalks.report.endpoint import View, absolute_errors
from manywalks.report.explanations.structures import short_block
from manywalks.report.gallery import identity

# about 0.15 kB each and endpoint: so many keep the page of one endpoint under 7 MB
MOST_ROWS = 10_000
# of each endpoint, so many of the largest errors are drawn whatever else is; so many of the farthest
ALWAYS_DRAWN = 50
NUMBERS = ("observed", "predicted", "spread", "low", "high", "bound")


def store(views: list[View], predictions: pd.DataFrame, most: int, rows: int = MOST_ROWS) -> dict[str, Any]:
    """Everything that the page's script reads, ready for JSON.

    Args:
        views: the endpoints, with the dots of their charts.
        predictions: of predictions.parquet.
        most: so many molecules are drawn, or a few more.
        rows: so many molecules are in the table, or a few more.
    """
    every = predictions.drop_duplicates("row").set_index("row").sort_index(kind="stable")
    drawn = to_draw(views, every, most)
    kept = chosen(every.index.to_numpy(), rows) | drawn
    held = np.array([row for row in every.index if row in kept])
    table = every.loc[held]
    places = {int(row): place for place, row in enumerate(held)}
    molecules = {
        "id": [identity(name, row) for row, name in zip(held, table["id"], strict=True)],
        "smiles": [str(text) for text in table["smiles"]],
        "subset": table["subset"].tolist(),
        "similarity": rounded(table["similarity"], 3),
        "inside": [int(inside) for inside in table["in_domain"]],
        "drawing": [drawing.draw(str(s)) if r in drawn else "" for r, s in table["smiles"].items()],
        "block": [short_block(str(s)) if r in drawn else "" for r, s in table["smiles"].items()],
    }
    nearest, training = _nearest(table, drawn)
    return {
        "molecules": {**molecules, "nearest": nearest},
        "training": training,
        "endpoints": [_endpoint(view, predictions, held, places) for view in views],
        "all": len(every),
    }


def to_draw(views: list[View], every: pd.DataFrame, most: int) -> set[int]:
    """Rows of the molecules that are drawn: those with a dot, the worst, the farthest, then others."""
    found: set[int] = set()
    for view in views:
        worst = np.argsort(-absolute_errors(view.rows), kind="stable")[:ALWAYS_DRAWN]
        found |= set(view.rows["row"].to_numpy()[worst].tolist())
        found |= set(view.shown["row"].tolist())
    found |= set(every.index[np.argsort(every["similarity"], kind="stable")[:ALWAYS_DRAWN]].tolist())
    others = np.array([row for row in every.index if row not in found], dtype=np.int64)
    return found | chosen(others, max(0, most - len(found)))


def chosen(rows: np.ndarray, most: int) -> set[int]:
    """All rows, or some at random, the same ones each time."""
    if len(rows) <= most:
        return set(rows.tolist())
    return set(np.random.default_rng(0).choice(rows, most, replace=False).tolist())


def _nearest(table: pd.DataFrame, drawn: set[int]) -> tuple[list[int], dict[str, list[str]]]:
    """Where each molecule's nearest training molecule stands in a list of them (-1: none), and that list."""
    places: dict[int, int] = {}
    training: dict[str, list[str]] = {"id": [], "smiles": [], "drawing": []}
    found = []
    columns = ("nearest_row", "nearest_id", "nearest_smiles")
    for row, near, name, smiles in table[list(columns)].itertuples():
        if pd.isna(near):
            found.append(-1)
            continue
        if int(near) not in places:
            places[int(near)] = len(places)
            training["id"].append(identity(name, int(near)))
            training["smiles"].append(str(smiles))
            training["drawing"].append("")
        place = places[int(near)]
        if row in drawn and not training["drawing"][place]:
            training["drawing"][place] = drawing.draw(str(smiles))
        found.append(place)
    return found, training


def _endpoint(
    view: View, predictions: pd.DataFrame, held: np.ndarray, places: dict[int, int]
) -> dict[str, Any]:
    """One endpoint: numbers of all molecules held, and the molecules of its dots, in their order."""
    own = predictions.loc[predictions["endpoint"] == view.name].set_index("row").reindex(held)
    return {
        "name": view.name,
        "unit": "" if view.is_class else view.metrics["unit"],
        "class": view.is_class,
        "answers": view.answers,
        "coverage": view.coverage,
        "confidence": view.statement["confidence"],
        "relation": "".join(text if text in ("<", ">") else "=" for text in own["relation"]),
        **{name: rounded(own[name], 4) for name in NUMBERS},
        "near": rounded(own["nearest_observed"], 4),
        "near_relation": "".join(t if t in ("<", ">") else "=" for t in own["nearest_relation"]),
        "dots": [places[int(row)] for row in view.shown["row"]],
    }


def rounded(values: pd.Series, digits: int) -> list[float | None]:
    """A few significant digits, for a page that is read and not computed with; None where there is none."""
    return [
        float(f"{value:.{digits}g}") if np.isfinite(value) else None
        for value in values.to_numpy(dtype=np.float64)
    ]
