"""Parallel coordinates: the values of all trials, and their gains."""

import math
from typing import Any

import numpy as np

from manywalks.formatting import number
from manywalks.report.charts.charts import fitted, titled
from manywalks.report.endpoint import Figure
from manywalks.tune.report.words import value_text
from manywalks.tune.result import IN, OUT

WIDE = 900
# so many keys side by side that their words can be read
SIDE_BY_SIDE = 6
# height of an axis, room for names above and below, margin at both sides
TALL, HEAD, FOOT, MARGIN = 180, 40, 26, 60


def parallel(found: dict[str, Any]) -> Figure:
    """A line per trial through an axis per key, the better the darker; many keys in several rows."""
    keys = found["space"]
    many = max(1, math.ceil(len(keys) / SIDE_BY_SIDE))
    rows = _dealt(keys, many)
    tall = HEAD + TALL + FOOT
    marks = [
        f'<g transform="translate(0 {tall * place})">{_row(found, row)}</g>' for place, row in enumerate(rows)
    ]
    svg = (
        f'<svg class="chart parallel" viewBox="0 0 {WIDE} {tall * len(rows)}" role="img" '
        f'aria-label="Values of every trial and its gain">{"".join(marks)}</svg>'
    )
    in_rows = "The last axis of each row" if len(rows) > 1 else "The last axis"
    return Figure(
        "Values and gains",
        svg,
        f"A line for each trial, the better the darker; the winner in colour. {in_rows} is the gain. A "
        "key without a value, because its condition does not hold, is at the foot of its axis.",
    )


def _dealt(keys: list[dict[str, Any]], rows: int) -> list[list[dict[str, Any]]]:
    """The keys in their order, in rows of about equal length."""
    return [[keys[n] for n in part] for part in np.array_split(np.arange(len(keys)), rows)]


def _row(found: dict[str, Any], keys: list[dict[str, Any]]) -> str:
    """One row of axes, the gain's the last, with the lines of all trials."""
    known = [one for one in found["trials"] if one["gain"] is not None]
    gains = np.array([one["gain"] for one in known])
    rank = np.argsort(np.argsort(gains)) / max(len(known) - 1, 1)
    step = (WIDE - 2 * MARGIN) / max(len(keys), 1)
    places = [MARGIN + step * n for n in range(len(keys) + 1)]
    heights_of_gains, ends = _gains(gains)
    marks = []
    for place in np.argsort(rank):
        one = known[int(place)]
        heights = [*(_height(key, one["values"]) for key in keys), heights_of_gains[place]]
        points = " ".join(
            f"{x:.1f},{HEAD + TALL * (1 - h):.1f}" for x, h in zip(places, heights, strict=True)
        )
        is_winner = found["winner"] is not None and one["number"] == found["winner"]["number"]
        opacity = 1.0 if is_winner else 0.08 + 0.6 * rank[place] ** 2
        kind = "curve best" if is_winner else "curve"
        marks.append(
            f'<polyline class="{kind}" points="{points}" opacity="{opacity:.2f}">'
            f"<title>trial {one['number']}</title></polyline>"
        )
    marks += [_upright(x, _name(key), _ends(key), step) for x, key in zip(places, keys, strict=False)]
    return "".join([*marks, _upright(places[-1], "gain", ends, step)])


def _upright(x: float, name: str, ends: list[tuple[float, str]], step: float) -> str:
    """One axis with its name, and words at some heights; the next axis is a step away."""
    room = step - 10
    texts = "".join(
        f'<text class="tick" x="{x + 5:.1f}" y="{HEAD + TALL * (1 - h) + 4:.1f}">{fitted(text, room)}</text>'
        for h, text in ends
    )
    return (
        f'<path class="axis" d="M{x:.1f} {HEAD}V{HEAD + TALL}"/>{texts}'
        f'<text class="title" x="{x:.1f}" y="{HEAD - 14}" text-anchor="middle"{titled(name, room)}</text>'
    )


def _gains(gains: np.ndarray) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Where gains are, 0 to 1, and the ends of their axis; hopeless ones are all at its foot."""
    least = min(float(gains.max()), 0.0, float(np.quantile(gains, 0.1)))
    low = max(least, float(gains.min()))
    heights = np.clip((gains - low) / ((gains.max() - low) or 1.0), 0, 1)
    foot = f"{'≤ ' if low > gains.min() else ''}{number(low, 2)}"
    return heights, [(0.0, foot), (1.0, number(float(gains.max()), 2))]


def _options(key: dict[str, Any]) -> list[Any]:
    """A key's choices from the least to the largest, lists by their sums; words as they come."""
    choices = key["choices"]
    if all(isinstance(one, int | float) for one in choices):
        return sorted(choices)
    if all(isinstance(one, list) and all(isinstance(n, int | float) for n in one) for one in choices):
        return sorted(choices, key=sum)
    return choices


def _ends(key: dict[str, Any]) -> list[tuple[float, str]]:
    """Both ends of a range, or every choice, with their heights; a block is in or out."""
    options = _options(key) if "choices" in key else [key["low"], key["high"]]
    words = [IN if one else OUT for one in options] if key["key"].endswith(".use") else options
    return [(n / max(len(options) - 1, 1), value_text(word)) for n, word in enumerate(words)]


def _name(key: dict[str, Any]) -> str:
    """A key without its section, where that says enough; of a block in or out, the name of the block."""
    *_, section, last = key["key"].split(".")
    if last == "use":
        return section
    return f"{section}.{last}" if last in ("weight", "blocks") else last


def _height(key: dict[str, Any], values: dict[str, Any]) -> float:
    """Where a value is on its axis, 0 to 1."""
    if key["key"] not in values:
        return 0.0
    value = values[key["key"]]
    if "choices" in key:
        return _options(key).index(value) / max(len(key["choices"]) - 1, 1)
    low, high = (np.log(key[end]) if key["log"] else key[end] for end in ("low", "high"))
    return float(((np.log(value) if key["log"] else value) - low) / (high - low))
