"""A CSV's rows one by one, where one row's stray quote does not swallow those behind it."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# a quoted cell may hold line breaks; one that is open for so many lines was never meant
MOST_LINES = 1000
# of the lines of a quoted cell: from so many on that are as wide as the header, they are rows of their own
ALIKE = 0.8
# columns parted by blanks, however many
BLANK = " "
# Python's own limit is 128 KiB a cell, and a list of synonyms may be longer
csv.field_size_limit(2**31 - 1)


class Row(NamedTuple):
    """The text of a row of one line or more, whether its quotes are closed, its first line (1 = first)."""

    text: str
    closed: bool
    line: int


class _Lines:
    """Numbered lines, some of which are put back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._source = enumerate(lines, start=1)
        self._back: deque[tuple[int, str]] = deque()

    def following(self) -> tuple[int, str] | None:
        """The next line: one that was put back, or the next of the file."""
        return self._back.popleft() if self._back else next(self._source, None)

    def put_back(self, lines: list[tuple[int, str]]) -> None:
        """Lines that come again, in their order."""
        self._back.extendleft(reversed(lines))


def whole_rows(lines: Iterable[str], delimiter: str, width: int = 0) -> Iterator[Row]:
    """Lines -> rows. A line that opens a quote takes those up to where it is closed, or stays alone.

    Args:
        width: cells of the header, 0 where it is not known. Lines within quotes that have as many are rows
            that two stray quotes enclose, and not the text of one cell.
    """
    source = _Lines(lines)
    while (found := source.following()) is not None:
        number, line = found
        # nearly all lines have no quotes, and nothing to be looked at
        if '"' not in line or not is_open(line, delimiter):
            yield Row(line, True, number)
            continue
        taken = [found]
        while len(taken) < MOST_LINES and (more := source.following()) is not None:
            taken.append(more)
            if '"' in more[1] and not is_open("".join(text for _, text in taken), delimiter):
                break
        texts = [text for _, text in taken]
        whole = "".join(texts)
        if len(taken) > 1 and _is_sound(whole, delimiter) and not _are_rows(texts, delimiter, width):
            yield Row(whole, True, number)
        else:
            source.put_back(taken[1:])
            yield Row(line, False, number)


def parsed(row: str, delimiter: str) -> list[str]:
    """The cells of a row."""
    return next(csv.reader([_even(row, delimiter)], delimiter=delimiter), [])


def parsed_plainly(row: str, delimiter: str) -> list[str]:
    """The cells of a row whose quotes are letters like others."""
    return next(csv.reader([_even(row, delimiter)], delimiter=delimiter, quoting=csv.QUOTE_NONE), [])


def _even(row: str, delimiter: str) -> str:
    """A row whose columns are parted by one delimiter each."""
    return " ".join(row.split()) if delimiter == BLANK else row


def _are_rows(lines: list[str], delimiter: str, width: int) -> bool:
    """Whether the lines of a quoted cell have as many cells as the header, each by itself."""
    if not width:
        return False
    filled = [line for line in lines if line.strip()]
    alike = sum(len(parsed_plainly(line, delimiter)) == width for line in filled)
    return alike >= ALIKE * len(filled)


def is_open(text: str, delimiter: str) -> bool:
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


def no_formula(cell: str) -> str:
    """A text for a CSV file: a spreadsheet would run =HYPERLINK(...) or @SUM(...)."""
    return f"'{cell}" if len(cell) > 2 and cell[0] in "=@" else cell
