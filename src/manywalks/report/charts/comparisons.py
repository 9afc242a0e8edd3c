"""Named values on one axis: the score beside those of simple predictions, the bound by distance."""

from typing import Any

import numpy as np
import pandas as pd

from manywalks.evaluate.registry import SCORE_NAMES
from manywalks.formatting import count, short
from manywalks.report.charts.charts import LEFT, TOP, WIDTH, Plane, axis, fitted, fixed_axis
from manywalks.report.endpoint import BASELINES, Figure, View

# a name stands over its mark, so that the longest one fits
_ROW, _FOOT = 40, 46


def beside_baselines(view: View) -> Figure | None:
    """The ensemble's test score, those of single replicates, and those of predictions without training."""
    whole = view.metrics["ensemble"][view.main]
    if whole is None or not view.metrics["baselines"]:
        return None
    rows = [("this ensemble", whole, whole, whole, "ours")]
    if view.replicates.size > 1:
        low, high = float(view.replicates.min()), float(view.replicates.max())
        rows.append(("single replicates", float(view.replicates.mean()), low, high, ""))
    for name, one in view.metrics["baselines"].items():
        if (score := one[view.main]) is not None:
            rows.append((BASELINES[name], score, score, score, ""))
    name = SCORE_NAMES[view.main]
    plane = ladder(
        f"test {view.score_label(view.main)}", np.array([row[1:4] for row in rows]).ravel(), len(rows),
        zero=not view.is_class,
    )  # fmt: skip
    said = ", ".join(f"{row[0]} {short(row[1])}" for row in rows)
    better = "Right is better." if view.is_class else "Left is better."
    caption = f"Test {name} of the model, and of predictions that need no training. {better}"
    return Figure("Better than guessing?", plane.svg(rungs(plane, rows), f"Test {name}: {said}."), caption)


def by_distance(view: View) -> Figure | None:
    """The bound over each quarter of the molecules by distance from training, beside that over all."""
    statement = view.statement
    quarters = statement.get("by_distance") or []
    if not quarters:
        return None
    every = statement["difference_bound"]
    rows = [(f"all {count(statement['molecules'], 'molecule')}", every, every, every, "ours")]
    for place, quarter in enumerate(quarters):
        bound = quarter["difference_bound"]
        which = ("farthest quarter", "second quarter", "third quarter", "nearest quarter")[place]
        ends = f"{short(quarter['similarity_low'], 2)} to {short(quarter['similarity_high'], 2)}"
        rows.append((f"{which}: similarity {ends}", bound, bound, bound, ""))
    unit = view.unit or (" (probability before calibration)" if view.is_class else "")
    ends = np.array([0.0, statement["tolerance"], *(row[1] for row in rows)])
    plane = ladder(f"largest difference{unit}", ends, len(rows), zero=True)
    marks = [plane.upright(statement["tolerance"]), *rungs(plane, rows)]
    caption = (
        f"Root mean square over the molecules of each row, {100 * statement['confidence']:g} % sure. Dashed: "
        f"the tolerance, {short(statement['tolerance'])}."
    )
    bounds = [quarter["difference_bound"] for quarter in quarters]
    if bounds[0] == max(bounds):
        caption += " A retrained ensemble differs most from this one where no training molecule is near."
    alt = "; ".join(f"{row[0]}: {short(row[1], 2)}" for row in rows)
    return Figure("How far a retrained ensemble may differ, by distance", plane.svg(marks, alt), caption)


def worst_molecules(view: View, predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of predictions.parquet where a retrained ensemble may differ most, with the bound of each."""
    worst = view.statement.get("worst_molecules")
    if not worst:
        return []
    own = predictions.loc[predictions["endpoint"] == view.name].set_index("row", drop=False)
    return [
        {**own.loc[row].to_dict(), "own_bound": bound}
        for row, bound in zip(worst["rows"], worst["bounds"], strict=True)
    ]


def ladder(label: str, ends: np.ndarray, rows: int, *, zero: bool = False) -> Plane:
    """Named rows under each other over one axis that holds `ends`."""
    height = TOP + _FOOT + _ROW * rows
    return Plane(axis(label, ends, zero=zero, room=0.08), fixed_axis("", -0.5, rows - 0.5, ()), height=height)


def rungs(plane: Plane, rows: list[tuple[str, float, float, float, str]]) -> list[str]:
    """A row each: its name over a dot at its value, and a line from its low to its high end."""
    marks = []
    for place, (name, middle, low, high, kind) in enumerate(rows):
        y = float(plane.py(float(len(rows) - 1 - place))) + 6
        a, b, c = plane.px(np.array([low, middle, high]))
        marks.append(
            f'<path class="range {kind}" d="M{a:.1f} {y:.1f}H{c:.1f}"/>'
            f'<circle class="at {kind}" cx="{b:.1f}" cy="{y:.1f}" r="5"/>'
            f'<text class="note" x="{LEFT + 4}" y="{y - 10:.1f}">'
            f"{fitted(f'{name}: {short(middle)}', WIDTH - LEFT)}</text>"
        )
    return marks
