"""Figures of a comparison: intervals, convergence, capacity, the variance budget."""

import itertools
import math
from html import escape
from typing import Any

import numpy as np

from manywalks.compare.report.words import against, best_of, label_of, metric_name
from manywalks.formatting import number
from manywalks.report.charts.charts import BOTTOM, LEFT, RIGHT, TOP, Plane, axis, fixed_axis, log_axis
from manywalks.report.endpoint import Figure

# height of a row: a name over its interval
ROW = 40
COLOURS = 8


def figures(endpoint: dict[str, Any], configurations: list[dict[str, Any]]) -> list[Figure]:
    """What the page draws of one endpoint."""
    found = [intervals(endpoint), convergence(endpoint)]
    if len({one["parameters"] for one in configurations}) > 2:
        found += capacity(endpoint, configurations)
    return found


def intervals(endpoint: dict[str, Any]) -> Figure:
    """Each configuration against the best, with its interval and the smallest difference that matters."""
    best = best_of(endpoint)
    labels = label_of(endpoint)
    names = [row["name"] for row in endpoint["scores"]]
    rows = [against(endpoint, name, best) for name in names]
    threshold = endpoint["threshold"]
    ends = np.array([*(row[1] for row in rows), *(row[2] for row in rows), -threshold, threshold])
    places = np.arange(len(names))[::-1]
    height = TOP + 46 + ROW * len(names)
    x = axis(f"better by, in {metric_name(endpoint)}", ends)
    plane = Plane(x, fixed_axis("", -0.5, len(names) - 0.5, ()), height=height)
    left, right = plane.px(np.array([-threshold, threshold]))
    marks = [
        f'<rect class="zone" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" '
        f'height="{height - TOP - 46}"/>',
        plane.upright(0.0),
    ]
    for name, place, (middle, low, high, word) in zip(names, places, rows, strict=True):
        a, b, c = plane.px(np.array([low, middle, high]))
        y = float(plane.py(float(place)))
        marks.append(
            f'<path class="range {word}" d="M{a:.1f} {y:.1f}H{c:.1f}"/>'
            f'<circle class="at {word}" cx="{b:.1f}" cy="{y:.1f}" r="4"/>'
            f'<text class="note" x="{LEFT + 4}" y="{y - 9:.1f}">{escape(f"{labels[name]}  {name}")}</text>'
        )
    level = f"{100 * endpoint['confidence']:g} %"
    return Figure(
        f"Each against the best, {labels[best]}",
        plane.svg(marks, f"Differences to {best} with intervals"),
        f"Differences with intervals, {level} sure for all pairs at once. Grey: too small to matter "
        f"(± {number(threshold, 3)}). Right is better.",
    )


def convergence(endpoint: dict[str, Any]) -> Figure:
    """Score by number of replicates of every configuration, with the projection to infinitely many."""
    rows, labels = endpoint["scores"], label_of(endpoint)
    counts = np.array([point["replicates"] for point in rows[0]["curve"]], dtype=np.float64)
    values = np.array([[*(p["score"] for p in row["curve"]), row["infinite"]] for row in rows])
    beyond = counts[-1] * 2.5
    base = log_axis("replicates", np.array([*counts, beyond]))
    x = type(base)(
        base.label, base.low, base.high, (*((k, f"{k:g}") for k in counts), (beyond, "∞")), log=True
    )
    plane = Plane(x, axis(metric_name(endpoint), values))
    marks = []
    ends = plane.py(values[:, -1])
    beside_ends = spread_out(ends, foot=plane.height - BOTTOM - 9)
    for place, (row, scores, y, beside) in enumerate(zip(rows, values, ends, beside_ends, strict=True)):
        kind = f"c{place % COLOURS}"
        marks += [
            f'<g class="{kind}">',
            plane.line(counts, scores[:-1], "curve"),
            plane.line(np.array([counts[-1], beyond]), scores[-2:], "curve dashed"),
            f'<circle cx="{float(plane.px(beyond)):.1f}" cy="{y:.1f}" r="3.5"/>',
            f'<text class="tag note" x="{plane.width - RIGHT - 8}" y="{beside + 4:.1f}">'
            f"{labels[row['name']]}</text></g>",
        ]
    return Figure(
        "What more replicates bring",
        plane.svg(marks, "Score by number of replicates"),
        "Score of ensembles of 1, 2, 4 … replicates, mean over splits, and projected to infinitely many.",
    )


