"""Charts as inline SVG: light enough for thousands of points, drawn for print, screen and dark screens alike.

A plane is two axes; its methods turn data into marks, and `svg` puts marks and axes together. Colours and
widths are the page's (classes), so nothing here knows of a theme. Points are one path of many dots.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from manywalks.formatting import number

WIDTH, HEIGHT = 440, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 14, 46
# what a letter takes at the size that titles have
LETTER, TITLE_PX = 6.5, 13
SMALLEST = 0.7
# what a tick of the upright axis has between the axis and its title, and what a digit takes
TICK_ROOM, TICK_LETTER = 38, 7.6


@dataclass(frozen=True)
class Axis:
    """One axis: its words, its range in data units (after log10 where `log`), and its ticks.

    Attributes:
        label: with the unit.
        low, high: ends of the range.
        ticks: (place, text), in data units.
        log: whether places are logarithms.
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def share(self, values: np.ndarray | float) -> np.ndarray:
        """Where values stand along the axis, 0 to 1; what lies beyond an end stands at the end."""
        places = np.log10(values) if self.log else np.asarray(values, dtype=np.float64)
        return np.clip((places - self.low) / (self.high - self.low), 0, 1)


def axis(label: str, values: np.ndarray, *, zero: bool = False, room: float = 0.04) -> Axis:
    """A linear axis that holds all finite values, from 0 where `zero`, with round ticks."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    low = min(low, 0.0) if zero else low
    if high <= low:
        low, high = low - (0 if zero else abs(low) * 0.1 + 0.5), high + abs(high) * 0.1 + 0.5
    space = room * (high - low)
    low, high = (low if zero and low == 0 else low - space), high + space
    return Axis(label, low, high, tuple((place, number(place)) for place in round_places(low, high)))


def fixed_axis(label: str, low: float, high: float, places: Sequence[float]) -> Axis:
    """A linear axis of given range and ticks."""
    return Axis(label, low, high, tuple((place, number(place)) for place in places))


def log_axis(label: str, values: np.ndarray) -> Axis:
    """A logarithmic axis that holds all positive values; ticks at 1, 2, 5 of each decade, or decades."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known) & (known > 0)]
    low, high = (float(known.min()), float(known.max())) if known.size else (1.0, 10.0)
    ends = math.log10(low) - 0.06, math.log10(high) + 0.06
    first, last = math.floor(ends[0]), math.ceil(ends[1])
    steps = (1, 2, 5) if last - first <= 3 else (1,)
    places = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    kept = [place for place in places if ends[0] <= math.log10(place) <= ends[1]]
    return Axis(label, *ends, tuple((place, number(place)) for place in kept), log=True)


def round_places(low: float, high: float, wanted: int = 6) -> list[float]:
    """Round numbers (1, 2, 2.5, 5 times a power of ten apart) between the ends, about `wanted` of them."""
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 12) + 0.0 for index in range(first, math.floor(high / step + 1e-9) + 1)]


def fitted(text: str, room: float, letter: float = LETTER) -> str:
    """Words for an SVG text element, cut to about `room` units where they are longer.

    About 6.5 units a letter is what 13 px take; the whole text then shows where the pointer rests.
    """
    most = max(3, int(room / letter))
    if len(text) <= most:
        return escape(text)
    return f"{escape(text[: most - 1].rstrip())}…<title>{escape(text)}</title>"


def titled(text: str, room: float) -> str:
    """The rest of a title's element: a little too long, it gets smaller letters; much too long, it is cut."""
    share = room / max(len(text) * LETTER, room)
    if share < SMALLEST:
        return f">{fitted(text, room)}"
    return f' style="font-size:{TITLE_PX * share:.1f}px">{escape(text)}' if share < 1 else f">{escape(text)}"


