"""The charts of a record, all over time: errors, coverage, score and bound, churn; champions are marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape

import numpy as np
import pandas as pd

from manywalks.evaluate.registry import SCORE_NAMES
from manywalks.formatting import count, number, percent, short
from manywalks.record.summary import Row, how_they_did
from manywalks.record.warnings import WINDOWS, Warned
from manywalks.report.charts.charts import Axis, Plane, axis, fixed_axis
from manywalks.report.endpoint import Figure

DAY = 86_400.0
# nights whose measurements are one point of the chart of coverage
AROUND = WINDOWS[1]
_STEPS = (1, 2, 7, 14)


@dataclass(frozen=True)
class Time:
    """The time axis of all charts of an endpoint, and the days on which another champion came, with words."""

    along: Axis
    changes: tuple[tuple[float, str], ...]

    def chart(self, plane: Plane, marks: Sequence[str], title: str, caption: str) -> Figure:
        """A figure with an upright line per change of champion, whose words show on hover."""
        rules = [
            f"<g><title>{escape(words)}</title>{plane.upright(day)}</g>"
            for day, words in self.changes
            if plane.x.low <= day <= plane.x.high
        ]
        return Figure(title, plane.svg([*rules, *marks], title), caption)


def figures(
    runs: Sequence[Row],
    judged: pd.DataFrame,
    warnings: Sequence[Warned],
    changes: Sequence[dict[str, str]],
) -> list[Figure]:
    """Those of one endpoint that have something to show.

    Args:
        runs: its rows of record.parquet, oldest first.
        judged: its measurements.
        warnings: all that were raised.
        changes: when another champion came: when, name, reason.
    """
    marked = tuple((day_of(one["when"]), f"{one['name']}: {one['reason']}") for one in changes)
    time = Time(time_axis(np.array([day_of(row["when"]) for row in runs])), marked)
    unit = f" ({runs[-1]['unit']})" if runs[-1]["unit"] else ""
    labels = {"score": f"{SCORE_NAMES.get(runs[-1]['metric'], 'score')}{unit}", "bound": f"bound{unit}",
              "churn": f"change{unit}"}  # fmt: skip
    found = [_errors([row for row in runs if row["judged"]], time, unit)] if len(judged) else []
    if len(judged) and np.isfinite(judged["within"].to_numpy()).all():
        found.append(_coverage(judged, float(runs[-1]["coverage"]), time, warnings))
    for column, label in labels.items():
        known = [row for row in runs if row[column] is not None]
        if known:
            found.append(_values(known, column, label, time))
    return found


def day_of(when: str) -> float:
    """An ISO time as days since 1970, in UTC."""
    return datetime.fromisoformat(when).timestamp() / DAY


def time_axis(days: np.ndarray) -> Axis:
    """An axis of dates that holds all days: ticks at days, weeks, or the first of months."""
    room = 0.5 + 0.03 * float(days.max() - days.min())
    low, high = float(days.min()) - room, float(days.max()) + room
    first = datetime.fromtimestamp(low * DAY, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    step = next((step for step in _STEPS if (high - low) / step <= 7), None)
    if step is not None:
        places = [first + timedelta(days=step * place) for place in range(int((high - low) / step) + 2)]
        ticks = [(place, f"{place.day} {place:%b}") for place in places]
    else:
        every = max(1, round((high - low) / 30.4 / 6))
        places = [_month(first, later) for later in range(0, int((high - low) / 28) + 2, every)]
        ticks = [(place, f"{place:%b %Y}" if high - low > 330 else f"{place:%b}") for place in places]
    shown = [(place.timestamp() / DAY, text) for place, text in ticks]
    return Axis("", low, high, tuple(tick for tick in shown if low <= tick[0] <= high))


def _month(first: datetime, later: int) -> datetime:
    """The first day of a month, `later` months after that of `first`."""
    month = first.month - 1 + later
    return first.replace(year=first.year + month // 12, month=month % 12 + 1, day=1)


def points(plane: Plane, x: np.ndarray, y: np.ndarray, words: Sequence[str], strange: Sequence[bool]) -> str:
    """A dot per value, which shows its words where the pointer rests; `strange` ones in the other colour."""
    return "".join(
        f'<circle class="at {"worse" if odd else "ours"}" cx="{a:.1f}" cy="{b:.1f}" r="3.5">'
        f"<title>{escape(text)}</title></circle>"
        for a, b, text, odd in zip(plane.px(x), plane.py(y), words, strange, strict=True)
    )


def _errors(runs: Sequence[Row], time: Time, unit: str) -> Figure:
    """Root mean square error of the measurements of each night."""
    days = np.array([day_of(row["when"]) for row in runs])
    values = np.array([row["error_rms"] for row in runs])
    plane = Plane(time.along, axis(f"error{unit}", values, zero=True))
    words = [
        f"{row['when'][:10]}: {count(row['judged'], 'measurement')}, error {short(row['error_rms'])} (root "
        f"mean square), {short(row['error_mean'])} (mean); {percent(row['in_domain'])} in the domain; "
        f"predicted by {row['judged_by']}"
        for row in runs
    ]
    marks = [points(plane, days, values, words, [row["warned"] for row in runs])]
    caption = (
        "Each dot: the measurements that came with one run, against what the champion had predicted (root "
        "mean square of observed less predicted). Orange: a night with a warning. Dashed: a new champion."
    )
    return time.chart(plane, marks, "How far off were the predictions?", caption)


def _coverage(judged: pd.DataFrame, nominal: float, time: Time, warnings: Sequence[Warned]) -> Figure:
    """Share within the intervals over the last nights, beside the nominal one."""
    own = judged["night"].to_numpy(dtype=str)
    nights = list(dict.fromkeys(own.tolist()))
    last = np.array([nights.index(night) for night in own])
    whens = [str(judged["when"].to_numpy()[np.flatnonzero(own == night)[0]]) for night in nights]
    did = [
        how_they_did(judged.loc[(last > place - AROUND) & (last <= place)]) for place in range(len(nights))
    ]
    days, shares = np.array([day_of(when) for when in whens]), np.array([one["covered"] for one in did])
    plane = Plane(time.along, fixed_axis("within the interval", 0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]))
    words = [
        f"{when[:10]}: {percent(one['covered'])} of {count(one['judged'], 'measurement')} "
        f"({one['judged_series']} series) of {AROUND} nights"
        for when, one in zip(whens, did, strict=True)
    ]
    raised = {one.night for one in warnings}
    marks = [
        plane.level(nominal, f"promised: {number(100 * nominal)} %"),
        plane.line(days, shares, "line thin"),
        points(plane, days, shares, words, [night in raised for night in nights]),
    ]
    caption = (
        f"Share of the measurements of the last {AROUND} nights that lie within the interval that was "
        "predicted before. Few measurements scatter. Orange: a night with a warning."
    )
    return time.chart(plane, marks, "Did the intervals hold?", caption)


_QUESTIONS = {
    "score": (
        "How good was each new model?",
        "Test score of the model that was trained that night. Test molecules may differ from night to night.",
    ),
    "bound": (
        "How far would a retrained model be?",
        "The bound of the statement, over the valid and test molecules.",
    ),
    "churn": (
        "How much did predictions change?",
        "Change from the champion to the new model for the same molecules (root mean square).",
    ),
}


def _values(runs: Sequence[Row], column: str, label: str, time: Time) -> Figure:
    """One column of record.parquet."""
    days = np.array([day_of(row["when"]) for row in runs])
    values = np.array([row[column] for row in runs], dtype=np.float64)
    plane = Plane(time.along, axis(label, values, zero=column != "score"))
    words = [
        f"{row['when'][:10]}: {row['challenger']}, {label} {short(row[column])}, data {row['data']}, "
        f"{count(row['molecules'], 'molecule')}{', promoted' if row['promoted'] else ''}"
        for row in runs
    ]
    marks = [plane.line(days, values, "line thin"), points(plane, days, values, words, [False] * len(runs))]
    return time.chart(plane, marks, *_QUESTIONS[column])
