"""Molecules worth a look: where the ensemble is furthest off, and where a retrained one may differ most."""

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from manywalks.evaluate.statement.sentences import which_molecules
from manywalks.formatting import count, short
from manywalks.report import drawing
from manywalks.report.charts.comparisons import worst_molecules
from manywalks.report.endpoint import View, absolute_errors, exact

SHOWN = 6
TITLES = {"high": "Highest predictions", "low": "Lowest predictions", "range": "Predicted best"}


def largest_errors(view: View) -> dict[str, Any]:
    """The test molecules that the ensemble misses most, drawn."""
    rows = exact(view.rows)
    order = np.argsort(-absolute_errors(rows), kind="stable")[:SHOWN]
    return _gallery("Largest errors", rows.iloc[order], view)


def worst_retrained(view: View, predictions: pd.DataFrame) -> dict[str, Any]:
    """The molecules where a retrained ensemble may differ most, drawn with the bound of each."""
    rows = pd.DataFrame(worst_molecules(view, predictions)[:SHOWN])
    found = _gallery("Where a retrained ensemble may differ most", rows, view)
    if found:
        expected = short(view.statement["worst_molecules"]["expected"], 2)
        unit = " in probability" if view.is_class else f" {view.unit.strip(' ()')}" if view.unit else ""
        found["caption"] = (
            f"At the worst of {which_molecules(view.statement)}, whichever it is, two "
            f"ensembles differ by {expected}{unit} on average"
            f"{', before calibration' if view.is_class else ''}. Each bound is for its molecule alone, "
            f"{100 * view.statement['confidence']:g} % sure."
        )
    return found


def wanted(view: View, predictions: pd.DataFrame) -> dict[str, Any]:
    """The molecules predicted best, drawn; nothing where nobody said which values are looked for (`want`)."""
    if view.wanted.want is None:
        return {}
    own = predictions.loc[predictions["endpoint"] == view.name]
    good = view.wanted.desirability(own["predicted"].to_numpy(dtype=np.float64))
    rows = own.iloc[np.argsort(-good, kind="stable")[:SHOWN]]
    found = _gallery(TITLES[view.wanted.want], rows, view)
    if found:
        limits = view.wanted.range
        middle = f" Best is what lies deepest within {limits[0]:g} to {limits[1]:g}." if limits else ""
        found["caption"] = (
            f"Of {count(len(own), f'{view.over} molecule')}.{middle} manywalks predict --top "
            "K says which of the best K of any list a retrained ensemble would replace."
        )
    return found


def _gallery(title: str, rows: pd.DataFrame, view: View) -> dict[str, Any]:
    """Drawn molecules with what was measured and predicted; empty where there are none."""
    if rows.empty:
        return {}
    cards = []
    for record in rows.to_dict("records"):
        name = identity(record["id"], int(record["row"]))
        cards.append(
            {
                "id": name,
                "smiles": record["smiles"],
                "picture": Markup(
                    drawing.framed(drawing.draw(str(record["smiles"])), f"Structure of {name}")
                ),
                "observed": _observed(record, view),
                "predicted": short(record["predicted"]),
                "spread": short(record["spread"], 2),
                "similarity": short(record.get("similarity"), 2),
                "bound": short(record["own_bound"], 2) if "own_bound" in record else "",
                "outside": not record["in_domain"],
            }
        )
    unit = "" if view.is_class else view.metrics["unit"]
    return {"title": title, "cards": cards, "caption": "", "unit": unit}


def _observed(record: dict[Any, Any], view: View) -> str:
    """What was measured; a dash where nothing was."""
    if not np.isfinite(record["observed"]):
        return "–"
    if view.is_class:
        return view.answers[int(record["observed"])]
    return ("" if record["relation"] == "=" else record["relation"]) + short(record["observed"])


def identity(name: Any, row: int) -> str:
    """What a molecule is called: its id, or where it stands in the curated table."""
    return f"row {row}" if name is None or name != name or str(name) == "" else str(name)