def spread_out(places: np.ndarray, gap: float = 14.0, foot: float = math.inf) -> np.ndarray:
    """Places (n,) of words, moved apart until none is within `gap` of another: downwards, above `foot`."""
    moved = np.array(places, dtype=np.float64)
    order = np.argsort(moved, kind="stable")
    for above, below in itertools.pairwise(order):
        moved[below] = max(moved[below], moved[above] + gap)
    moved[order[-1:]] = np.minimum(moved[order[-1:]], foot)
    for below, above in itertools.pairwise(order[::-1]):
        moved[above] = min(moved[above], moved[below] - gap)
    return moved


def capacity(endpoint: dict[str, Any], configurations: list[dict[str, Any]]) -> list[Figure]:
    """Spread, replicates needed, and score against the number of parameters."""
    rows, labels = endpoint["scores"], label_of(endpoint)
    sizes = np.array([one["parameters"] for one in configurations], dtype=np.float64)
    needed = np.array([row["replicates_needed"] or np.nan for row in rows])
    unit = f" ({endpoint['endpoint_unit']})" if endpoint["endpoint_unit"] else ""
    series = (
        ("Spread of the replicates", f"spread{unit}", np.array([row["spread_rms"] for row in rows]),
         "How far single replicates differ, root mean square over test molecules."),
        ("Replicates needed for the tolerance", "replicates", needed,
         f"For a tolerance of {number(endpoint['tolerance'], 3)}{unit}."),
        ("Score of infinitely many replicates", metric_name(endpoint),
         np.array([row["infinite"] for row in rows]), "Without the luck of training, which is averaged out."),
    )  # fmt: skip
    found = []
    for title, label, values, caption in series:
        if not np.isfinite(values).any():  # so few replicates do not tell how many are needed
            continue
        plane = Plane(log_axis("parameters", sizes), axis(label, values))
        marks = [
            f'<circle class="dot c{n % COLOURS}" cx="{float(plane.px(size)):.1f}" '
            f'cy="{float(plane.py(value)):.1f}" r="4"/>'
            f"{_beside(plane, float(plane.px(size)), float(plane.py(value)), labels[row['name']])}"
            for n, (size, value, row) in enumerate(zip(sizes, values, rows, strict=True))
            if np.isfinite(value)
        ]
        found.append(Figure(title, plane.svg(marks, f"{title} by number of parameters"), caption))
    return found


def _beside(plane: Plane, x: float, y: float, name: str) -> str:
    """A dot's name, on the side that has room."""
    side = f'x="{x - 6:.1f}" text-anchor="end"' if x > plane.width / 2 else f'x="{x + 6:.1f}"'
    return f'<text {side} y="{y - 5:.1f}">{escape(name)}</text>'


def budget_bars(found: dict[str, Any]) -> Figure:
    """Shares of the variance of a single replicate's score as one stacked bar."""
    width, at, marks = 440.0, 0.0, []
    for place, (name, part) in enumerate(found["parts"].items()):
        long = width * max(part["value"], 0.0)
        marks.append(
            f'<rect class="c{place}" x="{at:.1f}" y="6" width="{max(long - 1, 0):.1f}" height="34"/>'
            f'<rect class="c{place}" x="{place * 110}" y="54" width="11" height="11"/>'
            f'<text x="{place * 110 + 16}" y="64">{escape(name)} {100 * part["value"]:.0f} %</text>'
        )
        at += long
    svg = (
        '<svg class="chart budget" viewBox="0 0 440 74" role="img" aria-label="Variance budget">'
        + "".join(marks) + "</svg>"
    )  # fmt: skip
    return Figure(f"Where the variance of {found['metric_name']} comes from", svg, found["sentence"])
