"""A CSV's rows one by one, where one row's stray quote does not swallow those behind it."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# a quoted cell may hold line breaks; one that is open for so many lines was never meant
MOST_LINES = 1000


class Row(NamedTuple):
    """The text of a row, of one line or more, and whether its quotes are closed."""

    text: str
    closed: bool


def whole_rows(lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    """Lines -> rows. A line that opens a quote takes those up to where it is closed, or stands alone."""
    source = iter(lines)
    back: deque[str] = deque()
    while (line := _following(back, source)) is not None:
        # nearly all lines have no quotes, and nothing to be looked at
        if '"' not in line or not _is_open(line, delimiter):
            yield Row(line, True)
            continue
        taken = [line]
        while len(taken) < MOST_LINES and (more := _following(back, source)) is not None:
            taken.append(more)
            if '"' in more and not _is_open(whole := "".join(taken), delimiter):
                break
        whole = "".join(taken)
        if len(taken) > 1 and _is_sound(whole, delimiter):
            yield Row(whole, True)
        else:
            back.extendleft(reversed(taken[1:]))
            yield Row(line, False)


def parsed(row: str, delimiter: str) -> list[str]:
    """The cells of a row."""
    return next(csv.reader([row], delimiter=delimiter), [])


def _following(back: deque[str], source: Iterator[str]) -> str | None:
    """The next line: one that was put back, or the next of the file."""
    return back.popleft() if back else next(source, None)


def _is_open(text: str, delimiter: str) -> bool:
    """Whether a row ends inside quotes."""
    try:
        parsed_strictly(text, delimiter)
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _is_sound(text: str, delimiter: str) -> bool:
    """Whether a row of several lines is quoted by the rules: else its quotes belong to several rows."""
    try:
        parsed_strictly(text, delimiter)
    except csv.Error:
        return False
    return True


def parsed_strictly(text: str, delimiter: str) -> list[str]:
    """The cells of a row; csv.Error where its quotes are not by the rules."""
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])
