"""Molecules worth a look: where the ensemble is furthest off, and where its replicates differ most."""

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from manywalks.formatting import short
from manywalks.report import drawing
from manywalks.report.endpoint import View, absolute_errors, exact

SHOWN = 6


def largest_errors(view: View) -> dict[str, Any]:
    """The test molecules that the ensemble misses most, drawn."""
    rows = exact(view.rows)
    order = np.argsort(-absolute_errors(rows), kind="stable")[:SHOWN]
    return _gallery("Largest errors", rows.iloc[order], view)


def largest_spreads(view: View) -> dict[str, Any]:
    """The test molecules that the replicates disagree most about, drawn."""
    order = np.argsort(-view.rows["spread"].to_numpy(dtype=float), kind="stable")[:SHOWN]
    return _gallery("Where the replicates disagree most", view.rows.iloc[order], view)


def _gallery(title: str, rows: pd.DataFrame, view: View) -> dict[str, Any]:
    """Drawn molecules with what was measured and predicted; empty where there are none."""
    if rows.empty:
        return {}
    cards = []
    for record in rows.to_dict("records"):
        name = identity(record["id"], int(record["row"]))
        relation = "" if record["relation"] == "=" else record["relation"]
        cards.append(
            {
                "id": name,
                "smiles": record["smiles"],
                "picture": Markup(
                    drawing.framed(drawing.draw(str(record["smiles"])), f"Structure of {name}")
                ),
                "observed": relation
                + (view.answers[int(record["observed"])] if view.is_class else short(record["observed"])),
                "predicted": short(record["predicted"]),
                "spread": short(record["spread"], 2),
                "similarity": short(record.get("similarity"), 2),
            }
        )
    return {"title": title, "cards": cards}


def identity(name: Any, row: int) -> str:
    """What a molecule is called: its id, or where it stands in the curated table."""
    return f"row {row}" if name is None or name != name or str(name) == "" else str(name)
