"""Figures of a reproduction: model against retraining, differences against what was promised, sources."""

from html import escape
from typing import Any

import numpy as np

from manywalks.evaluate.registry import SCORE_NAMES
from manywalks.formatting import count, number
from manywalks.report.charts.charts import LEFT, TOP, Plane, axis, fixed_axis
from manywalks.report.endpoint import Figure

ROW, FOOT = 26, 46


def both_ensembles(points: list[dict[str, float]], found: dict[str, Any]) -> Figure:
    """A dot a molecule: the model's prediction and the retrained ensemble's, within the promised distance.

    Args:
        points: {"model", "retrained"} by molecule, in the endpoint's unit.
        found: the endpoint's entry of reproduction.json.
    """
    one, other = (np.array([point[key] for point in points]) for key in ("model", "retrained"))
    unit, ends, bound = _unit(found["unit"]), np.concatenate([one, other]), found["judged_by"]
    plane = Plane(axis(f"model{unit}", ends), axis(f"retrained{unit}", ends))
    line = np.array([plane.x.low, plane.x.high])
    marks = [plane.band(line, line - bound, line + bound), plane.diagonal(), plane.dots(one, other)]
    return Figure(
        "The same molecules, two ensembles",
        plane.svg(marks, "Predictions of the retrained ensemble against the model's"),
        f"{count(len(one), 'molecule')} that trained neither. The band is the promised difference, which is "
        f"an average (root mean square): {100 * np.mean(np.abs(one - other) <= bound):.0f} % of the "
        "molecules are within it.",
    )


def against_bounds(found: dict[str, Any]) -> Figure:
    """Each difference as a share of its bound: the predictions', then the metrics'."""
    rows = [("predictions", found["difference"], found["judged_by"], found["unit"])]
    for name, one in found["metrics"].items():
        rows.append((SCORE_NAMES[name], one["difference"], one["bound"], ""))
    shares = np.array([difference / bound if bound else 0.0 for _, difference, bound, _ in rows])
    plane = _ladder("difference as a share of what was promised", np.array([*shares, 0.0, 1.05]), len(rows))
    marks = [plane.upright(1.0, "promised")]
    for place, ((name, difference, bound, unit), share) in enumerate(zip(rows, shares, strict=True)):
        y = float(plane.py(float(len(rows) - 1 - place)))
        word = "worse" if share > 1 else "equivalent"
        title = f"{number(difference, 3)}{_unit(unit)}, at most {number(bound, 3)} promised"
        marks.append(
            f'<g><title>{escape(title)}</title><path class="range {word}" d="M{LEFT} {y:.1f}'
            f'H{float(plane.px(share)):.1f}"/><circle class="at {word}" cx="{float(plane.px(share)):.1f}" '
            f'cy="{y:.1f}" r="4"/></g>{_name(name, y)}'
        )
    over = int((shares[1:] > 1).sum())
    metrics = (
        "every score is within its own limit" if not over else f"{count(over, 'score')} beyond the limit"
    )
    return Figure(
        "What differs, and what was promised",
        plane.svg(marks, "Differences as shares of what was promised"),
        f"The verdict is on the predictions; {metrics}. Each limit by itself holds in "
        f"{100 * found['confidence']:g} of 100 cases, so one score of many may be beyond.",
    )


def spreads(rows: dict[str, dict[str, float]], unit: str) -> Figure:
    """The spread that each source of randomness brings alone, with 95 % intervals.

    Args:
        rows: a source each, as sources.json has them.
        unit: of the endpoint.
    """
    ends = np.array([0.0, *(row["high"] for row in rows.values())])
    plane = _ladder(f"spread{_unit(unit)}", ends, len(rows))
    marks = []
    for place, (name, row) in enumerate(rows.items()):
        y = float(plane.py(float(len(rows) - 1 - place)))
        low, middle, high = plane.px(np.array([row["low"], row["spread"], row["high"]]))
        word = "best" if name == "all" else ""
        marks.append(
            f'<path class="range" d="M{low:.1f} {y:.1f}H{high:.1f}"/>'
            f'<circle class="at {word}" cx="{middle:.1f}" cy="{y:.1f}" r="4"/>{_name(name, y)}'
        )
    return Figure(
        "What makes replicates differ",
        plane.svg(marks, "Spread of replicates by source of randomness"),
        "Standard deviation over replicates (root mean square over molecules) when only that varies. The "
        "shares need not add up to 100 %: what one does depends on the others.",
    )


def _ladder(label: str, ends: np.ndarray, rows: int) -> Plane:
    """Named rows under each other over one axis."""
    height = TOP + FOOT + ROW * rows
    return Plane(axis(label, ends, zero=True), fixed_axis("", -0.5, rows, ()), height=height)


def _name(text: str, y: float) -> str:
    """A row's name, left of the axis; the page's figures leave room there."""
    return f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'


def _unit(unit: str) -> str:
    """A unit in brackets."""
    return f" ({unit})" if unit else ""