def small_ticks(axis: Axis) -> str:
    """The attribute that keeps long numbers, such as \u22120.0025, out of the title beside them."""
    longest = max((len(text) for _, text in axis.ticks if text[-1:].isdigit()), default=0)
    if longest * TICK_LETTER <= TICK_ROOM:
        return ""
    return f' style="font-size:{max(9.0, TITLE_PX * TICK_ROOM / (longest * TICK_LETTER)):.1f}px"'


@dataclass(frozen=True)
class Plane:
    """Two axes and the frame that they span; methods give marks, `svg` the chart."""

    x: Axis
    y: Axis
    width: int = WIDTH
    height: int = HEIGHT

    def px(self, values: np.ndarray | float) -> np.ndarray:
        """Data to horizontal places in the SVG."""
        return LEFT + self.x.share(values) * (self.width - LEFT - RIGHT)

    def py(self, values: np.ndarray | float) -> np.ndarray:
        """Data to vertical places in the SVG."""
        return self.height - BOTTOM - self.y.share(values) * (self.height - TOP - BOTTOM)

    def dots(self, x: np.ndarray, y: np.ndarray, kind: str = "dots", first: int | None = None) -> str:
        """A dot a point; `first` is the row of the first in the page's table, for what hovering shows."""
        data = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(self.px(x), self.py(y), strict=True))
        rows = "" if first is None else f' data-first="{first}"'
        return f'<path class="{kind}"{rows} d="{data}"/>'

    def arrows(self, x: np.ndarray, y: np.ndarray, up: np.ndarray, first: int, kind: str = "arrows") -> str:
        """A small triangle a censored point, pointing to where the truth lies: along x, right where `up`."""
        data = "".join(
            f"M{a:.1f} {b:.1f}m{3 if u else -3} 0l{-7 if u else 7} -4v8z"
            for a, b, u in zip(self.px(x), self.py(y), up, strict=True)
        )
        return f'<path class="{kind}" data-first="{first}" d="{data}"/>'

    def crosses(self, x: np.ndarray, y: np.ndarray, first: int) -> str:
        """A cross a point that lies outside the model's domain."""
        data = "".join(
            f"M{a:.1f} {b:.1f}m-3.2 -3.2l6.4 6.4m0 -6.4l-6.4 6.4"
            for a, b in zip(self.px(x), self.py(y), strict=True)
        )
        return f'<path class="crosses" data-first="{first}" d="{data}"/>'

    def line(self, x: np.ndarray, y: np.ndarray, kind: str = "line") -> str:
        """A polyline."""
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(self.px(x), self.py(y), strict=True))
        return f'<polyline class="{kind}" points="{points}"/>'

    def band(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
        """A filled band between two curves."""
        there = [f"{a:.1f},{b:.1f}" for a, b in zip(self.px(x), self.py(high), strict=True)]
        back = [f"{a:.1f},{b:.1f}" for a, b in zip(self.px(x), self.py(low), strict=True)][::-1]
        return f'<polygon class="band" points="{" ".join(there + back)}"/>'

    def bars(self, edges: np.ndarray, counts: np.ndarray, kind: str = "bar") -> str:
        """A histogram: counts (b,) between edges (b + 1,)."""
        left, right = self.px(edges[:-1]), self.px(edges[1:])
        top, base = self.py(counts), float(self.py(max(self.y.low, 0.0)))
        return "".join(
            f'<rect class="{kind}" x="{a + 0.5:.1f}" y="{t:.1f}" width="{max(b - a - 1, 0.8):.1f}" '
            f'height="{base - t:.1f}"/>'
            for a, b, t in zip(left, right, top, strict=True)
            if base - t > 0
        )

    def whiskers(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
        """A vertical interval at each x."""
        ends = zip(self.px(x), self.py(low), self.py(high), strict=True)
        return f'<path class="whisker" d="{"".join(f"M{a:.1f} {b:.1f}V{c:.1f}" for a, b, c in ends)}"/>'

    def upright(self, x: float, text: str = "", kind: str = "rule") -> str:
        """A vertical line over the whole height, with a word at its top on the side that has room."""
        place = float(self.px(x))
        left = place > (self.width + LEFT) / 2
        anchor, shift = ("end", -5) if left else ("start", 5)
        words = (
            f'<text class="note" x="{place + shift:.1f}" y="{TOP + 11}" '
            f'text-anchor="{anchor}">{escape(text)}</text>'
            if text
            else ""
        )
        ends = f"{place:.1f},{TOP} {place:.1f},{self.height - BOTTOM}"
        return f'<polyline class="{kind}" points="{ends}"/>{words}'

    def level(self, y: float, text: str = "", kind: str = "rule", *, below: bool = False) -> str:
        """A horizontal line over the whole width, with a word at its right end."""
        place = float(self.py(y))
        words = (
            f'<text class="note" x="{self.width - RIGHT - 3}" y="{place + (14 if below else -5):.1f}" '
            f'text-anchor="end">{escape(text)}</text>'
            if text
            else ""
        )
        ends = f"{LEFT},{place:.1f} {self.width - RIGHT},{place:.1f}"
        return f'<polyline class="{kind}" points="{ends}"/>{words}'

    def diagonal(self) -> str:
        """The line of y = x, as far as both axes go."""
        low, high = max(self.x.low, self.y.low), min(self.x.high, self.y.high)
        return self.line(np.array([low, high]), np.array([low, high]), "rule") if high > low else ""

    def svg(self, marks: Sequence[str], alt: str, *, zooms: str = "") -> str:
        """The chart: grid, axes, marks; `alt` says in words what it shows.

        `zooms` names the axes that the page's script may zoom, "x" or "xy": it gets their ranges, and the
        marks in an element of their own that clips them.
        """
        area = (
            f'x="{LEFT}" y="{TOP}" width="{self.width - LEFT - RIGHT}" height="{self.height - TOP - BOTTOM}"'
        )
        box = f"{LEFT} {TOP} {self.width - LEFT - RIGHT} {self.height - TOP - BOTTOM}"
        ranges = "".join(
            f' data-{name}="{found.low!r} {found.high!r}"'
            for name, found in (("x", self.x), ("y", self.y))
            if name in zooms
        )
        inside = "".join(marks)
        if zooms:
            inside = f'<svg class="area" {area} viewBox="{box}">{inside}</svg>'
        return (
            f'<svg class="chart" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(alt)}"{ranges}>'
            f"{self._grid()}{inside}{self._titles()}</svg>"
        )

    def _grid(self) -> str:
        """Grid lines and tick labels."""
        bottom, right = self.height - BOTTOM, self.width - RIGHT
        parts = [f'<path class="axis" d="M{LEFT} {bottom}H{right}"/>']
        for place, text in self.x.ticks:
            a = float(self.px(place))
            parts.append(f'<path class="grid x" d="M{a:.1f} {TOP}V{bottom}"/>')
            parts.append(
                f'<text class="tick x" x="{a:.1f}" y="{bottom + 16}" text-anchor="middle">'
                f"{escape(text)}</text>"
            )
        small = small_ticks(self.y)
        for place, text in self.y.ticks:
            b = float(self.py(place))
            parts.append(f'<path class="grid y" d="M{LEFT} {b:.1f}H{right}"/>')
            parts.append(
                f'<text class="tick y" x="{LEFT - 7}" y="{b + 4:.1f}" text-anchor="end"{small}>'
                f"{fitted(text, LEFT - 9)}</text>"
            )
        return "".join(parts)

    def _titles(self) -> str:
        """What the axes mean."""
        middle = (LEFT + self.width - RIGHT) / 2
        upright = (TOP + self.height - BOTTOM) / 2
        along, up = self.width - LEFT, self.height - BOTTOM
        return (
            f'<text class="title" x="{middle}" y="{self.height - 8}" text-anchor="middle"'
            f"{titled(self.x.label, along)}</text>"
            f'<text class="title" x="0" y="0" text-anchor="middle" '
            f'transform="translate(13 {upright}) rotate(-90)"{titled(self.y.label, up)}</text>'
        )
