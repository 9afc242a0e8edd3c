"""Progress that a person can follow, from whichever process the work is in.

A step is given `tell(done, total, what)`. By itself it draws a bar on the terminal; started by a flow
(`MANYWALKS_PROGRESS=lines`) it prints a line a change, which the flow's own bar follows. Where there is no
terminal (a log, a scheduler, a pipe), a line is written now and then instead of the bars.
"""

import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from manywalks.runtime import interrupt

Tell = Callable[[float, float, str], None]
PREFIX = "@progress "
# A line a change would be thousands a second for fast steps; eyes follow five.
EVERY_S = 0.2
# a log gets a line of each step at work as often as that
LINE_S = 20.0
# a time left that follows from less would be off by far: packs that start together tell at the same moment
WATCHED_S = 2.0


class TimeLeft(TimeRemainingColumn):
    """The time still to wait, called so; the time it took, once it is done."""

    def render(self, task: Task) -> Text:
        """Such as "00:12 left"; nothing while nobody can tell."""
        if not task.finished and time_left(task) is None:
            return Text()
        return super().render(task) + ("" if task.finished else " left")


def lines_wanted() -> bool:
    """Whether a flow reads this process's progress."""
    return os.environ.get("MANYWALKS_PROGRESS") == "lines"


def bar(console: Console | None = None) -> Progress:
    """The bar that every command shows: what, how far, how long still. Off a terminal it draws nothing."""
    console = console or Console(stderr=True, markup=False, emoji=False)
    return Progress(
        # with a rate in molecules a second it still fits into 80 columns
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=22),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeLeft(compact=True, elapsed_when_finished=True),
        console=console,
        transient=False,
        disable=not console.is_terminal,
    )


@contextmanager
def visible(shown: Progress, every: float = LINE_S) -> Iterator[None]:
    """Draw the bars, or off a terminal write a line as each step ends, and now and then of one at work."""
    ended = threading.Event()
    writer = threading.Thread(target=_write_lines, args=(shown, ended, every), daemon=True)
    with shown, interrupt.last_act(shown.stop):
        if shown.disable:
            writer.start()
        try:
            yield
        finally:
            ended.set()
            if shown.disable:
                writer.join(timeout=5)


def _write_lines(shown: Progress, ended: threading.Event, every: float) -> None:
    """Until `ended`: a line of each step that is finished, and every `every` seconds of each other one."""
    told: dict[TaskID, object] = {}
    due = time.monotonic() + every
    over = False
    while not over:
        over = ended.wait(min(0.5, every))
        is_due = time.monotonic() >= due
        due = time.monotonic() + every if is_due else due
        for task in list(shown.tasks):
            line = line_of(task)
            # a finished step may be told anew, with another rate or unit; it is said once all the same
            state = True if task.finished else line
            if (task.finished or is_due) and told.get(task.id) != state:
                told[task.id] = state
                print(line, file=sys.stderr, flush=True)


def line_of(task: Task) -> str:
    """A step in one line: what is done, and how long it took or will take."""
    parts = [task.description]
    if task.finished:
        parts.append(f"done in {_clock(task.finished_time or 0)}")
    elif task.total:
        # 100 % is said of what is done
        parts.append(f"{min(99, task.percentage):.0f} %")
    if note := str(task.fields.get("note", "")):
        parts.append(note)
    if not task.finished and (left := time_left(task)) is not None:
        parts.append(f"about {_clock(left)} left")
    return f"{parts[0]}: {', '.join(parts[1:]) or 'started'}"


def _clock(seconds: float) -> str:
    """Seconds as minutes and seconds, with hours where there are some: 0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def time_left(task: Task) -> float | None:
    """Seconds still to wait; None while nobody can tell: nothing is done yet, or too little was watched."""
    watched = time.monotonic() - float(task.fields.get("since") or -math.inf)
    return task.time_remaining if watched >= WATCHED_S else None


def update(shown: Progress, task: TaskID, done: float, total: float | None, note: str) -> None:
    """Draw a task's progress. Without a new note the last one stays, so a finished step keeps its rate."""
    before = next(one for one in shown.tasks if one.id == task)
    told: dict[str, Any] = {"note": note} if note else {}
    if total != before.total or (before.fields.get("since") == math.inf and done > before.completed):
        # a speed is that since the total is known, from the first thing done on
        told["since"] = math.inf if total != before.total else time.monotonic()
    # all at once: a line that is written between two updates would tell of the one before
    shown.update(task, completed=done, total=total, **told)


def counting(tell: Tell) -> Callable[[int, int], None]:
    """A progress function (molecules done, of so many) that tells the rate beside it.

    The rate is that since the first molecules were done, since workers take seconds to start.
    """
    since = (0, time.monotonic())
    known = False

    def progress(done: int, total: int) -> None:
        nonlocal since, known
        now = time.monotonic()
        rate = (done - since[0]) / max(now - since[1], 1e-9)
        tell(done, total, f"{rate:,.0f} molecules/s" if done else "")
        if not known:
            since, known = (done, now), True

    return progress


@contextmanager
def telling(what: str) -> Iterator[Tell]:
    """A `tell` for one step: lines for a flow, or a bar of its own."""
    if lines_wanted():
        lines, of = _throttled(), 1.0

        def tell_lines(done: float, total: float, note: str = "") -> None:
            nonlocal of
            of = total or of
            lines(done, total, note)

        yield tell_lines
        # in its own unit, since the flow adds up what several steps tell
        lines(of, of, "")
        return
    shown = bar()
    with visible(shown):
        task = shown.add_task(what, total=None, note="")

        def tell(done: float, total: float, note: str = "") -> None:
            update(shown, task, done, total or None, note)

        yield tell
        shown.update(task, completed=shown.tasks[0].total or 1, total=shown.tasks[0].total or 1)


def _throttled() -> Tell:
    """Print progress lines, five a second at most, the last one always."""
    last = 0.0

    def tell(done: float, total: float, note: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if (done < total or not total) and now - last < EVERY_S:
            return
        last = now
        # one write a line: threads tell of their replicates at the same time
        sys.stdout.write(f"{PREFIX}{json.dumps([done, total, note])}\n")
        sys.stdout.flush()

    return tell


def parse(line: str) -> tuple[float, float, str] | None:
    """The progress that a child's line tells, None where it is another line."""
    if not line.startswith(PREFIX):
        return None
    try:
        done, total, note = json.loads(line.removeprefix(PREFIX))
    except ValueError:
        return None  # two threads of the child wrote at once; the next line tells the same and more
    return float(done), float(total), str(note)


LABELS = {
    "curate": "curate molecules",
    "featurize": "compute features",
    "split": "split",
    "train": "train replicates",
    "draws": "other draws of data",
    "ensemble": "build the ensemble",
    "evaluate": "evaluate",
    "report": "write the report",
    "sources": "vary each source",
    "present": "present settings",
    "tune": "search",
    "verdict": "judge the winner",
}


class Board:
    """One bar a stage, shown from the moment that the stage tells of itself."""

    def __init__(self) -> None:
        self._bars = bar()
        self._rows: dict[str, Any] = {}
        self._open = ExitStack()

    def __enter__(self) -> "Board":
        self._open.enter_context(visible(self._bars))
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def follow(self, stage: str) -> Tell:
        """The `tell` of one stage."""

        def tell(done: float, total: float, note: str = "") -> None:
            if stage not in self._rows:
                self._rows[stage] = self._bars.add_task(LABELS.get(stage, stage), total=None, note="")
            update(self._bars, self._rows[stage], done, total or None, note)

        return tell
