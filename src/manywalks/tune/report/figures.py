"""Figures of a search: gains in the order of trials, gain and cost, importance of keys."""

from dataclasses import replace
from html import escape
from typing import Any

import numpy as np

from manywalks.report.charts.charts import BOTTOM, LEFT, TOP, Plane, axis, fixed_axis
from manywalks.report.endpoint import Figure
from manywalks.tune.report.parallel import WIDE, parallel
from manywalks.tune.report.words import early

# height of a bar with its name
ROW = 30


def figures(found: dict[str, Any]) -> list[Figure]:
    """What the page draws."""
    drawn = [in_order(found)]
    if found["cost"]:
        drawn.append(front(found))
    if found["importance"]:
        drawn.append(importances(found["importance"]))
    if any(one["gain"] is not None for one in found["trials"]):
        drawn.append(parallel(found))
    return drawn


def in_order(found: dict[str, Any]) -> Figure:
    """Gains over the present settings with intervals, in the order of trials; the best so far as steps."""
    known = [one for one in found["trials"] if one["gain"] is not None]
    places = np.array([one["number"] for one in known], dtype=np.float64)
    gains, low, high = (
        np.array([one[key] for one in known], dtype=np.float64) for key in ("gain", "low", "high")
    )
    unit = f" ({found['metric']['unit']})" if found["metric"]["unit"] else ""
    # a hopeless trial must not press all others into a line
    least = min(0.0, float(np.quantile(low, 0.1)), float(np.quantile(gains, 0.1))) if len(known) else 0.0
    most = max(0.0, float(high.max())) if len(known) else 1.0
    y = axis(f"gain in {found['metric']['name']}{unit}", np.array([least, most]))
    x = axis("trial", np.array([0.0, max(places, default=1.0) + 1]))
    # there is no trial 2.5
    x = replace(x, ticks=tuple((place, text) for place, text in x.ticks if place == round(place)))
    plane = Plane(x, y, width=WIDE)
    # the best so far is drawn above the line
    marks = [plane.level(0.0, "present settings", below=True)]
    for state in ("beaten", "done", "stopped"):
        own = np.array([one["state"] == state for one in known], dtype=bool)
        inside, under = own & (gains >= y.low), own & (gains < y.low)
        if own.any():
            marks.append(
                f'<g class="trial {state}">{plane.whiskers(places[inside], low[inside], high[inside])}'
            )
            marks.append(f"{plane.dots(places[inside], gains[inside])}{_below(plane, places[under])}</g>")
    marks.append(_best_so_far(plane, known))
    if found["winner"]:
        marks.append(_ring(plane, found["winner"]))
    return Figure(
        "Gains in the order of trials",
        plane.svg(marks, "Gain of every trial over the present settings, with intervals"),
        "Each trial against the present settings on the same splits, with a 95 % interval. Pale: "
        f"{early(found)}. Triangle: further below. Steps: the best so far. Ring: the one that was judged.",
    )


def _below(plane: Plane, places: np.ndarray) -> str:
    """A triangle at the foot for each trial that is further below."""
    foot = plane.height - BOTTOM
    data = "".join(f"M{x - 5:.1f} {foot - 10}h10l-5 8z" for x in plane.px(places))
    return f'<path class="arrows" d="{data}"/>' if data else ""


def _best_so_far(plane: Plane, known: list[dict[str, Any]]) -> str:
    """The largest gain of the trials that were trained to the end, as steps."""
    x, y, best = [0.0], [0.0], 0.0
    for one in known:
        if one["state"] == "done" and one["gain"] > best:
            x += [one["number"], one["number"]]
            y += [best, one["gain"]]
            best = one["gain"]
    x.append(plane.x.high)
    y.append(best)
    return plane.line(np.array(x), np.array(y), "curve best")


def _ring(plane: Plane, winner: dict[str, Any]) -> str:
    """A ring around the winner."""
    x, y = float(plane.px(float(winner["number"]))), float(plane.py(winner["gain"]))
    return f'<circle class="at best" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'


def front(found: dict[str, Any]) -> Figure:
    """Gains by cost; a line through the trials that no other beats in both."""
    cost, known = found["cost"], [one for one in found["trials"] if one["gain"] is not None]
    by_number = {0: {"gain": 0.0, "cost": cost["present"]}, **{one["number"]: one for one in known}}
    gains, costs = (np.array([one[key] for one in by_number.values()], float) for key in ("gain", "cost"))
    unit = f" ({found['metric']['unit']})" if found["metric"]["unit"] else ""
    # a hopeless trial must not press all others into a line
    shown = gains >= min(0.0, float(np.quantile(gains, 0.1)))
    y = axis(f"gain in {found['metric']['name']}{unit}", gains[shown])
    plane = Plane(axis(cost["name"], np.append(costs[shown], 0.0)), y, width=WIDE)
    best = [by_number[number] for number in cost["front"]]
    x_front, y_front = (np.array([one[key] for one in best], float) for key in ("cost", "gain"))
    marks = [
        plane.level(0.0, "present settings"),
        f'<g class="trial done">{plane.dots(costs[shown], gains[shown])}</g>',
        plane.line(x_front, y_front, "curve best"),
    ]
    if found["winner"]:
        x, y_ = plane.px(float(found["winner"]["cost"])), plane.py(found["winner"]["gain"])
        marks.append(f'<circle class="at best" cx="{float(x):.1f}" cy="{float(y_):.1f}" r="7"/>')
    return Figure(
        "Gain and cost",
        plane.svg(marks, "Gain and cost of every trial, and those that no other beats in both"),
        "Line: the trials (and the present settings) that no other one beats in both. Ring: the one that was "
        "judged, the cheapest that is not surely worse than the best.",
    )


def importances(rows: list[dict[str, Any]]) -> Figure:
    """A bar a key, with its interval."""
    height = TOP + 46 + ROW * len(rows)
    ends = np.array([0.0, *(row["high"] for row in rows), *(row["low"] for row in rows)])
    plane = Plane(
        axis("share of the gains' variance", ends),
        fixed_axis("", -0.5, len(rows) - 0.5, ()),
        width=WIDE,
        height=height,
    )
    marks = [plane.upright(0.0)]
    for place, row in zip(range(len(rows) - 1, -1, -1), rows, strict=True):
        zero, low, middle, high = plane.px(np.array([0.0, row["low"], row["importance"], row["high"]]))
        y = float(plane.py(float(place)))
        left, right = sorted((float(zero), float(middle)))
        marks.append(
            f'<rect class="bar" x="{left:.1f}" y="{y - 2:.1f}" width="{right - left:.1f}" height="9"/>'
            f'<path class="whisker" d="M{low:.1f} {y + 2.5:.1f}H{high:.1f}"/>'
            f'<text class="note" x="{LEFT + 4}" y="{y - 5:.1f}">{escape(row["key"])}</text>'
        )
    return Figure(
        "Which keys matter",
        plane.svg(marks, "Importance of every key with its interval"),
        "How much worse a random forest predicts the gain of trials that it has not seen when one key's "
        "values are shuffled, with 90 % intervals. Around 0: the search found no effect of this key.",
    )
